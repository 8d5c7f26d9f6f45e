"""Why a token was refused: one stable reason id and one sentence, fit for ``error_description``."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "oversized", "malformed", "nested", "algorithm", "type", "critical", "issuer", "key", "signature",
    "audience", "expired", "not-yet", "claims", "revoked",
]  # fmt: skip


class BadToken(Exception):
    """The token does not prove anybody. ``reason`` is for evidence, ``detail`` for the caller."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
