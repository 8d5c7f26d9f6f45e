"""The business refusals: raised by connectors, listed by contracts, caught by flows.

A record that is not there is ``governance.contract.NotFound`` wherever records belong to somebody.
"""

from __future__ import annotations

from datetime import date

from governance.contract.problems import Refusal
from system_apis.canonical.values import AccountId, Country, Level, Money, RecordId, Sku


class UnknownProduct(Refusal, status=404, type="unknown-product", title="There is no such product."):
    """The ERP has no product of this SKU."""

    sku: Sku


class UnknownAccount(Refusal, status=404, type="unknown-account", title="There is no such account."):
    """CRM or ERP does not know the account."""

    account_id: AccountId


class HierarchyLoop(Refusal, status=409, type="hierarchy-loop", title="An account can't stand below itself."):
    """The parent that was given is the account itself or one of those below it."""

    account_id: AccountId
    parent_id: AccountId


class InsufficientStock(Refusal, status=409, type="insufficient-stock", title="Not enough stock."):
    """Less is available than was asked for; nothing was reserved."""

    sku: Sku
    requested: Level
    available: Level


class CreditLimitExceeded(
    Refusal, status=409, type="credit-limit-exceeded", title="The credit limit would be exceeded."
):
    """The order is worth more than the account's headroom."""

    account_id: AccountId
    headroom: Money
    required: Money


class AccountOnHold(Refusal, status=409, type="account-on-hold", title="The account is on hold."):
    """No order is taken from this account until somebody lifts the hold."""

    account_id: AccountId


class CurrencyMismatch(Refusal, status=409, type="currency-mismatch", title="One order has one currency."):
    """An agreed price or a payment is not in the account's currency."""

    expected: str
    given: str


class ReferenceTaken(Refusal, status=409, type="reference-taken", title="The reference belongs to another record."):
    """The same external reference came with other content; the first one stands."""

    reference: str
    record_id: str


class Tombstoned(Refusal, status=409, type="undone-already", title="This was undone before it was done."):
    """An undo came first and left its mark, so the late original is refused."""

    reference: str


class WrongState(Refusal, status=409, type="wrong-state", title="The record's state does not allow this."):
    """The record exists but has moved on, such as a cancelled order that is asked to ship."""

    record_id: RecordId
    state: str
    needs: str = ""


class AlreadyShipped(Refusal, status=409, type="already-shipped", title="The goods have left."):
    """After dispatch only a return undoes an order."""

    record_id: RecordId


class PaymentDeclined(Refusal, status=402, type="payment-declined", title="The card was declined."):
    """The payment provider said no; asking again with the same card will not help."""

    reason: str


class AmountExceeded(Refusal, status=409, type="amount-exceeded", title="More than is left was asked for."):
    """A capture, refund or payment is above what remains."""

    remaining: Money
    requested: Money


class QuantityExceeded(Refusal, status=409, type="quantity-exceeded", title="More units than are left were asked for."):
    """An invoice or a return asks for more units than the order has left for it."""

    sku: Sku
    remaining: Level
    requested: Level


class NoTaxRate(Refusal, status=409, type="no-tax-rate", title="There is no tax rate for this."):
    """The ERP has no rate of this tax category in this country, so no price can be made."""

    country: Country
    tax_category: str


class MessageRefused(Refusal, status=409, type="message-refused", title="The message can't be delivered."):
    """The mail system refuses it for good: the address is unknown there, or the message is not wanted.

    ``code`` is the reply code that it gave (RFC 5321 §4.2), such as 550.
    """

    code: int


class DuplicateOrder(Refusal, status=409, type="duplicate-order", title="The same was ordered a moment ago."):
    """An order of this account asks for the same lines under the same reference; it was not said that it is meant.

    ``order_id`` is the order that came first.
    """

    order_id: RecordId


class ChannelRefused(Refusal, status=409, type="channel-refused", title="The channel does not take such an order."):
    """The order breaks a rule of the channel that it came by; ``field`` names what is wrong or missing."""

    channel: str
    field: str


class OtherSalesOrder(Refusal, status=422, type="other-sales-order", title="The sales order is not the order's."):
    """The ERP did not post ``sales_order_id`` for ``order_id``; ``field`` names what to correct."""

    order_id: RecordId
    sales_order_id: RecordId
    field: str


class ReturnWindowClosed(Refusal, status=409, type="return-window-closed", title="It is too late to return this."):
    """Goods could be returned until ``closed_on``."""

    closed_on: date


class ReturnNotAuthorised(Refusal, status=409, type="return-not-authorised", title="The return was not authorised."):
    """Somebody looked at it and said no."""

    return_id: RecordId


class ReturnExpired(Refusal, status=409, type="return-expired", title="The goods did not come back in time."):
    """They should have been here by ``due_on``; what is still to be returned needs a new return."""

    due_on: date


class FourEyes(Refusal, status=409, type="four-eyes", title="Somebody else has to decide."):
    """Who asked for something of high value can't approve it as well."""

    record_id: RecordId


class NotApproved(Refusal, status=409, type="not-approved", title="It was not approved."):
    """Somebody said no, or nobody said yes in time."""

    record_id: RecordId


class QuoteExpired(Refusal, status=409, type="quote-expired", title="The quote is no longer valid."):
    """It could be accepted until the end of ``valid_until``."""

    valid_until: date


class QuoteSuperseded(Refusal, status=409, type="quote-superseded", title="The quote has a newer revision."):
    """Only the newest ``revision`` of a quote can be accepted."""

    quote_id: RecordId
    revision: int


class QuoteDeclined(Refusal, status=409, type="quote-declined", title="The quote was declined."):
    """The customer said no; ``detail`` says why, where a reason was given."""

    quote_id: RecordId


class UnknownLink(Refusal, status=404, type="unknown-link", title="There is nothing behind this link."):
    """It was not made here, or is for something else; which of the two is not told."""


class InvoiceUnpaid(
    Refusal, status=409, type="invoice-unpaid", title="An invoice is not paid after its last reminder."
):
    """Every reminder was sent, the account is on hold, and the money has not come."""

    invoice_id: RecordId
    open: Money
