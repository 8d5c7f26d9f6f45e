"""Tracing: to an OTLP endpoint where one is set, or to the provider of ``opentelemetry-instrument``."""

from __future__ import annotations

from opentelemetry import trace

from gateway.settings import Settings, SettingsError
from governance.telemetry import Tracing, instrumentor


def tracing_of(settings: Settings) -> Tracing:
    """Tracing as ``[telemetry]`` says; off where nobody would receive a span.

    Raises:
        SettingsError: an endpoint is set and the exporter is not installed.
    """
    ratio = settings.telemetry.sample_ratio
    if settings.telemetry.otlp_endpoint:
        return Tracing(sample_ratio=ratio, tracer=_exporting(settings))
    if instrumentor.requested:
        return Tracing(sample_ratio=1.0, tracer=trace.get_tracer("tiergate"))
    return Tracing()


def _exporting(settings: Settings) -> trace.Tracer:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingsError(["telemetry.otlp_endpoint needs the exporter: pip install 'tiergate[otlp]'."]) from None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": settings.telemetry.service_name}))
    endpoint = settings.telemetry.otlp_endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider.get_tracer("tiergate")
