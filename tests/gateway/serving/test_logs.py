"""Nobody writes an entry of their own into the log."""

from __future__ import annotations

import logging

import pytest

from gateway.serving.logs import OneLine, escaped


def _line(message: str, *arguments: object, error: BaseException | None = None) -> str:
    raised = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("tiergate.test", logging.ERROR, __file__, 1, message, arguments, raised)
    return OneLine().format(record)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_an_event_is_one_line_whatever_it_quotes(end: str) -> None:
    said = _line("GET %s failed", f"/a{end}2026-11-21 12:00:00,000 INFO tiergate: all is well")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("trick", ["\x1b[2J", "\x9b2J", "\x07", "\x00", "\u202e", "\ud800"])
def test_no_character_moves_a_terminal(trick: str) -> None:
    assert trick not in _line("%s", trick)
    assert _line("%s", trick).isascii()


def test_what_is_printable_stays() -> None:
    assert escaped("Zürich – 東京 /a%0ab") == "Zürich – 東京 /a%0ab"


def test_a_traceback_is_indented_under_its_event() -> None:
    with pytest.raises(ValueError, match="first") as raised:
        raise ValueError("first\n2026-11-21 12:00:00,000 INFO forged: yes")
    error = raised.value
    first, *rest = _line("failed", error=error).split("\n")
    assert "failed" in first
    assert len(rest) > 2
    assert all(line.startswith("    ") for line in rest)
