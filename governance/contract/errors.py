"""What a developer of an API is told at start-up, before any call."""

from __future__ import annotations


class ContractError(TypeError):
    """A declaration breaks a rule. The message is one sentence that says where and what to write."""
