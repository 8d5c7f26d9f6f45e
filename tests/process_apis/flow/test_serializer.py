"""What the workflow engine keeps comes back as it was, and can make nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from dbos import error

from process_apis.flow.serializer import FlowSerializer, Recorded
from process_apis.flow.verdict import FlowStart, Verdict
from system_apis.canonical.values import Money

CODEC = FlowSerializer()


@pytest.mark.parametrize(
    "value",
    [
        None, True, 7, 1.5, "text", [1, "a", None], {"a": {"b": [1]}},
        FlowStart(flow_id="ord-1", first_step="price", leg=3),
        Verdict(outcome="refused", problem="insufficient-stock", reason="None left."),
        {"args": (FlowStart(flow_id="ord-1", first_step="price"), 1), "kwargs": {"verdict": Verdict(outcome="done")}},
    ],
)  # fmt: skip
def test_values_come_back(value: Any) -> None:
    assert CODEC.deserialize(CODEC.serialize(value)) == value


@pytest.mark.parametrize(
    "raised",
    [
        error.DBOSWorkflowCancelledError("cancelled"),
        error.DBOSMaxStepRetriesExceeded("step", 3, []),
        error.DBOSUnexpectedStepError("wf", 2, "this", "that"),
        error.DBOSConflictingWorkflowError("wf", "other"),
        error.DBOSQueueDeduplicatedError("wf", "queue", "key"),
    ],
)
def test_the_engines_own_exceptions_come_back_as_themselves(raised: BaseException) -> None:
    back = CODEC.deserialize(CODEC.serialize(raised))
    assert type(back) is type(raised)
    assert str(back) == str(raised)


def test_other_exceptions_come_back_as_their_words() -> None:
    back = CODEC.deserialize(CODEC.serialize(KeyError("colour")))
    assert type(back) is Recorded
    assert str(back) == "KeyError: 'colour'"


def test_an_unlisted_value_is_refused() -> None:
    with pytest.raises(TypeError, match="Money"):
        CODEC.serialize(Money(1, "EUR"))


@pytest.mark.parametrize("text", ["", "gASVCAAAAAAAAACMBGV2aWyULg==", '{"type":"pickle","value":1}', "[]"])
def test_a_foreign_value_is_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        CODEC.deserialize(text)
