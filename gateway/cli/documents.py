"""The contracts of an unconfigured gateway and the policies with their defaults, as documents need them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.settings import load_settings
from governance.contract.errors import ContractError
from governance.openapi import Stale, export
from process_apis.events.schemas import export as export_events


def stale_documents(directory: Path, *, check: bool) -> tuple[Stale, ...]:
    """What was not in agreement with the contracts below ``directory``, renewed unless ``check``.

    Raises:
        Failure: an API or policy is badly shaped, or a file can't be written.
    """
    from gateway.app import build

    try:
        with tempfile.TemporaryDirectory(prefix="tiergate-") as nowhere:
            state = build(load_settings({}, Path(nowhere))).state
        stale = export(directory, (node.api for node in state.nodes), state.policies, check=check)
        return (*stale, *export_events(directory, check=check))
    except ContractError as error:
        raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None
    except OSError as error:
        raise Failure(f"{error.filename} can't be written: {(error.strerror or 'no reason given').lower()}.") from None
