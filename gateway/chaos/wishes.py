"""The orders of a run: who wants what, how it must end, and how the client that sends it behaves."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from gateway.chaos.plan import chance

Manner = Literal["plain", "cut", "doubled", "repeated", "cancelled", "amended", "returned", "again"]
PORTAL = "/experience/portal/v1/orders"
INSIDE_SALES = "/process/order-to-fulfillment/v1/agreed-orders"
Via = Literal["portal", "inside sales", "partner", "web shop", "marketplace north", "marketplace south"]
SHOPS: dict[Via, str] = {
    "web shop": "web_shop",
    "marketplace north": "marketplace_north",
    "marketplace south": "marketplace_south",
}
"""Channels that have orders of their own, which have to hear how each ends."""
FLAGGING = frozenset({"marketplace_north", "marketplace_south"})
"""Channels whose orders were sold already: one that looks like another is taken, and marked."""
SHOPPER = {"name": "A. Shopper", "street": "Am Markt 1", "city": "Dresden", "postal_code": "01067", "country": "DE"}
CHANNEL_PRICE_MINOR = 500
ORDERS = "/process/order-to-fulfillment/v1/orders"
RETURNS = "/process/returns/v1/returns"
QUOTES = "/process/quote-to-cash/v1/quotes"
PATHS: dict[Via, str] = {"portal": PORTAL, "inside sales": INSIDE_SALES}
"""Where orders are placed; those of all other channels at the process itself."""
SALES = "sales"
"""The client that places orders in the name of accounts."""
APPROVER = "approver"
"""The client that says yes to orders of others."""
PORTAL_ACCOUNTS = ("STADTWERKE", "ACME", "PIXELFAB", "TIGHTROPE", "HOLDFAST")
SKUS = ("BRG-6204", "BRG-6201", "BRG-6206", "BRG-6308")
IN_HAMBURG, IN_ROTTERDAM = "BRG-LM12", "BRG-51106"
"""Two products that the run puts into one warehouse each, so that an order of both is sent from two."""
DEAR = "DRV-MOT400"
"""Of a high price: so many of it wait for somebody's yes."""
SCARCE = tuple(
    f"{kind}-{name}"
    for kind, names in (
        ("FAS", "ANC12 CLIP20 LOCK10 M10x40 M12x60 M6x20 M8x30 NUT8 RIV48 SHC5x16 SPR10 THR16 WASH8"),
        ("SAF", "BOOT43 EARM FAID FFP2 GLAS GLV10 GLV9 HARN HELM VEST"),
    )
    for name in names.split()
)
"""Products of which there is nothing until somebody waits for them."""
SCARCE_FOR = 25
"""So many orders in a row want the same scarce product, if they want one."""
SOLD_TWICE = 0.3
"""So many plain orders of a marketplace come twice."""
PLENTY = 1_000_000
COMPLETED, REJECTED = frozenset({"completed"}), frozenset({"rejected"})
CANCELLED = "cancelled"


class Buyer(Struct, frozen=True, kw_only=True):
    """A kind of order."""

    name: str
    share: float
    account_id: str
    end: frozenset[str]
    via: Via = "portal"
    scarce: int = 0
    """So many of a product that has to come in first."""
    more: dict[str, Any] = {}
    extra: tuple[tuple[str, int], ...] = ()


BUYERS = (
    Buyer(name="on account", share=0.13, account_id="STADTWERKE", end=COMPLETED),
    Buyer(name="within its limit", share=0.08, account_id="ACME", end=COMPLETED),
    Buyer(name="by card", share=0.18, account_id="PIXELFAB", end=COMPLETED, more={"card_token": "card_ok"}),
    Buyer(
        name="from two warehouses", share=0.08, account_id="STADTWERKE", end=COMPLETED,
        extra=((IN_HAMBURG, 3), (IN_ROTTERDAM, 2)),
    ),
    Buyer(name="of high value", share=0.03, account_id="STADTWERKE", end=COMPLETED, extra=((DEAR, 300),)),
    Buyer(name="inside sales", share=0.07, account_id="VANDERMEER", end=COMPLETED, via="inside sales"),
    Buyer(name="partner", share=0.03, account_id="NORDLUFT", end=COMPLETED, via="partner"),
    Buyer(name="web shop", share=0.05, account_id="STADTWERKE", end=COMPLETED, via="web shop"),
    Buyer(name="north", share=0.04, account_id="STADTWERKE", end=COMPLETED, via="marketplace north"),
    Buyer(name="south", share=0.04, account_id="STADTWERKE", end=COMPLETED, via="marketplace south"),
    Buyer(
        name="partner that waits", share=0.04, account_id="NORDLUFT", end=COMPLETED, via="partner",
        more={"shortage": "ship_complete"}, scarce=3,
    ),
    Buyer(
        name="in parts", share=0.05, account_id="STADTWERKE", end=COMPLETED, more={"shortage": "ship_partial"}, scarce=2
    ),
    Buyer(
        name="web shop, declined", share=0.03, account_id="PIXELFAB", end=REJECTED, via="web shop",
        more={"card_token": "card_declined"},
    ),
    Buyer(
        name="declined card", share=0.06, account_id="PIXELFAB", end=REJECTED, more={"card_token": "card_declined"}
    ),
    Buyer(name="above its limit", share=0.04, account_id="TIGHTROPE", end=REJECTED, extra=(("BRG-22210", 7),)),
    Buyer(name="on hold", share=0.03, account_id="HOLDFAST", end=REJECTED),
    Buyer(name="unknown product", share=0.02, account_id="STADTWERKE", end=REJECTED, extra=(("NO-SUCH-THING", 1),)),
)  # fmt: skip
MANNERS: tuple[tuple[Manner, float], ...] = (
    ("doubled", 0.08),
    ("repeated", 0.06),
    ("cancelled", 0.14),
    ("amended", 0.1),
    ("again", 0.05),
    ("returned", 0.06),
)


class Wish(Struct, frozen=True, kw_only=True):
    """One order that a client wants."""

    number: int
    buyer: str
    account_id: str
    manner: Manner
    key: str
    reference: str
    path: str
    body: dict[str, Any]
    ends: frozenset[str]
    """The statuses in which it may end."""
    cut_after_s: float
    regret_after_s: float
    """When the client cancels or amends it, if it is one that does."""
    wait_s: int
    channel_order: dict[str, Any] | None = None
    """What its channel has to be told first; the order then names what came of it."""

    @property
    def client(self) -> str:
        """The client that sends it."""
        return self.account_id.lower() if self.path == PORTAL else SALES

    @property
    def waits_for_a_yes(self) -> bool:
        """Whether somebody else has to approve it."""
        return any(line["sku"] == DEAR for line in self.body["lines"])

    @property
    def scarce(self) -> str:
        """The product of it that has to come in first; empty where there is none."""
        return next((line["sku"] for line in self.body["lines"] if line["sku"] in SCARCE), "")

    @property
    def is_flagged_again(self) -> bool:
        """Whether one more that looks like it is taken and marked, and not refused."""
        return self.body.get("channel") in FLAGGING

    @property
    def amended_quantity(self) -> int:
        """How many of its first line the client wants instead, if it amends."""
        return int(self.body["lines"][0]["quantity"]) + 1

    @property
    def home(self) -> str:
        """Where the order is looked at and cancelled."""
        return PORTAL if self.path == PORTAL else ORDERS


def wish(seed: int, number: int, lost: float) -> Wish:
    """Order ``number`` of a run; ``lost`` is the share of clients that lose the answer."""
    buyer = _picked(chance(seed, "buyer", number), BUYERS)
    manner = _manner(chance(seed, "manner", number), lost)
    if manner == "again" and buyer.end != COMPLETED:
        manner = "plain"  # what was given up may be ordered again
    if manner == "plain" and SHOPS.get(buyer.via) in FLAGGING and chance(seed, "again", number) < SOLD_TWICE:
        manner = "again"
    reference = f"CHAOS-{seed}-{number}"
    lines = _lines(seed, number, buyer)
    body: dict[str, Any] = {
        "reference": reference,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        **buyer.more,
    }
    if buyer.via != "portal":
        body["account_id"] = buyer.account_id
    if buyer.via not in PATHS:
        body["channel"] = SHOPS.get(buyer.via, buyer.via)
    return Wish(
        number=number,
        buyer=buyer.name,
        account_id=buyer.account_id,
        manner=manner,
        key=f"chaos-{seed}-{number}",
        reference=reference,
        path=PATHS.get(buyer.via, ORDERS),
        body=body,
        ends=buyer.end | {CANCELLED} if manner == "cancelled" else buyer.end,
        cut_after_s=0.05 * chance(seed, "cut", number) ** 2,
        regret_after_s=0.8 * chance(seed, "regret", number) ** 2,
        wait_s=2 if chance(seed, "wait", number) < 0.1 else 0,
        channel_order=_channel_order(buyer, lines) if buyer.via in SHOPS else None,
    )


def _channel_order(buyer: Buyer, lines: list[tuple[str, int]]) -> dict[str, Any]:
    price = {"amount": {"amount_minor": CHANNEL_PRICE_MINOR, "currency": "EUR"}}
    return {
        "channel": SHOPS[buyer.via],
        "account_id": buyer.account_id,
        "lines": [{"sku": sku, "quantity": quantity, "unit_price": price} for sku, quantity in lines],
        "ship_to": SHOPPER,
    }


def _lines(seed: int, number: int, buyer: Buyer) -> list[tuple[str, int]]:
    first = int(chance(seed, "line", number) * len(SKUS))
    lines = [(SKUS[first], 1 + int(chance(seed, "quantity", number) * 4))]
    if chance(seed, "lines", number) < 0.5:
        lines.append((SKUS[(first + 1) % len(SKUS)], 2))
    if buyer.scarce:
        lines.append((SCARCE[number // SCARCE_FOR % len(SCARCE)], buyer.scarce))
    return lines + list(buyer.extra)


def _picked(at: float, buyers: tuple[Buyer, ...]) -> Buyer:
    for buyer in buyers:
        if at < buyer.share:
            return buyer
        at -= buyer.share
    return buyers[0]


def _manner(at: float, lost: float) -> Manner:
    if at < lost:
        return "cut"
    at -= lost
    for manner, share in MANNERS:
        if at < share:
            return manner
        at -= share
    return "plain"
