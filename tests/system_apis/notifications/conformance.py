"""What every notifications connector must do. Subclass it where the connector's tests are, with a ``port`` fixture."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.canonical.values import Money
from system_apis.notifications.contents import OrderCancelled, OrderConfirmed
from system_apis.notifications.messages import Outgoing
from system_apis.notifications.port import MessageFilter, NotificationsPort

pytestmark = pytest.mark.anyio
CONFIRMED = OrderConfirmed(order_id="ord-1", order_reference="PO-1", total=Money(123_456, "EUR"))
CANCELLED = OrderCancelled(order_id="ord-1", order_reference="PO-1", reason="ordered twice")
OUTGOING = Outgoing(account_id="ACME", to="buyer@acme.example", to_name="Käthe", language="de", content=CONFIRMED)


class NotificationsPortConformance:
    """The promises of ``NotificationsPort``."""

    async def test_a_message_is_sent_once_for_each_reference(self, port: NotificationsPort) -> None:
        first = await port.send_message(OUTGOING, "r-1")
        assert (first.reference, first.account_id, first.template) == ("r-1", "ACME", "order_confirmed")
        assert first.status in ("sent", "delivered")
        assert (first.to, first.to_name, first.language) == ("buyer@acme.example", "Käthe", "de")
        assert await port.send_message(OUTGOING, "r-1") == first
        assert await port.find_message_by_reference("r-1") == first
        assert await port.find_message_by_reference("r-2") is None
        assert await port.get_message(first.message_id) == first
        assert len(await port.list_messages(MessageFilter(), 0, 10)) == 1

    async def test_what_was_sent_reads_as_it_was_written(self, port: NotificationsPort) -> None:
        sent = await port.send_message(OUTGOING, "r-1")
        assert sent.subject == "Ihre Bestellung PO-1 ist bestätigt"
        assert "1.234,56\xa0€" in sent.text
        assert "1.234,56\xa0€" in sent.html

    @pytest.mark.parametrize(
        "other", [replace(OUTGOING, to="other@acme.example"), replace(OUTGOING, content=CANCELLED)]
    )
    async def test_a_reference_stands_for_one_content(self, port: NotificationsPort, other: Outgoing) -> None:
        first = await port.send_message(OUTGOING, "r-1")
        with pytest.raises(ReferenceTaken) as caught:
            await port.send_message(other, "r-1")
        assert caught.value.record_id == first.message_id

    async def test_messages_are_found(self, port: NotificationsPort) -> None:
        await port.send_message(OUTGOING, "r-1")
        await port.send_message(replace(OUTGOING, content=CANCELLED), "r-2")
        await port.send_message(replace(OUTGOING, account_id="GLOBEX", language="en"), "r-3")

        async def found(**which: object) -> list[str]:
            filters = MessageFilter(**which)  # type: ignore[arg-type]
            return [message.reference for _, message in await port.list_messages(filters, 0, 10)]

        assert await found() == ["r-1", "r-2", "r-3"]
        assert await found(account_ids=("ACME",)) == ["r-1", "r-2"]
        assert await found(account_ids=()) == []
        assert await found(template="order_cancelled") == ["r-2"]
        assert await found(reference="r-3", account_ids=("GLOBEX",)) == ["r-3"]
        assert await found(status="refused") == []
        first_key = (await port.list_messages(MessageFilter(), 0, 1))[0][0]
        assert [m.reference for _, m in await port.list_messages(MessageFilter(), first_key, 1)] == ["r-2"]

    @pytest.mark.parametrize("number", ["MSG-00000009", "MSG-1", "ORD-1", "", "MSG-" + "9" * 30])
    async def test_a_number_that_no_message_has_is_not_found(self, port: NotificationsPort, number: str) -> None:
        await port.send_message(OUTGOING, "r-1")
        with pytest.raises(NotFound):
            await port.get_message(number)

    async def test_many_at_once_under_one_reference_are_one(self, port: NotificationsPort) -> None:
        made = await asyncio.gather(*(port.send_message(OUTGOING, "r-1") for _ in range(10)), return_exceptions=True)
        sent = await port.send_message(OUTGOING, "r-1")
        assert sent in made
        assert len(await port.list_messages(MessageFilter(), 0, 10)) == 1
