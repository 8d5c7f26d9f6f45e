"""Content-Type and Accept, judged by RFC 9110 §8.3 and §12.5.1."""

from __future__ import annotations

import pytest

from governance.wire.negotiation import accepts_json, is_json


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json ; Charset=utf8",
        "application/json; profile=x",
        "application/json;",
    ],
)
def test_json_in_utf_8_is_read(value: str) -> None:
    assert is_json(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text/json",
        "application/jsonp",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "application/json, application/json",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset=",
        "multipart/form-data; boundary=application/json",
        "\xff",
    ],
)
def test_everything_else_is_not(value: str) -> None:
    assert not is_json(value.encode("latin-1"))


@pytest.mark.parametrize(
    "value",
    [
        "*/*",
        "application/*",
        "application/json",
        "APPLICATION/JSON",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/json;q=0.001",
        "text/html;q=1, application/json;q=0.1",
        "*/*;q=0, application/json",
        "application/*;q=0, application/json;q=0.5",
        "application/problem+json, application/json",
        "",
        " , ",
        ",application/json",
    ],
)
def test_what_admits_json(value: str) -> None:
    assert accepts_json(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "text/html",
        "application/xml, text/*",
        "application/json;q=0",
        "*/*, application/json;q=0",
        "*/*, application/*;q=0.0",
        "*/*;q=0",
        "application/json;q=nonsense",
        "application/json;q=nan",
        "application/json;q=-1",
        "application/problem+json",
        "json",
        "*/json",
        "\xff\xfe",
    ],
)
def test_what_does_not(value: str) -> None:
    assert not accepts_json(value.encode("latin-1"))
