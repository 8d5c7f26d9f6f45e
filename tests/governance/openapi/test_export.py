"""The files under openapi/ follow the contracts, and say so when they do not."""

from __future__ import annotations

from pathlib import Path

from governance.openapi import Stale, document_path, encoded, export
from governance.openapi.document import document
from governance.openapi.scopes import SCOPES_FILE
from tests.governance.openapi.sample import API, Introduced

PATH = "experience/grand-hotel/v1.json"


def test_a_document_stands_under_its_tier_and_name() -> None:
    assert document_path(API) == PATH


def test_what_is_missing_is_written_once(tmp_path: Path) -> None:
    missing = (Stale(tmp_path / PATH, "is missing"), Stale(tmp_path / SCOPES_FILE, "is missing"))
    assert export(tmp_path, [API], [Introduced()]) == missing
    assert (tmp_path / PATH).read_bytes() == encoded(document(API, [Introduced()]))
    assert export(tmp_path, [API], [Introduced()]) == ()


def test_a_check_reports_and_writes_nothing(tmp_path: Path) -> None:
    export(tmp_path, [API], [Introduced()])
    (tmp_path / PATH).write_text("{}")
    leftover = tmp_path / "system" / "gone" / "v1.json"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("{}")
    stale = export(tmp_path, [API], [Introduced()], check=True)
    assert [str(one) for one in stale] == [
        f"{tmp_path / PATH}: differs from the contracts and policies",
        f"{leftover}: belongs to no API version",
    ]
    assert (tmp_path / PATH).read_text() == leftover.read_text() == "{}"


def test_what_differs_is_mended_and_what_is_left_over_goes(tmp_path: Path) -> None:
    export(tmp_path, [API], [Introduced()])
    (tmp_path / PATH).write_text("{}")
    (tmp_path / "experience" / "grand-hotel" / "v2.json").write_text("{}")
    assert len(export(tmp_path, [API], [Introduced()])) == 2
    assert export(tmp_path, [API], [Introduced()], check=True) == ()


def test_a_policy_that_says_more_makes_documents_stale(tmp_path: Path) -> None:
    export(tmp_path, [API], [])
    assert export(tmp_path, [API], [Introduced()], check=True)


def test_releases_and_fragments_are_left_alone(tmp_path: Path) -> None:
    kept = [tmp_path / "released" / "system" / "erp" / "v1.json", tmp_path / "changes" / "one.json"]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    export(tmp_path, [API], [])
    assert all(file.exists() for file in kept)
