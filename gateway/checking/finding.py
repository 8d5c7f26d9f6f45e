"""What one check found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Result = Literal["ok", "warning", "failed"]


class Finding(Struct, frozen=True, kw_only=True):
    """``what`` was examined, how it stands, and what to do about it where it does not stand well."""

    what: str
    result: Result
    detail: str
    advice: str = ""
