"""``tiergate prove``: every promise of governance, asked of a running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import environment, settings_here

if TYPE_CHECKING:  # imported when it runs, so that the command line starts fast
    from gateway.proving.campaign import Campaign, Choice, Watch
    from gateway.proving.credentials import Given
    from gateway.settings import Settings
    from governance.contract.operation import Operation
    from governance.evidence import Record, Summary
    from governance.prove.pace import Pace

SHOWN_GAPS = 20
BAD_TOKENS_PER_S = 50.0
PART_OF_BAD_TOKENS = 0.8
"""Of what a peer may send before it is held back."""


@click.command()
@click.option("--url", metavar="URL", help="The gateway's base URL. [default: as in the settings here]")
@click.option("--token", envvar="TIERGATE_TOKEN", help="An access token to prove with.")
@click.option("--client", metavar="ID", help="A client of the gateway's issuer to prove with.")
@click.option("--secret", envvar="TIERGATE_CLIENT_SECRET", help="Its secret.")
@click.option("--account", metavar="ID", help="The account to prove with. [default: the token's first, or ACME]")
@click.option(
    "--tier", "tiers", multiple=True, type=click.Choice(["system", "process", "experience"]), help="This tier."
)
@click.option("--api", "apis", multiple=True, metavar="API", help="This API, such as portal or portal.v1.")
@click.option("--operation", "operations", multiple=True, metavar="ID", help="This one, or a pattern: erp.v1.get_*.")
@click.option("--full", is_flag=True, help="Run writes as well: they have effects.")
@click.option(
    "--rate", type=click.FloatRange(1, 10_000), default=400, show_default=True, help="Requests a second at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary and every gap as JSON.")
@click.option("--sarif", type=click.Path(dir_okay=False, path_type=Path), help="Write what is to do as SARIF 2.1.0.")
@click.option("--evidence", type=click.Path(file_okay=False, path_type=Path), help="Folder. [default: <home>/evidence]")
@click.option("--allow-unproved", is_flag=True, help="Exit with 0 where nothing failed, though not all is proved.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all local state. [default: var]")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file. [default: tiergate.toml]")
def command(
    url: str | None,
    token: str | None,
    client: str | None,
    secret: str | None,
    account: str | None,
    tiers: tuple[str, ...],
    apis: tuple[str, ...],
    operations: tuple[str, ...],
    full: bool,
    rate: float,
    as_json: bool,
    sarif: Path | None,
    evidence: Path | None,
    allow_unproved: bool,
    home: Path | None,
    config: Path | None,
) -> None:
    """Prove every control of every operation on a running gateway, and keep the evidence.

    Nothing has an effect: writes end where their implementation would begin. Exits with 1 where a
    control failed or could not be proved. docs/prove.md explains the controls.
    """
    from gateway.proving.campaign import Choice
    from gateway.proving.credentials import Given
    from governance.evidence import Archive, EvidenceError
    from governance.evidence.sarif import sarif as as_sarif

    settings = settings_here(environment(home=home, config=config))
    archive = Archive(evidence or settings.home / "evidence")
    given = Given(token=token or "", client_id=client or "", secret=secret or "", account=account or "")
    choice = Choice(tiers=tiers, apis=apis, operations=operations)
    try:
        archive.prepare()
        campaign = _campaign(settings, url, given, choice, rate=rate, full=full)
        records, summary = _run(campaign)
        kept = archive.keep(records, summary)
        if sarif:
            _write(sarif, as_sarif(records, summary.build, summary.url))
    except EvidenceError as error:
        raise Failure(str(error)) from None
    gaps = [record for record in records if record.outcome in ("failed", "unproved")]
    if as_json:
        _print_json(summary, gaps)
    else:
        _show(summary, gaps, kept)
    if summary.failed or (summary.unproved and not allow_unproved):
        raise click.exceptions.Exit(1)


def _campaign(
    settings: Settings, url: str | None, given: Given, choice: Choice, *, rate: float, full: bool
) -> Campaign:
    from gateway.proving.campaign import Campaign
    from gateway.proving.credentials import NoCredentials, credentials
    from gateway.proving.subject import subject_of
    from gateway.settings import TIERS, SettingsError
    from governance.contract import ContractError
    from governance.identity import KeyFileError

    try:
        subject = subject_of(settings)
        operations = choice.of(subject.operations)
        if not operations:
            raise Failure("No operation is chosen; tiergate apis lists them.", exit_code=CONFIGURATION)
        base_url = (url or settings.local_url).rstrip("/")
        _demand_answer(base_url)
        return Campaign(
            url=base_url,
            urls={} if url else {tier: there for tier in TIERS if (there := settings.remote_url(tier))},
            subject=subject,
            operations=operations,
            credentials=credentials(settings, base_url, given),
            pace=_pace(settings, rate),
            full=full,
        )
    except SettingsError as error:
        raise Failure(*error.violations, exit_code=CONFIGURATION) from None
    except (ContractError, NoCredentials) as error:
        raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None
    except KeyFileError as error:
        raise Failure(str(error)) from None


def _demand_answer(base_url: str) -> None:
    import httpx2

    try:
        httpx2.get(f"{base_url}/healthz", timeout=10.0)
    except httpx2.HTTPError as error:
        raise Failure(f"No gateway answers at {base_url} ({error}); start one with: tiergate serve") from None


def _pace(settings: Settings, rate: float) -> Pace:
    from governance.prove.pace import Pace

    allowed = settings.policies.get("authentication", {}).get("failures_per_s", BAD_TOKENS_PER_S)
    return Pace(per_s=rate, bad_tokens_per_s=min(rate, allowed * PART_OF_BAD_TOKENS))


def _run(campaign: Campaign) -> tuple[list[Record], Summary]:
    from gateway.proving.campaign import prove
    from gateway.proving.credentials import NoCredentials
    from governance.call import SystemClock
    from governance.prove.http import Unreachable

    with _progress(len(campaign.operations)) as watch:
        try:
            return asyncio.run(prove(campaign, SystemClock(), watch))
        except (Unreachable, NoCredentials) as error:
            raise Failure(f"The run ended early: {error}") from None


@contextmanager
def _progress(operations: int) -> Generator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("Operations", total=operations)

        def watch(operation: Operation, proofs: Sequence[object]) -> None:
            bars.advance(task)

        yield watch


def _write(path: Path, document: object) -> None:
    import msgspec

    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    except OSError as error:
        raise Failure(f"{path} can't be written: {(error.strerror or str(error)).lower()}.") from None


def _print_json(summary: Summary, gaps: Sequence[Record]) -> None:
    import msgspec

    text = msgspec.json.encode({"summary": summary, "gaps": gaps})
    click.echo(msgspec.json.format(text, indent=2).decode())


def _show(summary: Summary, gaps: Sequence[Record], kept: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Control")
    table.add_column("What holds", overflow="fold")
    for column in ("Held", "Failed", "Unproved"):
        table.add_column(column, justify="right")
    for row in summary.controls:
        if not row.noted:
            table.add_row(row.control, row.title, *_counts(row.held, row.failed, row.unproved))
    console.print(table)
    for gap in gaps[:SHOWN_GAPS]:
        case = f" ({gap.case})" if gap.case else ""
        style = "red" if gap.outcome == "failed" else "yellow"
        console.print(f"\n{gap.control} {gap.operation}{case}: {gap.title}", style=style, markup=False)
        console.print(f"  expected {gap.expectation}\n  observed {gap.observation}", markup=False)
    if len(gaps) > SHOWN_GAPS:
        console.print(f"\nand {len(gaps) - SHOWN_GAPS:,} more gaps", markup=False)
    noted = sum(row.noted for row in summary.controls)
    console.print(
        f"\n{summary.operations:,} operations, {len(summary.controls):,} controls, {summary.proofs:,} proofs by "
        f"{summary.requests:,} requests: {_verdict(summary)}" + (f" {noted:,} static warnings." if noted else ""),
        markup=False,
    )
    console.print(f"Evidence: {kept}", markup=False, soft_wrap=True)


def _counts(*counts: int) -> tuple[str, ...]:
    return tuple(f"{count:,}" if count else "·" for count in counts)


def _verdict(summary: Summary) -> str:
    if not summary.gaps:
        return "all held."
    said = [f"{summary.failed:,} failed"] * bool(summary.failed) + [f"{summary.unproved:,} unproved"] * bool(
        summary.unproved
    )
    return " and ".join(said) + "."
