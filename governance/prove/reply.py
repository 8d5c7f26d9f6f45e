"""What a running gateway answers to one request, and how a request is sent to it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct


class Reply(Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    headers: Mapping[str, str] = {}
    """Names in lower case."""
    body: bytes = b""

    @property
    def problem(self) -> str:
        """The id of the problem type without ``/problems/``; empty where the answer is none."""
        return str(self.problem_members.get("type", "")).removeprefix("/problems/")

    @property
    def problem_members(self) -> Mapping[str, Any]:
        """The members of the problem; none where the answer is none that can be read."""
        if "problem+json" not in self.headers.get("content-type", ""):
            return {}
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.DecodeError:
            return {}

    def __str__(self) -> str:
        return f"{self.status} {self.problem}".rstrip()


class Send(Protocol):
    """Sends one request to the gateway."""

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Awaitable[Reply]:
        """The answer, whatever its status."""
        ...


class Sent(Struct, frozen=True, kw_only=True):
    """One exchange with an operation."""

    control: str
    case: str
    method: str
    path: str
    token: str
    """The kind of token it was sent with."""
    reply: Reply
    of_operation: bool
    """Whether method and path are the operation's."""
