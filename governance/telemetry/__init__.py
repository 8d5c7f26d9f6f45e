"""What is measured about calls: hops, metrics and spans."""

from governance.telemetry.hops import Hop, HopLog
from governance.telemetry.metrics import CallMetrics
from governance.telemetry.tracing import Tracing

__all__ = ["CallMetrics", "Hop", "HopLog", "Tracing"]
