"""Clients that order the same again under another key: refused with the first one's number, or taken and marked."""

from __future__ import annotations

from gateway.chaos.drive import CHANNEL_ORDERS, SYSTEMS, Crowd, Tale
from gateway.chaos.http import Answer, Lost

REFUSED = "duplicate-order"


async def order_again(crowd: Crowd, tale: Tale) -> None:
    """Place the order once more; what came of it stands in the tale."""
    wish = tale.wish
    body = dict(wish.body)
    try:
        if wish.channel_order is not None:
            told = await crowd.ask(SYSTEMS, "POST", CHANNEL_ORDERS, wish.channel_order, f"{wish.key}-twin-channel")
            body["channel_order_id"] = told.json()["channel_order_id"]
        answer = await crowd.ask(wish.client, "POST", wish.path, body, f"{wish.key}-twin")
    except Lost as lost:
        tale.strange.append(str(lost))
        return
    if wish.is_flagged_again and answer.status == 202:
        tale.twin_id = answer.json()["order_id"]
    elif wish.is_flagged_again or not _refused(answer, tale.order_ids):
        tale.strange.append(f"one more was answered {answer.status}: {answer.body.decode(errors='replace')[:300]}")


def _refused(answer: Answer, first: set[str]) -> bool:
    return answer.problem == REFUSED and answer.json().get("order_id") in first
