"""Problems: typed members, kept over pickling and JSON. RFC 9457 §3.1, §3.2."""

from __future__ import annotations

import pickle
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from governance.contract import NotFound, Problem, Refusal, Violation
from governance.contract.refusals import InvalidBody, InvalidParameters


class Room(Struct, frozen=True):
    free: int


class HouseFull(Refusal, status=409, type="house-full", title="The house is full.", retryable=True):
    """Nobody fits in."""

    rooms: tuple[Room, ...]
    next_free: Annotated[int, Meta(ge=0)] = 0


def test_members_are_attributes_and_json() -> None:
    problem = HouseFull(rooms=(Room(1),))
    assert (problem.rooms, problem.next_free) == ((Room(1),), 0)
    assert problem.members() == {"rooms": ({"free": 1},), "next_free": 0}


def test_the_class_says_status_type_and_title() -> None:
    assert (HouseFull.status, HouseFull.type, HouseFull.retryable) == (409, "house-full", True)
    assert str(HouseFull(rooms=())) == "The house is full."
    assert str(HouseFull(rooms=(), detail="All 12 rooms are taken.")) == "All 12 rooms are taken."


def test_a_missing_or_unknown_member_is_refused_where_it_is_raised() -> None:
    with pytest.raises(TypeError, match="HouseFull: Missing required argument 'rooms'"):
        HouseFull()  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="HouseFull: Unexpected keyword argument 'beds'"):
        HouseFull(rooms=(), beds=1)  # type: ignore[call-arg]  # what is tested


def test_it_survives_pickling() -> None:
    problem = pickle.loads(pickle.dumps(HouseFull(rooms=(Room(2),), next_free=3, detail="Full.")))
    assert (problem.rooms, problem.next_free, problem.detail) == ((Room(2),), 3, "Full.")
    assert isinstance(problem, HouseFull)
    assert str(problem) == "Full."


def test_violations_survive_pickling() -> None:
    violations = (Violation(pointer="/a", detail="is required"),)
    assert pickle.loads(pickle.dumps(InvalidBody(violations))).violations == violations


@pytest.mark.rule("RFC 9457 §3.2", "A client ignores members that it does not know")
def test_it_is_read_back_from_json_and_ignores_what_it_does_not_know() -> None:
    members = {"rooms": [{"free": 4}], "next_free": 5, "bar": "open"}
    problem = HouseFull.from_members("Full.", members)
    assert isinstance(problem, HouseFull)
    assert (problem.rooms, problem.next_free, problem.detail) == ((Room(4),), 5, "Full.")


@pytest.mark.parametrize("members", [{}, {"rooms": 1}, {"rooms": [], "next_free": -1}])
def test_members_of_the_wrong_shape_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        HouseFull.from_members("", members)


def test_a_derived_problem_has_the_members_of_both() -> None:
    class WingFull(HouseFull, status=409, type="wing-full", title="The wing is full."):
        """A part of the house."""

        wing: str

    assert WingFull(rooms=(), wing="west").members() == {"rooms": (), "next_free": 0, "wing": "west"}
    assert issubclass(WingFull, HouseFull)


def test_not_found_tells_nothing() -> None:
    assert (NotFound.status, NotFound().members(), NotFound().detail) == (404, {}, "")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"status": 409, "type": "House_Full", "title": "T"}, "must be kebab-case"),
        ({"status": 200, "type": "house", "title": "T"}, "must be an HTTP error status"),
        ({"status": 409, "type": "house"}, "give it a title"),
        ({"type": "house", "title": "T"}, "must be an HTTP error status"),
    ],
)
def test_a_class_line_that_breaks_a_rule_is_refused(line: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        type(Problem)("Broken", (Problem,), {"__module__": __name__}, **line)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("type", "is a member of RFC 9457 itself"),
        ("errors", "is a member of RFC 9457 itself"),
        ("request_id", "is a member of RFC 9457 itself"),
        ("detail", "would hide an attribute of Problem"),
        ("members", "would hide an attribute of Problem"),
        ("args", "would hide an attribute of Problem"),
    ],
)
def test_a_member_that_hides_another_is_refused(name: str, sentence: str) -> None:
    members = {"__module__": __name__, "__annotations__": {name: str}}
    with pytest.raises(TypeError, match=sentence):
        type(Problem)("Broken", (Problem,), members, status=409, type="broken", title="T")


def test_a_family_without_class_line_is_no_problem_type() -> None:
    class Family(Refusal):
        """A family."""

    assert not hasattr(Family, "members_type")


@pytest.mark.parametrize(
    ("violations", "detail"),
    [
        ((), ""),
        ((Violation(pointer="/lines/0", detail="is required"),), "/lines/0: is required"),
        ((Violation(detail="is required"),), "is required"),
        ((Violation(detail="a"), Violation(detail="b")), "2 things are wrong; errors names each."),
    ],
)
@pytest.mark.parametrize("problem", [InvalidBody, InvalidParameters])
def test_an_invalid_request_sums_up_its_violations(
    problem: type[InvalidBody], violations: tuple[Violation, ...], detail: str
) -> None:
    assert problem(violations).detail == detail
    assert problem(violations).violations == violations
