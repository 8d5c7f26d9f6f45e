"""Which changes of settings are swapped in place, which bring new workers, and which wait for a restart."""

from __future__ import annotations

import os
from collections.abc import Set
from pathlib import Path

import pytest

from gateway.serving.reload import IN_PLACE, changed_sections, startable
from gateway.settings import Settings, SettingsError, load_settings
from gateway.settings.source import SettingsSource

SHOP = '[consumers.shop]\nsecrets = ["file:shop"]\n'


def settings(folder: Path, text: str, secret: str = "one") -> Settings:
    (folder / "shop").write_text(secret)
    (folder / "tiergate.toml").write_text(text)
    return load_settings({"TOKEN": "a token", "OTHER": "a token"}, folder)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (SHOP, frozenset[str]()),
        (f"# a remark\n{SHOP}", frozenset[str]()),
        (SHOP + "[plans.gold]", {"plans"}),
        ('[roles.r]\nscopes = ["x"]', {"roles", "consumers"}),
        (f"{SHOP}[policies.cors]\nmax_age_s = 1", {"policies"}),
        (f"{SHOP}[gateway]\nmost_in_flight = 1", {"gateway"}),
    ],
)
def test_a_section_has_changed_when_it_says_something_else(tmp_path: Path, text: str, changed: Set[str]) -> None:
    assert changed_sections(settings(tmp_path, SHOP), settings(tmp_path, text)) == changed


def test_another_content_of_a_consumers_secret_is_a_change_in_place(tmp_path: Path) -> None:
    before, after = settings(tmp_path, SHOP, "one"), settings(tmp_path, SHOP, "two")
    assert changed_sections(before, after) == {"consumers"}
    assert changed_sections(before, after) <= IN_PLACE


def test_a_secret_of_a_system_is_a_change_of_that_system(tmp_path: Path) -> None:
    text = '[systems.erp]\nsettings = { token = "file:shop" }'
    assert changed_sections(settings(tmp_path, text, "one"), settings(tmp_path, text, "two")) == {"systems"}


def test_what_takes_a_restart_is_kept_as_it_is_held(tmp_path: Path) -> None:
    held = settings(tmp_path, "")
    written = settings(tmp_path, '[gateway]\nport = 9\nmost_in_flight = 7\n[store]\nurl = "redis://x"\n')
    wanted, waiting = startable(held, written)
    assert waiting == ("gateway.port", "store.url")
    assert (wanted.gateway.port, wanted.gateway.most_in_flight, wanted.store) == (8000, 7, held.store)
    assert startable(held, held) == (held, ())


def test_the_fingerprint_follows_the_file_and_the_files_that_it_names(tmp_path: Path) -> None:
    held = settings(tmp_path, SHOP)
    source = SettingsSource({}, tmp_path, held, 8000)
    seen = [source.fingerprint()]
    os.utime(tmp_path / "tiergate.toml", (1, 1))
    assert source.fingerprint() == seen[0]
    (tmp_path / "shop").write_text("two")
    seen.append(source.fingerprint())
    (tmp_path / "other").write_text("three")
    (tmp_path / "shop").unlink()
    (tmp_path / "shop").symlink_to(tmp_path / "other")
    seen.append(source.fingerprint())
    (tmp_path / "tiergate.toml").write_text(SHOP + "[plans.p]")
    seen.append(source.fingerprint())
    assert len(set(seen)) == len(seen)


def test_the_port_that_was_taken_stands_in_for_any_free_one(tmp_path: Path) -> None:
    held = settings(tmp_path, "[gateway]\nport = 0")
    assert SettingsSource({}, tmp_path, held, 4321).read().gateway.port == 4321


def test_a_file_may_come_later_and_may_not_go(tmp_path: Path) -> None:
    source = SettingsSource({}, tmp_path, load_settings({}, tmp_path), 8000)
    assert source.read().config is None
    (tmp_path / "tiergate.toml").write_text("[plans.p]")
    assert set(source.read().plans) == {"p"}
    (tmp_path / "tiergate.toml").unlink()
    with pytest.raises(SettingsError, match="has gone"):
        source.read()
