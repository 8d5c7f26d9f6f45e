"""Whoever is named as contact is written to when an endpoint is disabled, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.governance.egress.vendor import answering
from tests.process_apis.subscriptions.partner import FINE, PATH, partner


def test_a_disabled_endpoint_is_told_by_mail_and_can_be_resumed(tmp_path: Path) -> None:
    with partner(tmp_path, answering(410, b"")) as world:
        made = world.subscribe(key="gone", contact="ops@acme.example")
        path = f"{PATH}/{made['subscription_id']}"
        world.happen("O-1")
        world.delivered(1)
        while world.world.get("acme", path)["status"] != "disabled":
            world.world.run(asyncio.sleep(0.01))
        world.post(f"/{made['subscription_id']}/pause", status=409)
        letters = "/system/notifications/v1/messages"
        while not (sent := world.world.get("platform", letters, template="subscription_disabled")["items"]):
            world.world.run(asyncio.sleep(0.01))
        assert [one["to"] for one in sent] == ["ops@acme.example"]
        assert world.url in str(sent[0])
        world.vendor.behave = FINE
        assert world.post(f"/{made['subscription_id']}/resume")["status"] == "active"
        world.delivered(2)
