"""Bodies and answers of notifications v1."""

from __future__ import annotations

from msgspec import Struct

from system_apis.canonical.values import AccountId
from system_apis.notifications.contents import (
    ApprovalNeeded,
    Content,
    ExceptionEscalated,
    InvoicePosted,
    MessageLine,
    OrderBackordered,
    OrderCancelled,
    OrderConfirmed,
    OrderDelayed,
    OrderRejected,
    OrderShipped,
    PaymentReminder,
    QuoteSent,
    ReturnAuthorised,
    ReturnClosed,
    ReturnCredited,
    SubscriptionDisabled,
    TemplateName,
)
from system_apis.notifications.messages import EmailAddress, Language, Message, MessageStatus, PersonName

__all__ = [
    "ApprovalNeeded",
    "Content",
    "EmailAddress",
    "ExceptionEscalated",
    "InvoicePosted",
    "Message",
    "MessageLine",
    "MessageStatus",
    "NewMessage",
    "OrderBackordered",
    "OrderCancelled",
    "OrderConfirmed",
    "OrderDelayed",
    "OrderRejected",
    "OrderShipped",
    "PaymentReminder",
    "QuoteSent",
    "ReturnAuthorised",
    "ReturnClosed",
    "ReturnCredited",
    "SubscriptionDisabled",
    "TemplateName",
]


class NewMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to one reader about one thing that concerns an account."""

    account_id: AccountId
    to: EmailAddress
    content: Content
    """What it is about: the template's name and its parameters."""
    to_name: PersonName = ""
    language: Language = "en"
    """The reader's; where no template is written in it, the nearest one, at last English."""
