"""``tiergate trace``: one business process over all tiers and systems, found by any of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gateway.cli.asking import Gateway, reaching
from gateway.cli.durations import duration, moment
from gateway.cli.failure import Failure

if TYPE_CHECKING:
    from rich.console import Console

TIMELINES = "/process/timeline/v1/timelines"
BAR = 24
MOST = 200
COLOURS = {"refused": "red", "failed": "red", "rejected": "red", "cancelled": "yellow", "under_way": "cyan"}


@click.command()
@click.argument("number", metavar="ID")
@click.option("--calls", is_flag=True, help="Show every call below its step.")
@click.option("--json", "as_json", is_flag=True, help="Print the timeline as the API answers it.")
@reaching
def command(
    number: str,
    calls: bool,
    as_json: bool,
    url: str | None,
    token: str | None,
    client: str | None,
    secret: str | None,
) -> None:
    """Tell what was done for an order, a quote or a return, by whom, and where the time went.

    ID is its own id, the customer's reference, an invoice, a shipment, a payment, or the idempotency
    key that it was sent with. Of several processes the newest is told, and the others are named.
    """
    gateway = Gateway.reached(url, token, client, secret)
    found = list(gateway.every(TIMELINES, MOST, any_id=number))
    if not found:
        raise Failure(f"No process is known by {number}. Check the number, and whose accounts your client sees.")
    timeline = gateway.get(f"{TIMELINES}/{found[0]['flow_id']}")
    if as_json:
        click.echo(_json(timeline))
        return
    from rich.console import Console

    console = Console(highlight=False)
    if len(found) > 1:
        others = ", ".join(one["flow_id"] for one in found[1:6]) + (" …" if len(found) > 6 else "")
        console.print(
            f"{len(found)} processes are known by {number}; this is the newest. Others: {others}", style="dim"
        )
    _tell(console, timeline, calls=calls)


def _json(timeline: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(timeline), indent=2).decode()


def _tell(console: Console, timeline: Any, *, calls: bool) -> None:
    status = timeline["status"] or "under way"
    console.print(f"[bold]{timeline['flow_id']}[/bold]  {timeline['flow']} of {timeline['account_id']}")
    console.print(
        f"{status} after {duration(timeline['elapsed_ms'])}: {duration(timeline['working_ms'])} of work, "
        f"{duration(timeline['waiting_ms'])} of waiting"
        if timeline["ended_at"]
        else f"{status}, at {timeline['stage']} since {_since(timeline)}; begun {duration(timeline['elapsed_ms'])} ago"
    )
    console.print(
        f"Accepted {moment(timeline['started_at'])} UTC, sent by {timeline['client']}; owner: {timeline['owner']}"
    )
    known = ", ".join(f"{one['kind']} {one['value']}" for one in timeline["ids"] if one["value"] != timeline["flow_id"])
    console.print(f"Known as: {known}" if known else "Known by its own id only.", soft_wrap=True)
    request = f"Request {timeline['request_id']}"
    console.print(request + (f", trace {timeline['trace_id']}" if timeline["trace_id"] else ""), style="dim")
    console.print()
    _steps(console, timeline, calls=calls)
    _beside(console, timeline)


def _since(timeline: Any) -> str:
    return moment(timeline["steps"][-1]["began_at"]) if timeline["steps"] else moment(timeline["started_at"])


def _steps(console: Console, timeline: Any, *, calls: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, justify in (
        ("Step", "left"), ("After", "right"), ("Took", "right"), ("", "left"), ("Worked", "right"), ("Outcome", "left"),
        ("Owner", "left"),
    ):  # fmt: skip
        table.add_column(column, justify=justify, no_wrap=column in ("After", "Took", ""))  # type: ignore[arg-type]
    longest = max((step["elapsed_ms"] for step in timeline["steps"]), default=0)
    for step in timeline["steps"]:
        after = _milliseconds(timeline["started_at"], step["began_at"])
        table.add_row(
            step["step"], duration(after), duration(step["elapsed_ms"]), _bar(step, longest),
            duration(step["working_ms"]), Text(_outcome(step), style=COLOURS.get(step["outcome"], "")), _owners(step),
        )  # fmt: skip
        for call in step["calls"] if calls else ():
            at = duration(_milliseconds(timeline["started_at"], call["at"]))
            words = Text(f"  {call['api']} {call['operation']}: {call['outcome']}", style="dim")
            table.add_row(
                words, at, duration(call["duration_ms"]), "", "", Text(call["detail"], style="dim"), call["owner"]
            )
    console.print(table)


def _bar(step: Any, longest_ms: int) -> str:
    """How long the step took beside the longest; the dark part is work."""
    if not longest_ms:
        return ""
    whole = max(1, round(step["elapsed_ms"] / longest_ms * BAR)) if step["elapsed_ms"] else 0
    worked = round(whole * step["working_ms"] / step["elapsed_ms"]) if step["elapsed_ms"] else 0
    return "█" * worked + "░" * (whole - worked)


def _outcome(step: Any) -> str:
    said = step["outcome"].replace("_", " ")
    failures = step["failures"]
    return f"{said}, {failures} failed" if failures and step["outcome"] == "done" else said


def _owners(step: Any) -> str:
    return ", ".join(dict.fromkeys(call["owner"] for call in step["calls"] if call["owner"]))


def _beside(console: Console, timeline: Any) -> None:
    """What else belongs to it: exceptions, signals, events and kin."""
    for one in timeline["exceptions"]:
        who = one["assignee"] or "nobody"
        end = f"{one['choice'] or one['status']} {moment(one['settled_at'])}" if one["settled_at"] else f"with {who}"
        console.print(f"Exception {one['exception_id']} in {one['queue']} at {one['step']}: {one['reason']} ({end})")
    for one in timeline["signals"]:
        console.print(f"Signal {one['name']} {moment(one['at'])}")
    if timeline["events"]:
        told = ", ".join(one["type"] for one in timeline["events"])
        console.print(f"Events: {told}", soft_wrap=True)
    for one in timeline["related"]:
        console.print(f"{one['relation'].replace('_', ' ').capitalize()}: {one['flow']} {one['flow_id']}")


def _milliseconds(start: str, end: str) -> int:
    from datetime import datetime

    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1_000)
