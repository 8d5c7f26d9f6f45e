"""Commands that ask a gateway: what they say when it refuses, or is none; and what arguments they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import tiergate
from gateway.cli.asking import Gateway, refusal
from gateway.cli.failure import Failure
from tests.journeys.gateways import free_ports


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A URL where nobody answers."""
    monkeypatch.chdir(tmp_path)
    return f"http://127.0.0.1:{free_ports(1)[0]}"


@pytest.mark.parametrize(
    ("status", "problem", "advice"),
    [
        (401, {"detail": "The token is over."}, "Name a client with --client"),
        (403, {"title": "The token lacks a scope.", "scope": "exceptions.exceptions:settle"}, "exceptions.exceptions:settle"),
        (404, {"title": "There is no such thing here."}, "tiergate trace"),
        (412, {"title": "The record has changed."}, "look at it again"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(status: int, problem: dict[str, Any], advice: str) -> None:
    failure = refusal(status, problem)
    assert failure.sentences[0] == problem.get("detail") or problem["title"]
    assert advice in failure.sentences[-1]
    assert failure.exit_code == 1


def test_every_wrong_member_is_named() -> None:
    errors = [{"pointer": "/reason", "detail": "is too short"}, {"parameter": "limit", "detail": "is too large"}]
    failure = refusal(422, {"title": "The body breaks its schema.", "errors": errors})
    assert failure.sentences == ("The body breaks its schema.", "/reason: is too short", "limit: is too large")
    assert failure.exit_code == 2


@pytest.mark.parametrize("arguments", [["trace", "PO-1"], ["exceptions", "list"], ["exceptions", "queues"]])
def test_without_a_gateway_it_says_how_to_start_one(nobody: str, arguments: list[str]) -> None:
    with pytest.raises(Failure, match="start one with: tiergate serve"):
        CliRunner().invoke(tiergate, [*arguments, "--url", nobody], catch_exceptions=False)
    with pytest.raises(Failure, match="start one with: tiergate serve"):
        CliRunner().invoke(tiergate, [*arguments, "--url", nobody, "--token", "t"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["exceptions", "settle", "exc-1"], "Missing argument"),
        (["exceptions", "settle", "exc-1", "undo", "--reason", "why"], "'undo' is not one of 'retry'"),
        (["exceptions", "settle", "exc-1", "skip"], "Missing option '--reason'"),
        (["exceptions", "lst"], "Did you mean 'list'?"),
        (["trace"], "Missing argument 'ID'"),
    ],
)
def test_wrong_arguments_say_what_to_do(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(tiergate, arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_replay_names_one_process_or_many(nobody: str) -> None:
    arguments = ["exceptions", "replay", "--step", "invoice", "--reason", "why", "--url", nobody, "--token", "t"]
    with pytest.raises(Failure, match="Name one process by its ID, or many by --flow"):
        CliRunner().invoke(tiergate, arguments, catch_exceptions=False)


def test_what_is_no_gateway_is_said_to_be_none(nobody: str) -> None:
    with pytest.raises(Failure, match="No gateway answers"):
        Gateway(nobody, "token").get("/process/exceptions/v1/queues")
