"""The bodies of CRM v1 that are not canonical entities.

Drafts are the port's own; the bodies of actions belong to this version alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, Text
from system_apis.crm.drafts import (
    AccountDetails,
    ActivityKind,
    NewActivity,
    NewCase,
    NewContact,
    NewOpportunity,
    NewQuote,
    NewQuoteLine,
    OpportunityStage,
    OrderId,
    QuoteRevision,
)

AccountStatus = Literal["active", "on_hold", "closed"]
CaseStatus = Literal["open", "waiting", "closed"]
QuoteStatus = Literal["draft", "sent", "accepted", "declined", "expired", "ordered"]
SearchText = Annotated[str, Meta(min_length=1, max_length=200, description="Part of a name or number, in any case.")]


class ForAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record the change is for; a record of another account is not found."""

    account_id: AccountId


class OpportunityMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose opportunity it is, and the stage it goes to."""

    account_id: AccountId
    stage: OpportunityStage


class QuoteOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose quote it is, and the order it became."""

    account_id: AccountId
    order_id: Annotated[str, Meta(min_length=1, max_length=80)]


class CaseClosing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose case it is, and how it was settled."""

    account_id: AccountId
    resolution: Text = ""


__all__ = [
    "AccountDetails",
    "AccountStatus",
    "ActivityKind",
    "CaseClosing",
    "CaseStatus",
    "ForAccount",
    "NewActivity",
    "NewCase",
    "NewContact",
    "NewOpportunity",
    "NewQuote",
    "NewQuoteLine",
    "OpportunityMove",
    "OpportunityStage",
    "OrderId",
    "QuoteOrder",
    "QuoteRevision",
    "QuoteStatus",
    "SearchText",
]
