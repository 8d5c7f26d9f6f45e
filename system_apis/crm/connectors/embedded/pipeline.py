"""Opportunities in the embedded CRM: from a first talk to won or lost, which are final."""

from __future__ import annotations

import sqlite3

import msgspec
from msgspec import Struct

from system_apis.canonical.entities import Opportunity
from system_apis.canonical.refusals import WrongState
from system_apis.crm.connectors.embedded.cabinet import OPPORTUNITIES, Cabinet, refuse_unknown
from system_apis.crm.drafts import NewOpportunity, OpportunityStage
from system_apis.embedded import among

FINAL = ("won", "lost")


class _Move(Struct, frozen=True):
    stage: OpportunityStage


class Pipeline(Cabinet):
    """The opportunities of the embedded CRM's ``PipelinePort``."""

    async def create_opportunity(self, opportunity: NewOpportunity, reference: str) -> Opportunity:
        """Note an opportunity."""
        return await self.file.write(lambda connection: store_opportunity(connection, opportunity, reference))

    async def get_opportunity(self, opportunity_id: str) -> Opportunity:
        """The opportunity."""
        return await self.file.read(lambda connection: OPPORTUNITIES.get(connection, opportunity_id))

    async def find_opportunity_by_reference(self, reference: str) -> Opportunity | None:
        """The opportunity that ``reference`` made or moved."""
        return await self.file.read(lambda connection: OPPORTUNITIES.find(connection, reference))

    async def list_opportunities(
        self, *, account_ids: tuple[str, ...] | None, stage: str | None, after: str | None, limit: int
    ) -> tuple[Opportunity, ...]:
        """Opportunities by number."""
        matches = (among("account_id", account_ids), ("stage = ?", stage))
        return await self.file.read(lambda connection: OPPORTUNITIES.page(connection, matches, after, limit))

    async def move_opportunity(
        self, opportunity_id: str, account_id: str, stage: OpportunityStage, reference: str
    ) -> Opportunity:
        """Move the opportunity."""

        def step(opportunity: Opportunity) -> Opportunity:
            if opportunity.stage in FINAL:
                raise WrongState(record_id=opportunity_id, state=opportunity.stage, needs="an open stage")
            return msgspec.structs.replace(opportunity, stage=stage)

        return await self.file.write(
            lambda connection: OPPORTUNITIES.change(
                connection, opportunity_id, account_id, reference, "move", step, _Move(stage)
            )
        )


def store_opportunity(connection: sqlite3.Connection, draft: NewOpportunity, reference: str) -> Opportunity:
    """Write the opportunity, once per reference."""
    refuse_unknown(connection, draft.account_id)
    fields = msgspec.structs.asdict(draft)
    return OPPORTUNITIES.create(
        connection,
        reference,
        draft,
        lambda number: Opportunity(opportunity_id=number, reference=reference, **fields),
    )
