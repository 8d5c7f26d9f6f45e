"""The embedded commerce platform: a web shop and two marketplaces on one SQLite file.

Every write is one transaction, flushed to disk before it is answered. An order's status only moves
forward: a late write-back is accepted, remembered and changes nothing. On its first start it holds
the authored dataset, unless ``seed`` is off. It depends on nothing but its file; a file that can't
be written raises ``sqlite3.OperationalError``.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec
from msgspec import Struct

from governance.call import Clock
from governance.contract import Delivery
from governance.contract.problems import NotFound
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import ChannelOrder, StorefrontItem
from system_apis.canonical.refusals import CurrencyMismatch, ReferenceTaken, UnknownProduct
from system_apis.canonical.values import Money, total
from system_apis.commerce.connectors.embedded import changes, records
from system_apis.commerce.connectors.embedded.deliveries import notice_of
from system_apis.commerce.connectors.embedded.seed import authored_items, authored_orders
from system_apis.commerce.connectors.embedded.words import AHEAD, CANONICAL, WORDS
from system_apis.commerce.drafts import Channel, ChannelStatus, ItemListing, NewChannelOrder, StatusWriteBack
from system_apis.commerce.notices import ChannelOrderNotice
from system_apis.embedded import RecordFiles, among, fingerprint
from system_apis.embedded.changes import unlogged


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the embedded platform starts."""

    seed: bool = True
    """Fill an empty file with the authored dataset."""


class StatusCount(Struct, frozen=True, kw_only=True):
    """How many orders of a channel have a status, for checks over several systems."""

    channel: str
    status: str
    count: int
    tied: int
    """How many of them name the order they became."""


class Connector:
    """A ``CommercePort`` on the record file ``commerce``."""

    def __init__(self, settings: Settings, files: RecordFiles, clock: Clock) -> None:
        self._settings = settings
        self._file = files.open("commerce", records.SCHEMA + changes.SCHEMA)
        self._clock = clock

    async def start(self) -> None:
        """Sow the dataset into an empty file."""
        if self._settings.seed:
            now = self._clock.now()
            await self._file.write(lambda c: unlogged(c, lambda connection: _sow(connection, now)))

    async def stop(self) -> None:
        """Nothing to stop: the record files are closed by who made them."""

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Changes after a position."""
        return await self._file.read(lambda connection: changes.read(connection, after, limit))

    async def get_item(self, channel: Channel, sku: str) -> StorefrontItem:
        """The item, listed or not."""
        found = await self._file.read(lambda connection: records.item(connection, channel, sku))
        if found is None:
            raise UnknownProduct(sku=sku)
        return found

    async def list_items(
        self, *, channel: Channel, query: str | None, after: str | None, limit: int
    ) -> tuple[StorefrontItem, ...]:
        """Listed items by SKU."""
        searched = None if query is None else query.casefold()
        matches = (("channel = ?", channel), ("instr(searched, ?) > 0", searched), ("sku > ?", after))
        return await self._file.read(lambda connection: records.items(connection, matches, limit))

    async def put_item(self, channel: Channel, sku: str, listing: ItemListing) -> StorefrontItem:
        """Make or replace the item."""
        wanted = _item(channel, sku, listing, self._clock.now())
        return await self._file.write(lambda connection: records.put_item(connection, wanted))

    async def create_channel_order(self, order: NewChannelOrder, reference: str) -> ChannelOrder:
        """Take the order, once per reference."""
        now = self._clock.now()
        return await self._file.write(lambda connection: _take(connection, order, reference, now))

    async def get_channel_order(self, channel_order_id: str) -> ChannelOrder:
        """The order."""
        return await self._file.read(lambda connection: records.order(connection, channel_order_id))

    async def find_channel_order_by_reference(self, reference: str) -> ChannelOrder | None:
        """The order that ``reference`` made or wrote back to."""
        row = await self._file.read(lambda connection: records.order_by_reference(connection, reference))
        return None if row is None else records.order_of(row)

    async def list_channel_orders(
        self,
        *,
        channel: Channel | None,
        status: str | None,
        account_ids: tuple[str, ...] | None,
        after: str | None,
        limit: int,
    ) -> tuple[ChannelOrder, ...]:
        """Orders in the sequence they came in."""
        words = None if status is None else _words(status)
        matches = (
            ("number > ?", None if after is None else records.sequence(after)),
            ("channel = ?", channel),
            among("account_id", account_ids),
            ("channel || ' ' || word IN (SELECT value FROM json_each(?))", words),
        )
        return await self._file.read(lambda connection: records.orders(connection, matches, limit))

    async def write_back_status(
        self, channel_order_id: str, write_back: StatusWriteBack, reference: str
    ) -> ChannelOrder:
        """Move the order forward, or leave it as it is."""
        return await self._file.write(
            lambda connection: _write_back(connection, channel_order_id, write_back, reference)
        )

    async def read_delivery(self, delivery: Delivery) -> ChannelOrderNotice | None:
        """What a webhook of such a platform says."""
        return notice_of(delivery)

    async def ledger(self) -> tuple[StatusCount, ...]:
        """How many orders each channel has in each status."""

        def rows(connection: sqlite3.Connection) -> tuple[StatusCount, ...]:
            found = connection.execute(
                "SELECT channel, word, COUNT(*) AS orders, SUM(order_id <> '') AS tied FROM channel_order"
                " GROUP BY channel, word ORDER BY channel, word"
            )
            return tuple(
                StatusCount(
                    channel=row["channel"],
                    status=CANONICAL[row["channel"]][row["word"]],
                    count=row["orders"],
                    tied=row["tied"],
                )
                for row in found
            )

        return await self._file.read(rows)


def _item(channel: Channel, sku: str, listing: ItemListing, now: datetime) -> StorefrontItem:
    return StorefrontItem(
        sku=sku, channel=channel, title=listing.title, price=listing.price, listed=listing.listed, updated_at=now
    )


def _words(status: str) -> str:
    pairs = [f"{channel} {word}" for channel, words in WORDS.items() for own, word in words.items() if own == status]
    return msgspec.json.encode(pairs).decode()


def _take(connection: sqlite3.Connection, order: NewChannelOrder, reference: str, now: datetime) -> ChannelOrder:
    digest = fingerprint(order)
    row = records.order_by_reference(connection, reference)
    if row is not None:
        known = records.order_of(row)
        if row["reference"] != reference or row["fingerprint"] != digest:
            raise ReferenceTaken(reference=reference, record_id=known.channel_order_id)
        return known
    amount = _total(connection, order)
    connection.execute(
        "INSERT INTO channel_order (reference, fingerprint, channel, account_id, word, lines, amount_minor, currency,"
        " ship_to, placed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (reference, digest, order.channel, order.account_id, WORDS[order.channel]["new"], records.text(order.lines),
         amount.amount_minor, amount.currency, records.text(order.ship_to), records.microseconds(now)),
    )  # fmt: skip
    return records.order_of(
        connection.execute("SELECT * FROM channel_order WHERE reference = ?", (reference,)).fetchone()
    )


def _total(connection: sqlite3.Connection, order: NewChannelOrder) -> Money:
    currency = order.lines[0].unit_price.amount.currency
    for line in order.lines:
        if line.unit_price.amount.currency != currency:
            raise CurrencyMismatch(expected=currency, given=line.unit_price.amount.currency)
        offered = records.item(connection, order.channel, line.sku)
        if offered is None or not offered.listed:
            raise UnknownProduct(sku=line.sku)
    return total(tuple(line.unit_price.of(line.quantity) for line in order.lines), currency)


def _write_back(
    connection: sqlite3.Connection, channel_order_id: str, write_back: StatusWriteBack, reference: str
) -> ChannelOrder:
    order = records.order(connection, channel_order_id)
    if order.account_id != write_back.account_id:
        raise NotFound
    if records.written_back(connection, reference, channel_order_id, write_back):
        return order
    if write_back.order_id and order.order_id not in ("", write_back.order_id):
        # One channel order becomes one order: the first one that said so stands.
        raise ReferenceTaken(reference=channel_order_id, record_id=order.order_id)
    status: ChannelStatus = write_back.status if write_back.status in AHEAD[order.status] else order.status
    number = records.sequence(channel_order_id)
    connection.execute(
        "UPDATE channel_order SET word = ?, order_id = ? WHERE number = ?",
        (WORDS[order.channel][status], write_back.order_id or order.order_id, number),
    )
    connection.execute(
        "INSERT INTO write_back VALUES (?, ?, ?, ?)", (reference, number, write_back.status, write_back.order_id)
    )
    return records.order(connection, channel_order_id)


def _sow(connection: sqlite3.Connection, now: datetime) -> None:
    if connection.execute("SELECT 1 FROM item LIMIT 1").fetchone() is not None:
        return
    for channel, sku, listing in authored_items():
        records.put_item(connection, _item(channel, sku, listing, now))
    for number, (order, write_back) in enumerate(authored_orders(), start=1):
        taken = _take(connection, order, f"seed-{number}", now)
        if write_back is not None:
            _write_back(connection, taken.channel_order_id, write_back, f"seed-{number}-status")
