"""How the demonstration speaks: headings, hops as a table, money and moments as people write them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.demonstration.visit import Exchange, Hop

TIER_STYLE = {"experience": "magenta", "process": "cyan", "system": "green"}
TIER_INDENT = {"experience": 0, "process": 1, "system": 2}


class Telling:
    """Writes to the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0

    def chapter(self, title: str) -> None:
        """Begin the next numbered part."""
        self._chapter += 1
        self._console.print()
        self._console.print(f"[bold]{self._chapter}. {title}[/bold]")

    def say(self, text: str) -> None:
        """One line of prose."""
        self._console.print(f"   {text}", highlight=False)

    def exchange(self, one: Exchange) -> None:
        """A request, its status and the hops it took."""
        self._console.print(f"   [bold]{one.line}[/bold] → {one.status} in {one.took_ms:.1f} ms", highlight=False)
        self.hops(one.hops)

    def hops(self, hops: Iterable[Hop]) -> None:
        """Each hop with tier, operation, policies applied and time."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("   Tier", "Operation", "Binding", "Policies applied", "Time"):
            whole = column != "Policies applied"  # only the list of policies goes on in the next line
            table.add_column(column, justify="right" if column == "Time" else "left", overflow="fold", no_wrap=whole)
        for hop, times in _folded(hops):
            style = TIER_STYLE.get(hop.tier, "")
            outcome = "" if hop.outcome == "ok" else f" [red]{hop.outcome}[/red]"
            often = f" ×{times}" if times > 1 else ""
            name = f"{'  ' * TIER_INDENT.get(hop.tier, 0)}{hop.operation}{often}{outcome}"
            time = f"{hop.duration_ms:.1f} ms"
            table.add_row(f"   [{style}]{hop.tier}[/{style}]", name, hop.binding, ", ".join(hop.policies), time)
        if table.row_count:
            self._console.print(table, highlight=False)

    def timeline(self, entries: Iterable[dict[str, Any]]) -> None:
        """What was done for an order, with the time since its first entry."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("   After", "Step", "Outcome"):
            table.add_column(column)
        first: datetime | None = None
        for entry in entries:
            at = datetime.fromisoformat(entry["at"])
            first = first or at
            after = f"   {(at - first).total_seconds():6.2f} s"
            table.add_row(after, entry["step"].replace("_", " "), entry["outcome"])
        self._console.print(table, highlight=False)


def _folded(hops: Iterable[Hop]) -> list[tuple[Hop, int]]:
    """Each hop with how often it was repeated right after, such as when something is waited for."""
    groups = [list(group) for _, group in groupby(hops, lambda hop: (hop.operation, hop.outcome))]
    return [(group[-1], len(group)) for group in groups]


def amount(money: dict[str, Any] | None) -> str:
    """Such as ``1,299.00 EUR``; the demonstration's currencies have two decimals."""
    if money is None:
        return "no amount"
    return f"{Decimal(money['amount_minor']) / 100:,.2f} {money['currency']}"
