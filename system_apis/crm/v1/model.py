"""The bodies of CRM v1 that are not canonical entities.

Drafts are the port's own; the bodies of actions belong to this version alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import Text
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


class OpportunityMove(Struct, frozen=True, kw_only=True):
    """The stage an opportunity goes to."""

    stage: OpportunityStage


class QuoteOrder(Struct, frozen=True, kw_only=True):
    """The order an accepted quote became."""

    order_id: Annotated[str, Meta(min_length=1, max_length=80)]


class CaseClosing(Struct, frozen=True, kw_only=True):
    """How a case was settled."""

    resolution: Text = ""


__all__ = [
    "AccountDetails",
    "AccountStatus",
    "ActivityKind",
    "CaseClosing",
    "CaseStatus",
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
