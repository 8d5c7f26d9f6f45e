"""The wire form of a command (RESP, an array of bulk strings), by hiredis in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import hiredis

pack = cast("Callable[[tuple[bytes | str | int, ...]], bytes]", getattr(hiredis, "pack_command"))  # noqa: B009
"""hiredis' own annotation allows a tuple of one only and names no result."""
