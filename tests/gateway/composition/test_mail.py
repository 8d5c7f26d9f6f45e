"""Mail and the rules of returns as tiergate.toml sets them: what is documented can be read, what is wrong is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.app import build
from gateway.composition.egress import vendor_settings
from gateway.settings import Settings, SettingsError, load_settings
from process_apis.returns.settings import ReturnSettings

DOCS = Path(__file__).parents[3] / "docs"
SMTP = "[systems.notifications]\nconnector = 'smtp'\n[systems.notifications.settings]\n"


def settings(folder: Path, text: str) -> Settings:
    (folder / "tiergate.toml").write_text(text)
    return load_settings({"SMTP_PASSWORD": "open sesame"}, folder)


def blocks_of(page: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_what_is_documented_can_be_set(tmp_path: Path) -> None:
    templates, smtp = blocks_of("notifications.md")
    build(settings(tmp_path, templates))
    (rules,) = blocks_of("returns.md")
    read = settings(tmp_path, smtp + rules)
    assert vendor_settings("notifications", read).concurrency == 4
    assert read.processes["returns"] == {
        "window_s": ReturnSettings().window_s,
        "approval_above_minor": ReturnSettings().approval_above_minor,
        "receive_within_s": ReturnSettings().receive_within_s,
    }
    build(read)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{SMTP}host = 'mail.example'", "systems.notifications.settings.sender is missing."),
        (f"{SMTP}host = 'mail.example'\nsender = 'desk'", "systems.notifications.settings.sender must be"),
        (
            f"{SMTP}host = 'mail.example'\nsender = 'a@b.example'\nreply_to = 'x'",
            "systems.notifications.settings.reply_to",
        ),
        (
            f"{SMTP}host = 'm'\nsender = 'a@b.example'\nsecurity = 'none'\nusername = 'u'\npassword = 'env:SMTP_PASSWORD'",
            "a password is not sent in clear: set security to starttls or tls",
        ),
        (f"{SMTP}host = 'm'\nsender = 'a@b.example'\npassword = 'open sesame'", "write env:NAME or file:PATH"),
        (
            f"{SMTP}host = 'm'\nsender = 'a@b.example'\n[systems.notifications.egress]\nca_file = '/nowhere.pem'",
            "systems.notifications.egress.ca_file names /nowhere.pem",
        ),
        ("[processes.returns]\nwindow = 3", "processes.returns.window is not a setting; did you mean window_s?"),
    ],
)
def test_what_is_wrong_is_said_at_start(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        build(settings(tmp_path, text))
    assert sentence in str(caught.value)
