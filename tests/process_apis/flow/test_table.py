"""A flow's table is judged when it is made, and groups its steps by checkpoint."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from process_apis.flow.table import Flow, Step
from process_apis.order_to_fulfillment.flow import BOOK, ORDER_TO_FULFILLMENT
from process_apis.order_to_fulfillment.v1.model import OrderStatus


async def do(_: Any, run: Any) -> Any:
    return run.state


def flow(*steps: Step[Any]) -> Flow[Any]:
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
    groups = [[step.name for stage in group for step in stage] for group in ORDER_TO_FULFILLMENT.groups]
    assert groups == [
        ["check_channel_order", "check_account", "check_terms", "price", "check_credit", "reserve_stock"],
        ["authorise_payment"], ["post_order"], ["ship"], ["await_dispatch", "issue_goods"], ["invoice"], ["capture"],
        ["fulfil"], ["settle_rest"], ["write_back"],
    ]  # fmt: skip


def test_every_step_before_the_pivot_that_writes_has_an_undo() -> None:
    for step in ORDER_TO_FULFILLMENT.rows:
        if not step.only_reads:
            assert step.undo is not None, step.name
        if step.pivot:
            return


def test_the_table_names_only_statuses_of_the_contract() -> None:
    named = {step.status for step in ORDER_TO_FULFILLMENT.rows if step.status}
    assert named <= set(get_args(OrderStatus))
