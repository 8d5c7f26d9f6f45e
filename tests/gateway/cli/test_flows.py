"""``tiergate flows``: the tables, and the drawings of them in the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.failure import Failure
from gateway.cli.flows import command, documented, known_flows
from process_apis.flow.table import Flow

DOCUMENT = Path(__file__).parents[3] / "docs" / "flows.md"


@pytest.fixture(scope="module")
def flows() -> Mapping[str, Flow[Any]]:
    """Every flow that a gateway with default settings runs."""
    return known_flows()


def test_the_documentation_shows_todays_flows(flows: Mapping[str, Flow[Any]]) -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert documented(written, flows) == written, "run: tiergate flows document docs/flows.md"
    assert [name for name in flows if f"<!-- flow: {name} -->" not in written] == []


def test_a_document_of_a_flow_that_is_gone_is_refused(flows: Mapping[str, Flow[Any]]) -> None:
    with pytest.raises(Failure, match="the flow gone"):
        documented("<!-- flow: gone -->\n<!-- end of flow -->", flows)


def test_list_and_show_name_pivot_undo_and_queue() -> None:
    listed = CliRunner().invoke(command, ["list"])
    assert listed.exit_code == 0
    assert "order_to_fulfillment.v1" in listed.output
    shown = CliRunner().invoke(command, ["show", "order_to_fulfillment"])
    rows = {line.split()[0]: line for line in shown.output.splitlines()[1:]}
    assert "pivot" in rows["ship"]
    assert "release stock" in rows["reserve_stock"]
    starts = {line.index("release stock") for line in shown.output.splitlines() if "release stock" in line}
    assert starts == {shown.output.splitlines()[0].index("Undo")}, "the columns are aligned"


def test_the_drawing_has_every_step_and_its_way_back() -> None:
    drawn = CliRunner().invoke(command, ["show", "order_to_fulfillment", "--mermaid"]).output
    assert drawn.startswith("flowchart TD\n")
    assert 'ship{{"ship' in drawn
    assert "reserve_stock -. refused .-> undo_reserve_stock" in drawn


def test_an_unknown_flow_is_named_with_the_known_ones() -> None:
    outcome = CliRunner().invoke(command, ["show", "nowhere"])
    assert isinstance(outcome.exception, Failure)
    assert "order_to_fulfillment" in outcome.exception.sentences[0]
