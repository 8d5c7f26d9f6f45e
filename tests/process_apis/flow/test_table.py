"""A flow's table is judged when it is made, and groups its steps by checkpoint."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from process_apis.flow.table import Flow, Step, Together
from process_apis.order_to_fulfillment.flow import BOOK, ORDER_TO_FULFILLMENT
from process_apis.order_to_fulfillment.v1.model import OrderStatus


async def do(_: Any, run: Any) -> Any:
    return run.state


def flow(*steps: Step[Any] | Together[Any]) -> Flow[Any]:
    return Flow(name="sample", api_id="sample.v1", book=BOOK, steps=steps)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ((Step(name="a", do=do, pivot=True), Step(name="a", do=do)), "same name"),
        ((Step(name="a", do=do), Step(name="b", do=do)), "exactly one pivot"),
        ((Step(name="a", do=do, pivot=True), Step(name="b", do=do, pivot=True)), "exactly one pivot"),
        ((Step(name="a", do=do, pivot=True), Step(name="b", do=do, only_reads=True)), "only reads"),
    ],
)
def test_a_bad_table_is_refused(steps: tuple[Step[Any], ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        flow(*steps)


def test_reads_share_the_checkpoint_of_the_step_after_them() -> None:
    table = flow(
        Step(name="check", do=do, only_reads=True),
        Together(Step(name="price", do=do, only_reads=True), Step(name="tax", do=do, only_reads=True)),
        Step(name="reserve", do=do),
        Together(Step(name="pay", do=do), Step(name="note", do=do, only_reads=True)),
        Step(name="ship", do=do, pivot=True),
    )
    groups = [[[step.name for step in stage] for stage in group] for group in table.groups]
    assert groups == [[["check"], ["price", "tax"], ["reserve"]], [["pay", "note"]], [["ship"]]]


def test_every_step_before_the_pivot_that_writes_has_an_undo() -> None:
    for step in ORDER_TO_FULFILLMENT.rows:
        if not step.only_reads:
            assert step.undo is not None, step.name
        if step.pivot:
            return


def test_the_table_names_only_statuses_of_the_contract() -> None:
    named = {step.status for step in ORDER_TO_FULFILLMENT.rows if step.status}
    assert named <= set(get_args(OrderStatus))
