"""The guard for destinations that users supply, such as a webhook's URL (server-side request forgery).

Guarantee: what is connected to is the very address that was judged public. A name is resolved once, every address
that it has must be public, and the connection goes to the first of them, under the name for ``Host``
and TLS. So a name that answers otherwise a moment later (DNS rebinding) changes nothing. Redirects
are not followed. The scheme is https unless plain http is allowed, the port is one of an allow-list, a URL
holds no credentials. An address is spelled canonically or not at all: decimal, octal, hexadecimal and short forms
are refused, as the URL standard reads them as addresses ("ends in a number", WHATWG URL §3.5).

On a network whose resolver maps IPv4 into NAT64 addresses, names without IPv6 of their own are refused.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from governance.egress.addresses import is_public, networks

URL = re.compile(r"[!#-\[\]-~]{1,2000}")
"""Printable ASCII without space, quotation mark and backslash, which parsers disagree about."""
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}\Z)({LABEL}\.)+{LABEL}")
NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
RESOLVE_WITHIN_S = 3.0
DEFAULT_PORTS = {"https": 443, "http": 80}

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses; raises ``OSError`` where there are none."""


class ForbiddenDestination(Exception):
    """The destination may not be called; the text is one sentence for who supplied it."""


class Destination(Struct, frozen=True, kw_only=True):
    """A URL that was judged, and the one address to connect to."""

    url: str
    host: str
    address: str


class Guard:
    """Judges destinations. ``exempt`` are networks that may be called though they are not public."""

    def __init__(
        self,
        *,
        ports: Iterable[int] = (443,),
        plain_http: bool = False,
        exempt: Iterable[str] = (),
        resolve: Resolve | None = None,
    ) -> None:
        self._ports = frozenset(ports)
        self._schemes = ("https", "http") if plain_http else ("https",)
        self._exempt = networks(exempt)
        self._resolve = resolve or _resolved

    async def judge(self, url: str) -> Destination:
        """Where ``url`` leads, if it may be called.

        Raises:
            ForbiddenDestination: it may not, or leads nowhere.
        """
        parts = _split(url)
        if parts.scheme not in self._schemes:
            raise ForbiddenDestination(f"The URL must begin with {' or '.join(self._schemes)}.")
        if "@" in parts.netloc:
            raise ForbiddenDestination("The URL must hold no user name and no password.")
        port = _port(parts)
        if port not in self._ports:
            allowed = ", ".join(map(str, sorted(self._ports)))
            raise ForbiddenDestination(f"The port {port} is not allowed; these are: {allowed}.")
        host = _host(parts)
        addresses = await self._addresses(host, port)
        if not all(is_public(address, self._exempt) for address in addresses):
            raise ForbiddenDestination("The URL leads into a network that is not public.")
        netloc = f"[{host}]" if ":" in host else host
        query = f"?{parts.query}" if parts.query else ""
        whole = f"{parts.scheme}://{netloc}:{port}{parts.path or '/'}{query}"
        return Destination(url=whole, host=host, address=addresses[0])

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        if ":" in host or NUMBER.fullmatch(host.rpartition(".")[2]):
            return (host,)
        try:
            async with asyncio.timeout(RESOLVE_WITHIN_S):
                found = await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            found = ()
        if not found:
            raise ForbiddenDestination("The URL's host has no address.")
        return found


def _split(url: str) -> SplitResult:
    if not URL.fullmatch(url):
        raise ForbiddenDestination("The URL must be up to 2000 printable ASCII characters; escape what is not.")
    try:
        return urlsplit(url)
    except ValueError:
        raise ForbiddenDestination("The URL can't be read.") from None


def _port(parts: SplitResult) -> int:
    try:
        return DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        raise ForbiddenDestination("The URL's port can't be read.") from None


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    try:
        if parts.netloc.startswith("["):
            return str(IPv6Address(host))
        if NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except ValueError:
        raise ForbiddenDestination("An address must be spelled in its usual form.") from None
    if not NAME.fullmatch(host):
        raise ForbiddenDestination("The URL's host must be a full name, such as hooks.example.com.")
    return host


async def _resolved(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
