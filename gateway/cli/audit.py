"""``tiergate audit``: what was done, by whom and to what; whether the account of it is whole; erasing a person."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from gateway.cli.failure import Failure
from gateway.cli.here import settings_here

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from governance.audit import AuditEntry

COLUMNS = ("at", "outcome", "operation", "client", "subject", "acting_api", "accounts", "records", "request_id")


class Instant(click.ParamType[datetime]):
    """An instant such as 2026-11-21 or 2026-11-21T14:30:00Z; without a zone it is UTC."""

    name = "instant"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant: write 2026-11-21 or 2026-11-21T14:30:00Z.", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.group()
def command() -> None:
    """Read, verify and erase in the account of every change."""


@command.command("list")
@click.option("--since", type=Instant(), help="From this instant on.")
@click.option("--until", type=Instant(), help="Before this instant.")
@click.option("--client", default="", help="By this client.")
@click.option("--subject", default="", help="By this person: the subject of their token, or a reference.")
@click.option("--operation", default="", help="An operation id, or a pattern such as 'portal.*'.")
@click.option("--record", default="", help="A record id, such as an order's.")
@click.option("--account", default="", help="Records of this account.")
@click.option("--outcome", default="", help="ok, refused, or a problem type.")
@click.option("--request", default="", help="One request id.")
@click.option("--limit", type=click.IntRange(min=1), help="Show the last so many only.")
@click.option(
    "--format", "shape", type=click.Choice(["table", "jsonl", "csv"]), default="table", help="How. [default: table]"
)
def listed(limit: int | None, shape: str, subject: str, **wanted: Any) -> None:
    """List entries, the oldest first."""
    from governance.audit import Filter, names, reference_of, search

    folder = _folder()
    known: dict[str, str] = {}
    if folder.is_dir():
        known = _in_database(names)
        if subject and subject not in known:
            subject = _in_database(lambda connection: reference_of(connection, subject)) or subject
    found = search(folder, Filter(subject=subject, **wanted))
    shown = _last(found, limit)
    {"table": _table, "jsonl": _lines, "csv": _csv}[shape](shown, known)


@command.command("verify")
def verified() -> None:
    """Hold every journal to its chain and its anchor; exit code 1 where one is not whole."""
    from rich.console import Console
    from rich.table import Table

    from governance.audit import all_anchors, verify

    folder = _folder()
    verdicts = list(verify(folder, _in_database(all_anchors)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Journal", "Lines", "Verdict"):
        table.add_column(column, justify="right" if column == "Lines" else "left", overflow="fold")
    for one in verdicts:
        said = f"[red]{one.fault}[/red]" if one.fault else f"whole; {one.remark}" if one.remark else "whole"
        table.add_row(one.journal, str(one.lines), said)
    Console(highlight=False, soft_wrap=True).print(table if verdicts else "Nothing was audited yet.")
    broken = [one.journal for one in verdicts if one.fault]
    if broken:
        raise Failure(f"{len(broken)} of {len(verdicts)} journals are not whole.")


@command.command("erase")
@click.argument("subject")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erased(subject: str, yes: bool) -> None:
    """Cut the entries of SUBJECT off from the person for good; the entries and their chain stay."""
    from governance.audit import erase

    if not yes:
        click.confirm(f"Nobody will be able to tell what {subject} did. Go on?", abort=True)
    if not _in_database(lambda connection: erase(connection, subject), write=True):
        raise Failure(f"The audit knows nobody by the subject {subject}; nothing was changed.")
    click.echo(f"The audit no longer knows who {subject} was.")


def _folder() -> Path:
    return settings_here().home / "audit"


def _in_database(work: Callable[[sa.Connection], T], *, write: bool = False) -> T:
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from governance.database import open_engine

    settings = settings_here()
    if not settings.database.url and not (settings.home / "tiergate.sqlite").exists():
        raise Failure(f"{settings.home} has no audit yet: it begins when a gateway is served from it.")
    engine = open_engine(settings.home, settings.database.url, 1)
    try:
        with engine.begin() if write else engine.connect() as connection:
            return work(connection)
    except (OperationalError, ProgrammingError) as error:
        raise Failure(f"The database of the audit can't be read: {error.orig}.") from None
    finally:
        engine.dispose()


def _last(found: Iterator[AuditEntry], limit: int | None) -> Iterator[AuditEntry]:
    if limit is None:
        return found
    kept = list(found)
    return islice(kept, max(0, len(kept) - limit), None)


def _table(found: Iterator[AuditEntry], known: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Time (UTC)", "Outcome", "Operation", "By", "Account", "Record"):
        table.add_column(column, overflow="fold")
    for entry in found:
        by = known.get(entry.subject, entry.subject) or entry.client or "–"
        acting = f"{by} through {entry.acting_api}" if entry.acting_api else by
        time = entry.at.strftime("%Y-%m-%d %H:%M:%S")
        accounts, records = ", ".join(entry.accounts), ", ".join(entry.records)
        table.add_row(time, entry.outcome, entry.operation, acting, accounts, records)
    if not table.row_count:
        click.echo("No entry fits.")
        return
    Console(highlight=False, soft_wrap=True).print(table)


def _lines(found: Iterator[AuditEntry], known: dict[str, str]) -> None:
    import msgspec

    for entry in found:
        named = msgspec.structs.replace(entry, subject=known.get(entry.subject, entry.subject))
        click.echo(msgspec.json.encode(named))


def _csv(found: Iterator[AuditEntry], known: dict[str, str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow((*COLUMNS, "idempotency", "duration_ms"))
    for entry in found:
        row = {name: getattr(entry, name) for name in (*COLUMNS, "idempotency", "duration_ms")}
        row["at"] = entry.at.isoformat()
        row["subject"] = known.get(entry.subject, entry.subject)
        writer.writerow([_cell(value) for value in row.values()])


def _cell(value: object) -> str:
    """One cell; what a spreadsheet would take for a formula is quoted (CWE-1236)."""
    text = " ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
