"""The run: every control of the chosen operations against one gateway, and the evidence of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from gateway.proving.credentials import Credentials
from governance.call import Clock
from governance.contract.operation import Operation
from governance.evidence import Record, Summary, build_of, records_of, summary_of
from governance.evidence.archive import run_id
from governance.evidence.record import Observed
from governance.prove import Prober, Proof
from governance.prove.http import http_sender
from governance.prove.pace import Courteous, Pace
from governance.prove.records import arguments_of_records
from governance.prove.run import Subject, prove_all

Watch = Callable[[Operation, Sequence[Proof]], None]
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


class Choice(Struct, frozen=True, kw_only=True):
    """Which operations are proved; what is left empty chooses all."""

    tiers: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    """Names or ids, such as ``portal`` or ``portal.v1``."""
    operations: tuple[str, ...] = ()
    """Ids or patterns of them, such as ``erp.v1.get_*``."""

    def of(self, operations: Sequence[Operation]) -> tuple[Operation, ...]:
        """Those that are chosen."""
        return tuple(
            one
            for one in operations
            if (not self.tiers or one.tier in self.tiers)
            and (not self.apis or one.api_id in self.apis or one.api_id.rpartition(".")[0] in self.apis)
            and (not self.operations or any(fnmatchcase(one.id, pattern) for pattern in self.operations))
        )


class Campaign(Struct, frozen=True, kw_only=True):
    """Everything about one run."""

    url: str
    urls: dict[str, str] = {}
    """Tier to the base URL of its process, where that is another one."""
    subject: Subject
    operations: tuple[Operation, ...]
    credentials: Credentials
    pace: Pace = Pace()
    full: bool = False


async def prove(campaign: Campaign, clock: Clock, watch: Watch) -> tuple[list[Record], Summary]:
    """Run it.

    Raises:
        Unreachable: the gateway does not answer.
    """
    run = run_id(clock)
    began = f"{clock.now():{INSTANT}}"
    observed: list[Observed] = []

    def seen(operation: Operation, proofs: Sequence[Proof]) -> None:
        time = f"{clock.now():{INSTANT}}"
        observed.extend(Observed(time=time, proof=proof) for proof in proofs)
        watch(operation, proofs)

    most = campaign.subject.max_body_bytes
    async with http_sender(campaign.urls, campaign.url, at_once=campaign.pace.at_once, most_body_bytes=most) as send:
        polite = Courteous(send, campaign.pace, clock)
        whose = campaign.credentials
        records = await arguments_of_records(
            campaign.subject.apis, campaign.operations, polite, whose.tokens, whose.account
        )
        prober = Prober(
            polite,
            whose.tokens,
            run=run.rpartition("-")[2],
            full=campaign.full,
            account=whose.account,
            arguments=records,
            bad_token_turn=polite.bad_tokens.turn,
            clock=clock,
        )
        await prove_all(campaign.subject, campaign.operations, prober, polite, seen)
    build = build_of(campaign.subject.apis, campaign.subject.policies)
    ended = f"{clock.now():{INSTANT}}"
    findings = campaign.subject.findings()
    evidence = list(records_of(run, build, campaign.operations, observed, findings, time=ended))
    summary = summary_of(
        evidence, url=campaign.url, began=began, ended=ended, requests=polite.requests, run=run, build=build
    )
    return evidence, summary
