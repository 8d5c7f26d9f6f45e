"""What two accounts own on a running gateway, and requests that name it: their own, each other's, or nobody's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

from governance.contract import Operation, Parameter
from governance.prove import Reply, sample_of
from governance.prove.samples import sample_value
from tests.conformance.conftest import Served
from tests.conformance.every_operation import OPERATIONS
from tests.conformance.troubles import troubled

OWNER, STRANGER, ATTACKER = "ACME", "NORDLUFT", "VANDERMEER"
"""Companies of the seed that have nothing to do with each other; all pay in euros."""
NOBODY = "NOBODY-7"
RECORDS: Mapping[str, tuple[str, str]] = {
    "channel_order_id": ("commerce.v1.create_channel_order", "channel_order_id"),
    "contact_id": ("crm.v1.create_contact", "contact_id"),
    "opportunity_id": ("crm.v1.create_opportunity", "opportunity_id"),
    "quote_id": ("crm.v1.create_quote", "quote_id"),
    "case_id": ("crm.v1.create_case", "case_id"),
    "reservations reference": ("erp.v1.reserve_stock", "reference"),
    "sales-orders reference": ("erp.v1.post_sales_order", "reference"),
    "sales_order_id": ("erp.v1.post_sales_order", "sales_order_id"),
    "invoices reference": ("erp.v1.post_invoice", "reference"),
    "invoice_id": ("erp.v1.post_invoice", "invoice_id"),
    "credit-memos reference": ("erp.v1.post_credit_memo", "reference"),
    "credit_memo_id": ("erp.v1.post_credit_memo", "credit_memo_id"),
    "received-payments reference": ("erp.v1.record_payment", "reference"),
    "received_payment_id": ("erp.v1.record_payment", "received_payment_id"),
    "returns reference": ("erp.v1.create_return", "reference"),
    "return_id": ("erp.v1.create_return", "return_id"),
    "payments reference": ("payments.v1.authorize", "reference"),
    "payment_id": ("payments.v1.authorize", "payment_id"),
    "shipments reference": ("logistics.v1.release_shipment", "reference"),
    "shipment_id": ("logistics.v1.release_shipment", "shipment_id"),
    "subscription_id": ("subscriptions.v1.create_subscription", "subscription_id"),
    "messages reference": ("notifications.v1.send_message", "reference"),
    "message_id": ("notifications.v1.send_message", "message_id"),
    "order_id": ("order_to_fulfillment.v1.place_order", "order_id"),
    "quote_to_cash quote_id": ("quote_to_cash.v1.request_quote", "quote_id"),
    "portal quote_id": ("quote_to_cash.v1.request_quote", "quote_id"),
    "returns return_id": ("returns.v1.create_return", "return_id"),
    "portal return_id": ("returns.v1.create_return", "return_id"),
}
"""Each name of an id, with the operation and the member that give it; a reference is told by the path that it is in."""
SAME_AS = {"subject_id": "order_id", "flow_id": "order_id", "any_id": "order_id"}
"""Members that name a record under another name."""


class Belongings(Struct, frozen=True):
    """An account and the ids of its records by name."""

    account: str
    ids: dict[str, str]

    def id_of(self, operation: Operation, name: str) -> str | None:
        """What stands for a parameter or member of this name; None where it names no record."""
        if name in operation.visibility.fields:
            return self.account
        if name == "reference":
            return self.ids.get(f"{operation.path.split('/')[4]} reference")
        own = self.ids.get(f"{operation.api_id.partition('.')[0]} {name}")  # two APIs may call theirs the same
        if own is not None:
            return own
        return self.ids.get(SAME_AS.get(name, name))


def nothing_of(account: str, other: Belongings) -> Belongings:
    """Ids of the same form that nothing has."""
    return Belongings(account, {name: _ghost(value) for name, value in other.ids.items()})


def _ghost(value: str) -> str:
    digits = [place for place, letter in enumerate(value) if letter.isdigit()]
    if len(digits) in (6, 8):  # a number in sequence: none is that high
        return "".join("9" if place in digits else letter for place, letter in enumerate(value))
    return value[:-4] + ("qqqq" if value[-4:].islower() else "QQQQ")


def mixed(account: str, ids: Belongings) -> Belongings:
    """Another's records under one's own account."""
    return Belongings(account, ids.ids)


def arguments_of(operation: Operation, whose: Belongings, *, filters: bool = False) -> dict[str, Any]:
    """The arguments that name the records; ``filters`` fills in the query of lists, too."""
    given: dict[str, Any] = {}
    for parameter in operation.parameters:
        known = whose.id_of(operation, parameter.name)
        if parameter.where == "body":
            given[parameter.name] = _body(operation, parameter, whose)
        elif parameter.where == "query" and parameter.name in operation.visibility.fields:
            given[parameter.name] = None
            if filters or parameter.required:
                given[parameter.name] = whose.account
        elif known is not None and (parameter.where == "path" or parameter.required or filters):
            given[parameter.name] = known
    return given


def _body(operation: Operation, parameter: Parameter, whose: Belongings) -> dict[str, Any]:
    body = cast("dict[str, Any]", sample_value(parameter.type))
    for field in msgspec.structs.fields(parameter.type):
        if field.name == "repeat":
            body["repeat"] = True  # every request here is meant, though it is like the one before
        if field.name == "reference":
            continue  # the customer's own word, no record's
        known = whose.id_of(operation, field.name)
        if known is not None:
            body[field.name] = known
    return body


def names_in(operation: Operation, whose: Belongings) -> frozenset[str]:
    """The ids of records, not of accounts, that a request of the operation names."""
    return frozenset(_texts(arguments_of(operation, whose, filters=True))) & frozenset(whose.ids.values())


def names_account(operation: Operation) -> bool:
    """Whether a request names the account that it is about."""
    body = operation.body
    members = {field.name for field in msgspec.structs.fields(body.type)} if body else set[str]()
    return bool(({one.name for one in operation.parameters} | members) & set(operation.visibility.fields))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in cast("dict[str, Any]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


async def belongings_of(served: Served, account: str, *, turn: int = 1) -> Belongings:
    """Make one record of each kind for the account, and others of its own with each turn."""
    found = Belongings(account, {})
    for name, (operation_id, member) in RECORDS.items():
        operation = OPERATIONS[operation_id]
        given = arguments_of(operation, found)
        if operation.body and "reference" in given[operation.body.name]:
            given[operation.body.name]["reference"] = f"PO-{account}-{turn}"  # the same order twice would be refused
        if name == "subscription_id":
            given["subscription"]["url"] = "https://127.0.0.1/nobody-listens"
        sample = sample_of(operation, key=f"belongings-{turn}-{account}-{operation_id}", given=given)
        token = served.token_of(operation, f"{account}-maker", account)
        headers = {**sample.headers, "Authorization": f"Bearer {token}", "Prefer": "wait=10"}
        reply: Reply = await served.send(sample.method, sample.target, headers, sample.body)
        assert reply.status == operation.success_status, (operation_id, given, reply.body)
        made = json.loads(reply.body)
        found.ids[name] = made[member]
    found.ids["event_id"] = await _delivered(served, found)
    flows = served.application.state.flows
    found.ids["exception_id"] = await troubled(flows, found.ids["order_id"], found.ids["channel_order_id"])
    return found


async def _delivered(served: Served, owner: Belongings) -> str:
    """The id of an event that is delivered to the owner's subscription; one that does not look like a number."""
    operation = OPERATIONS["subscriptions.v1.list_deliveries"]
    token = served.token_of(operation, f"{owner.account}-reader", owner.account)
    while True:
        sample = sample_of(operation, given=arguments_of(operation, owner))
        reply = await served.send("GET", sample.target, {**sample.headers, "Authorization": f"Bearer {token}"}, None)
        for item in json.loads(reply.body)["items"]:
            event_id = str(item["event_id"])
            if sum(letter.isdigit() for letter in event_id) not in (6, 8):
                return event_id
        await asyncio.sleep(0.05)
