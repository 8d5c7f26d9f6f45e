"""``tiergate flows``: the business processes as tables, and as drawings for documents."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import settings_here

if TYPE_CHECKING:
    from process_apis.flow.table import Flow

HEADINGS = {
    "step": "Step",
    "kind": "Kind",
    "undo": "Undo",
    "when": "When",
    "leads_to": "Leads to",
    "queue": "Queue",
    "asked": "Refused; asked again",
    "tells": "Tells",
    "hears": "Hears",
}
DRAWING = re.compile(r"(<!-- flow: (\w+) -->\n).*?(<!-- end of flow -->)", re.DOTALL)


@click.group()
def command() -> None:
    """Show the business processes: their steps, undo, pivots, waits and queues."""


@command.command("list")
def list_flows() -> None:
    """List every flow, with the API that runs it and its pivot."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Flow", "API", "Steps", "Pivot", "Queue"):
        table.add_column(column, justify="right" if column == "Steps" else "left", no_wrap=True)
    for flow in known_flows().values():
        pivot = next(step.name for step in flow.rows if step.pivot)
        table.add_row(flow.name, flow.api_id, str(len(flow.rows)), pivot, flow.queue)
    Console(highlight=False, soft_wrap=True).print(table)


@command.command("show")
@click.argument("name")
@click.option("--mermaid", "as_mermaid", is_flag=True, help="Draw it as a Mermaid flowchart.")
def show(name: str, as_mermaid: bool) -> None:
    """Show one flow as a table, or as a drawing."""
    from process_apis.flow.drawing import mermaid

    flow = _known(name)
    click.echo(mermaid(flow) if as_mermaid else text(flow))


@command.command("document")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def document(file: Path) -> None:
    """Bring the drawings in a Markdown file up to date, between its "flow:" marks."""
    before = file.read_text(encoding="utf-8")
    after = documented(before, known_flows())
    file.write_text(after, encoding="utf-8")
    click.echo("Nothing has changed." if after == before else f"{file} is up to date.")


def known_flows() -> Mapping[str, Flow[Any]]:
    """The flows of the gateway that the settings here describe; nothing is started for it.

    Raises:
        Failure: the gateway can't be put together.
    """
    from gateway.app import build
    from governance.contract.errors import ContractError

    with tempfile.TemporaryDirectory(prefix="tiergate-flows-") as folder:
        try:
            application = build(msgspec.structs.replace(settings_here(), home=Path(folder)))
        except ContractError as error:
            raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None
    return application.state["flows"].registered


def text(flow: Flow[Any]) -> str:
    """A flow's table in aligned columns; those in which no step has anything are left out."""
    from process_apis.flow.drawing import lines

    rows = [msgspec.structs.asdict(line) for line in lines(flow)]
    columns = [column for column in HEADINGS if any(row[column] for row in rows)]
    table = [[HEADINGS[column] for column in columns], *([row[column] for column in columns] for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    aligned = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join(aligned)


def documented(markdown: str, flows: Mapping[str, Flow[Any]]) -> str:
    """A document with today's drawing between the marks of each flow that it shows.

    Raises:
        Failure: it shows a flow that is not there.
    """
    from process_apis.flow.drawing import mermaid

    def drawn(mark: re.Match[str]) -> str:
        flow = flows.get(mark[2])
        if flow is None:
            raise Failure(f"The document shows the flow {mark[2]}, which there is not.")
        return f"{mark[1]}\n```mermaid\n{mermaid(flow)}\n```\n\n```text\n{text(flow)}\n```\n\n{mark[3]}"

    return DRAWING.sub(drawn, markdown)


def _known(name: str) -> Flow[Any]:
    flows = known_flows()
    if (flow := flows.get(name)) is None:
        raise Failure(f"There is no flow {name}. Flows: {', '.join(flows) or 'none here'}.")
    return flow
