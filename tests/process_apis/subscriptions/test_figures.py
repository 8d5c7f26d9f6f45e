"""Figures of webhooks for /metrics, against deliveries that are known."""

from __future__ import annotations

import pytest

from governance.telemetry import CallMetrics
from process_apis.subscriptions.dispatcher import Dispatcher
from process_apis.subscriptions.figures import DeliveryFigures
from tests.governance.egress.vendor import Vendor, answering
from tests.process_apis.subscriptions.post import MINUTE_S, Post, way_out

pytestmark = pytest.mark.anyio


async def test_attempts_are_counted_and_what_waits_is_told_with_its_age(post: Post) -> None:
    figures, metrics = DeliveryFigures(), CallMetrics()
    metrics.include(figures)
    async with Vendor(answering(204, b"")) as fine, Vendor(answering(500, b"no")) as broken:
        await post.subscribe(fine)
        await post.subscribe(broken)
        given_up = await post.subscribe(broken, account_id="GLOBEX")
        await post.happen("O-1", "O-2")
        await post.happen("O-3", account_id="GLOBEX")
        dispatcher = Dispatcher(post.flows, post.clock, way_out(fine, broken), figures=figures, chance=lambda: 0.5)
        assert await dispatcher.look() == 5
        await dispatcher.settle()
        await post.change(given_up, status="disabled")
        post.clock.advance(MINUTE_S)
        await dispatcher.measure()
    lines = set(metrics.text().decode().splitlines())
    assert lines >= {
        'tiergate_webhook_attempts_total{outcome="delivered"} 2.0',
        'tiergate_webhook_attempts_total{outcome="refused"} 3.0',
        'tiergate_webhook_delivery_seconds_bucket{le="0.1"} 2.0',
        "tiergate_webhook_delivery_seconds_count 2.0",
        "tiergate_webhook_deliveries_waiting 2.0",
        f"tiergate_webhook_oldest_waiting_seconds {MINUTE_S:.1f}",
        'tiergate_webhook_endpoints{status="active"} 2.0',
        'tiergate_webhook_endpoints{status="disabled"} 1.0',
    }
    assert figures.wanted, "somebody scraped, so the next look is worth its reads"
