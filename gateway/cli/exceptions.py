"""``tiergate exceptions``: what processes could not settle by themselves, for the people who can."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.asking import Gateway, reaching
from gateway.cli.durations import duration, moment, until
from gateway.cli.failure import CONFIGURATION, Failure

if TYPE_CHECKING:
    from rich.table import Table

API = "/process/exceptions/v1"
LIST = f"{API}/exceptions"
MANY = 50


@click.group()
def command() -> None:
    """Look at exceptions, give them to people, and settle them.

    Everything is asked of the running gateway, in the name of your client, and stands in its audit.
    """


@command.command("queues")
@reaching
def queues(**who: Any) -> None:
    """Show every queue: its team, its due time, and how much waits in it."""
    rows = Gateway.reached(**who).get(f"{API}/queues")["queues"]
    table = _table("Queue", "Team", "Due within", "#Open", "#Unassigned", "#Overdue", "Next due (UTC)")
    for one in rows:
        table.add_row(
            one["queue"], one["owner"], duration(one["due_s"] * 1_000), str(one["open"]), str(one["unassigned"]),
            str(one["overdue"]), moment(one["next_due_at"]),
        )  # fmt: skip
    _print(table)


@command.command("list")
@click.option("--queue", help="Of this queue, such as stock.")
@click.option("--status", type=click.Choice(["open", "settled", "closed", "all"]), default="open", show_default=True)
@click.option("--assignee", help="Those that this person has.")
@click.option("--unassigned", is_flag=True, help="Those that nobody has.")
@click.option("--account", "account_id", help="Of this account.")
@click.option("--flow", help="Of this process, such as order_to_fulfillment.")
@click.option("--id", "flow_id", help="Of this order, quote or return.")
@click.option("--step", help="Stuck at this step.")
@click.option("--problem", help="With this problem type, such as wrong-state.")
@click.option("--limit", type=click.IntRange(min=1), default=MANY, show_default=True, help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@reaching
def listed(status: str, limit: int, unassigned: bool, as_json: bool, **given: Any) -> None:
    """List exceptions, those first that are due first."""
    gateway = Gateway.reached(**_who(given))
    asked = {**given, "status": None if status == "all" else status, "unassigned": "true" if unassigned else None}
    if status == "all":
        wanted = ("open", "settled", "closed")
        found = [one for each in wanted for one in gateway.every(LIST, limit, **{**asked, "status": each})][:limit]
    else:
        found = list(gateway.every(LIST, limit, **asked))
    if as_json:
        _print_lines(found)
        return
    if not found:
        click.echo("No exception fits.")
        return
    now = datetime.now(UTC)
    table = _table("Exception", "Queue", "Due", "Process", "Account", "Step", "Problem", "With")
    for one in found:
        due = until(one["due_at"], now) if one["status"] == "open" else one["status"]
        style = "red" if one["overdue"] else ""
        table.add_row(
            one["exception_id"], one["queue"], due, one["flow_id"], one["account_id"], one["step"], one["problem"],
            one["assignee"] or "–", style=style,
        )  # fmt: skip
    _print(table)


@command.command("show")
@click.argument("exception_id", metavar="EXCEPTION")
@click.option("--json", "as_json", is_flag=True, help="As the API answers it.")
@reaching
def shown(exception_id: str, as_json: bool, **who: Any) -> None:
    """Show an exception with its evidence, and what each choice would do."""
    one = Gateway.reached(**who).get(f"{LIST}/{exception_id}")
    if as_json:
        _print_lines([one])
        return
    _tell(one)


@command.command("assign")
@click.argument("exception_id", metavar="EXCEPTION")
@click.argument("person")
@reaching
def assigned(exception_id: str, person: str, **who: Any) -> None:
    """Give an exception to PERSON."""
    one = _assign(Gateway.reached(**who), exception_id, person)
    click.echo(f"{exception_id} is with {one['assignee']}.")


@command.command("unassign")
@click.argument("exception_id", metavar="EXCEPTION")
@reaching
def unassigned(exception_id: str, **who: Any) -> None:
    """Give an exception back to its queue."""
    one = _assign(Gateway.reached(**who), exception_id, None)
    click.echo(f"{exception_id} is back in {one['queue']}.")


@command.command("comment")
@click.argument("exception_id", metavar="EXCEPTION")
@click.argument("text")
@reaching
def commented(exception_id: str, text: str, **who: Any) -> None:
    """Leave TEXT for whoever works on it next."""
    gateway = Gateway.reached(**who)
    account_id = gateway.get(f"{LIST}/{exception_id}")["account_id"]
    gateway.post(f"{LIST}/{exception_id}/comments", {"account_id": account_id, "text": text})
    click.echo(f"Your remark is with {exception_id}.")


@command.command("settle")
@click.argument("exception_id", metavar="EXCEPTION")
@click.argument("choice", type=click.Choice(["retry", "skip", "amend", "cancel"]))
@click.option("--reason", required=True, help="Why, for those who read it later.")
@click.option("--amendment", default="", help="With amend: what changes, as a JSON object.")
@click.option("--revision", type=click.IntRange(min=0), help="The one that you saw. [default: what it is now]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@reaching
def settled(
    exception_id: str, choice: str, reason: str, amendment: str, revision: int | None, yes: bool, **who: Any
) -> None:
    """Settle an exception by retry, skip, amend or cancel."""
    gateway = Gateway.reached(**who)
    one = gateway.get(f"{LIST}/{exception_id}")
    would = {each["choice"]: each["would"] for each in one["would"]}
    if one["status"] == "open" and choice not in would:
        offered = ", ".join(would)
        raise Failure(f"{one['step']} can't be settled by {choice}; open are: {offered}.", exit_code=CONFIGURATION)
    if one["status"] == "open" and not yes:
        click.confirm(f"{would[choice]} Go on?", abort=True)
    body = {"account_id": one["account_id"], "choice": choice, "reason": reason, "amendment": amendment}
    seen = one["revision"] if revision is None else revision
    done = gateway.put(f"{LIST}/{exception_id}/settlement", body, seen)
    click.echo(f"{exception_id} is settled by {done['choice']}; follow it with: tiergate trace {done['flow_id']}")


@command.command("settle-all")
@click.argument("queue")
@click.argument("choice", type=click.Choice(["retry", "skip", "cancel"]))
@click.option("--reason", required=True, help="Why, for those who read it later.")
@click.option("--account", "account_id", help="Of this account. [default: of all that you see]")
@click.option("--flow", help="Of this process.")
@click.option("--step", help="Stuck at this step.")
@click.option("--problem", help="With this problem type.")
@click.option("--assignee", help="Those that this person has.")
@click.option("--limit", type=click.IntRange(1, 200), default=MANY, show_default=True, help="So many at most.")
@click.option("--do", "really", is_flag=True, help="Do it. [default: show what would happen]")
@reaching
def settled_all(queue: str, choice: str, reason: str, limit: int, really: bool, **given: Any) -> None:
    """Settle many exceptions of QUEUE alike; without --do only show what would happen."""
    gateway = Gateway.reached(**_who(given))
    body = {"queue": queue, "choice": choice, "reason": reason, "limit": limit, "dry_run": not really, **given}
    done = gateway.post(f"{API}/settlements", body)
    _results(done, "Exception", lambda one: (one["exception_id"], one["flow_id"], one["step"]), "would", really=really)


@command.command("replay")
@click.argument("flow_id", metavar="ID", required=False)
@click.option("--step", required=True, help="From this step on.")
@click.option("--reason", required=True, help="Why, for those who read it later.")
@click.option("--corrected", is_flag=True, help="As a new run that names the old one.")
@click.option("--correction", default="", help="What is different in it, as a JSON object.")
@click.option("--flow", help="Without ID: all of this process.")
@click.option("--outcome", help="Without ID: those that ended so, such as rejected, or are under_way.")
@click.option("--problem", help="Without ID: those that had an exception with this problem type.")
@click.option("--account", "account_id", help="Of this account. [default: of all that you see]")
@click.option("--limit", type=click.IntRange(1, 200), default=MANY, show_default=True, help="So many at most.")
@click.option("--do", "really", is_flag=True, help="Do it. [default: show what would happen]")
@reaching
def replayed(flow_id: str | None, reason: str, step: str, corrected: bool, really: bool, **given: Any) -> None:
    """Do a process again from a step, or many by filter; without --do only show what would happen."""
    gateway = Gateway.reached(**_who(given))
    limit, correction = given.pop("limit"), given.pop("correction")
    common = {"step": step, "reason": reason, "corrected": corrected, "dry_run": not really}
    if flow_id is not None:
        owner = gateway.get(f"/process/timeline/v1/timelines/{flow_id}")["account_id"]
        body = {**common, "account_id": owner, "flow_id": flow_id, "correction": correction}
        done = {"items": [gateway.post(f"{API}/replays", body)], "more": False}
    elif given["flow"] is None:
        raise Failure("Name one process by its ID, or many by --flow and --outcome.", exit_code=CONFIGURATION)
    else:
        done = gateway.post(f"{API}/bulk-replays", {**common, "limit": limit, **given})
    _results(
        done, "Process", lambda one: (one["flow_id"], one["runs_as"], ", ".join(one["steps"])), "why", really=really
    )


def _assign(gateway: Gateway, exception_id: str, person: str | None) -> Any:
    one = gateway.get(f"{LIST}/{exception_id}")
    body = {"account_id": one["account_id"], "assignee": person}
    return gateway.put(f"{LIST}/{exception_id}/assignee", body, one["revision"])


def _who(given: dict[str, Any]) -> dict[str, Any]:
    """Takes the options of ``reaching`` out of ``given``."""
    return {name: given.pop(name) for name in ("url", "token", "client", "secret")}


def _tell(one: Any) -> None:
    from rich.console import Console

    console, now = Console(highlight=False, soft_wrap=True), datetime.now(UTC)
    console.print(f"[bold]{one['exception_id']}[/bold]  {one['status']} in {one['queue']}, revision {one['revision']}")
    console.print(f"{one['flow']} {one['flow_id']} of {one['account_id']} is stuck at {one['step']}: {one['reason']}")
    if one["status"] == "open":
        with_whom = one["assignee"] or "nobody"
        console.print(f"With {with_whom}; due {moment(one['due_at'])} UTC, {until(one['due_at'], now)}")
    elif one["choice"]:
        console.print(f"Settled by {one['choice']}, {one['settled_by']}, {moment(one['settled_at'])} UTC")
    seen = one["evidence"]
    back = "going back" if seen["going_back"] else "past its pivot" if seen["past_pivot"] else "before its pivot"
    console.print(f"The process is {back}; asked {seen['attempts']} times since {moment(seen['failing_since'])}")
    console.print("Known as: " + ", ".join(f"{known['kind']} {known['value']}" for known in seen["ids"]))
    table = _table("Time (UTC)", "Step", "Asked", "Outcome", "Said")
    for tried in seen["tried"]:
        table.add_row(
            moment(tried["at"]),
            tried["step"],
            f"{tried['api']} {tried['operation']}",
            tried["outcome"],
            tried["detail"],
        )
    console.print(table)
    for deed in one["deeds"]:
        console.print(f"{moment(deed['at'])}  {deed['deed']} by {deed['by']}: {deed['detail']}")
    for choice in one["would"]:
        console.print(f"[bold]{choice['choice']:>7}[/bold]  {choice['would']}")


def _results(done: Any, head: str, cells: Callable[[Any], tuple[str, ...]], why: str, *, really: bool) -> None:
    if not done["items"]:
        click.echo("Nothing fits.")
        return
    table = _table(head, "Process", "Step", "Outcome", "")
    for one in done["items"]:
        table.add_row(*cells(one), one["outcome"].replace("_", " "), one[why])
    _print(table)
    if done["more"]:
        click.echo("There are more of them; raise --limit, or ask again.")
    if not really:
        click.echo("Nothing was done. Add --do to do it.")


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(table)


def _print_lines(found: list[Any]) -> None:
    import msgspec

    for one in found:
        click.echo(msgspec.json.encode(one))
