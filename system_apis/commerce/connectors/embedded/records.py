"""The platform's tables on SQLite: what one transaction does, as functions on a connection.

An item is known by channel and SKU. An order's reference, and that of every write-back, is one
effect for ever. All functions leave nothing behind when they raise.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from governance.contract.problems import NotFound
from system_apis.canonical.entities import ChannelOrder, ChannelOrderLine, StorefrontItem
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.canonical.values import Address, Money
from system_apis.commerce.connectors.embedded.words import CANONICAL
from system_apis.commerce.drafts import Channel, StatusWriteBack
from system_apis.embedded import Match, where

SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    channel TEXT NOT NULL,
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    searched TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    listed INTEGER NOT NULL CHECK (listed IN (0, 1)),
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (channel, sku)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channel_order (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    channel TEXT NOT NULL,
    account_id TEXT NOT NULL,
    word TEXT NOT NULL,
    lines TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    ship_to TEXT NOT NULL,
    placed_us INTEGER NOT NULL,
    order_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS channel_order_by_account ON channel_order (account_id, number);
CREATE TABLE IF NOT EXISTS write_back (
    reference TEXT PRIMARY KEY,
    number INTEGER NOT NULL REFERENCES channel_order (number),
    status TEXT NOT NULL,
    order_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX: dict[Channel, str] = {"web_shop": "WEB", "marketplace_north": "MPN", "marketplace_south": "MPS"}
LINES = msgspec.json.Decoder(tuple[ChannelOrderLine, ...])
ADDRESS = msgspec.json.Decoder(Address)


def microseconds(at: datetime) -> int:
    """``at`` as whole microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def text(content: Struct | tuple[Struct, ...]) -> str:
    """``content`` as it is kept in a column."""
    return msgspec.json.encode(content).decode()


def sequence(channel_order_id: str) -> int:
    """The position of an order in the platform's one sequence over all channels; 0 for no number of ours."""
    digits = channel_order_id[3:].removeprefix("-")
    ours = channel_order_id[:3] in PREFIX.values() and len(digits) == 8 and digits.isascii() and digits.isdecimal()
    return int(digits) if ours else 0


def item_of(row: sqlite3.Row) -> StorefrontItem:
    """The item a row stands for."""
    return StorefrontItem(
        sku=row["sku"],
        channel=row["channel"],
        title=row["title"],
        price=Money(row["amount_minor"], row["currency"]),
        listed=bool(row["listed"]),
        updated_at=EPOCH + timedelta(microseconds=row["updated_us"]),
    )


def order_of(row: sqlite3.Row) -> ChannelOrder:
    """The order a row stands for, its status read from the channel's word."""
    channel: Channel = row["channel"]
    return ChannelOrder(
        channel_order_id=f"{PREFIX[channel]}-{row['number']:08d}",
        reference=row["reference"],
        channel=channel,
        account_id=row["account_id"],
        status=CANONICAL[channel][row["word"]],
        channel_status=row["word"],
        lines=LINES.decode(row["lines"]),
        total=Money(row["amount_minor"], row["currency"]),
        ship_to=ADDRESS.decode(row["ship_to"]),
        placed_at=EPOCH + timedelta(microseconds=row["placed_us"]),
        order_id=row["order_id"],
    )


def item(connection: sqlite3.Connection, channel: str, sku: str) -> StorefrontItem | None:
    """The item, listed or not."""
    row = connection.execute("SELECT * FROM item WHERE channel = ? AND sku = ?", (channel, sku)).fetchone()
    return None if row is None else item_of(row)


def put_item(connection: sqlite3.Connection, wanted: StorefrontItem) -> StorefrontItem:
    """Write the item; what it already is keeps its ``updated_at``, so repeating a write changes nothing."""
    stored = item(connection, wanted.channel, wanted.sku)
    if stored is not None and msgspec.structs.replace(wanted, updated_at=stored.updated_at) == stored:
        return stored
    searched = f"{wanted.sku} {wanted.title}".casefold()
    connection.execute(
        "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (wanted.channel, wanted.sku, wanted.title, searched, wanted.price.amount_minor, wanted.price.currency,
         wanted.listed, microseconds(wanted.updated_at)),
    )  # fmt: skip
    return wanted


def items(connection: sqlite3.Connection, matches: tuple[Match, ...], limit: int) -> tuple[StorefrontItem, ...]:
    """At most ``limit`` listed items that match, by SKU."""
    conditions, values = where(matches)
    rows = connection.execute(
        f"SELECT * FROM item WHERE listed AND {conditions} ORDER BY sku LIMIT ?", (*values, limit)
    )
    return tuple(item_of(row) for row in rows)


def order(connection: sqlite3.Connection, channel_order_id: str) -> ChannelOrder:
    """The order.

    Raises:
        NotFound: there is none.
    """
    number = sequence(channel_order_id)
    row = connection.execute("SELECT * FROM channel_order WHERE number = ?", (number,)).fetchone()
    if row is None or not channel_order_id.startswith(PREFIX[row["channel"]]):
        raise NotFound
    return order_of(row)


def order_by_reference(connection: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    """The row of the order that ``reference`` made or wrote back to."""
    return connection.execute(
        "SELECT * FROM channel_order WHERE reference = ? OR number ="
        " (SELECT number FROM write_back WHERE reference = ?)",
        (reference, reference),
    ).fetchone()


def orders(connection: sqlite3.Connection, matches: tuple[Match, ...], limit: int) -> tuple[ChannelOrder, ...]:
    """At most ``limit`` orders that match, by number."""
    conditions, values = where(matches)
    rows = connection.execute(
        f"SELECT * FROM channel_order WHERE {conditions} ORDER BY number LIMIT ?", (*values, limit)
    )
    return tuple(order_of(row) for row in rows)


def written_back(
    connection: sqlite3.Connection, reference: str, channel_order_id: str, write_back: StatusWriteBack
) -> bool:
    """Whether this write-back was made under ``reference`` before.

    Raises:
        ReferenceTaken: the reference stands for something else.
    """
    row = connection.execute(
        "SELECT number, status, order_id FROM write_back WHERE reference = ?", (reference,)
    ).fetchone()
    if row is None:
        made = order_by_reference(connection, reference)
        if made is not None:
            raise ReferenceTaken(reference=reference, record_id=order_of(made).channel_order_id)
        return False
    if tuple(row) != (sequence(channel_order_id), write_back.status, write_back.order_id):
        raise ReferenceTaken(reference=reference, record_id=channel_order_id)
    return True
