"""A log in an outage is short."""

from __future__ import annotations

import logging

import pytest

from process_apis.flow import seldom
from process_apis.flow.seldom import once_in_a_while


@pytest.fixture
def chatty(caplog: pytest.LogCaptureFixture) -> logging.Logger:
    logger = logging.getLogger("tests.chatty")
    once_in_a_while(logger)
    once_in_a_while(logger)
    return logger


def test_one_place_is_heard_once_in_a_while_and_others_beside_it(
    chatty: logging.Logger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        chatty.warning("the database is away, %d", number)
    chatty.warning("something else")
    assert [record.message for record in caplog.records] == ["the database is away, 0", "something else"]
    monkeypatch.setattr(seldom, "EVERY_S", 0.0)
    chatty.warning("the database is back")
    for number in range(2):
        chatty.warning("again, %d", number)
    assert [record.message for record in caplog.records][2:] == ["the database is back", "again, 0", "again, 1"]
