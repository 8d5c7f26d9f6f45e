"""What is proved: the contracts and policies of this installation under the settings that hold here."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from gateway.app import build
from gateway.settings import Settings
from governance.prove.run import Subject


def subject_of(settings: Settings) -> Subject:
    """The declarations of a gateway with these settings; it is put together and never started.

    Raises:
        ContractError: an API, connector or policy is badly shaped.
        SettingsError: the settings name something that does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="tiergate-prove-") as home:  # so that the real one is not touched
        application = build(msgspec.structs.replace(settings, home=Path(home)))
    return Subject(
        apis=tuple(node.api for node in application.state["nodes"]),
        policies=application.state["policies"],
        max_body_bytes=settings.gateway.max_body_bytes,
        max_uri_bytes=settings.gateway.max_uri_bytes,
    )
