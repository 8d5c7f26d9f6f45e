"""Who is at the other end: the address that limits of peers are counted by, also behind proxies of one's own.

Guarantees: an address that a request names is believed only as far as trusted proxies vouch for it.
Each of them adds the address that it was called from at the right end of the list, so it is read
from the right: the first that is no trusted proxy is the peer, and whatever stands left of it is the
peer's own claim. A peer that is no trusted proxy itself is the peer, whatever it sends. Only the one
header that the proxies are said to set is read: one that they pass on unseen can be anybody's.

What can't be read (``unknown``, an obfuscated identifier, nonsense) ends the search: the proxy that
wrote it is the peer, so such requests share one limit and no made-up name gets one of its own.

Standards: RFC 7239 (Forwarded) §4, §5.2, §6, §7.4, §8.1; ``X-Forwarded-For`` has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal

ForwardedHeader = Literal["x-forwarded-for", "forwarded"]
Network = IPv4Network | IPv6Network

MOST_HOPS = 32
"""How many addresses are read, from the right; a chain of proxies is far shorter."""
MOST_BYTES = 4_096
"""The right end of the header that is read."""
REMEMBERED = 4_096
PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))\s*')
ESCAPED = re.compile(r"\\(.)")
WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::\d{1,5})?")


class TrustedProxies:
    """The networks of one's own proxies, and the header in which they say who called them."""

    def __init__(self, networks: Iterable[str], header: ForwardedHeader = "x-forwarded-for") -> None:
        """Networks are CIDR, such as ``10.0.0.0/8``, ``fd00::/8`` or one address.

        Raises:
            ValueError: one is none; host bits must be zero.
        """
        self._networks = tuple(_network(text) for text in networks)
        self._header = header.encode()
        self._read = _forwarded if header == "forwarded" else _x_forwarded_for
        self._trusts: Callable[[str], bool] = lru_cache(maxsize=REMEMBERED)(self._holds)

    def peer(self, address: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The peer of a connection from ``address`` whose request has these headers (names in lower case)."""
        if not self._trusts(address):
            return address
        values = [value for name, value in headers if name == self._header]
        if not values:
            return address
        peer = address
        for number, named in enumerate(self._read(b",".join(values))):
            if named is None or number == MOST_HOPS:
                return peer
            peer = named
            if not self._trusts(peer):
                return peer
        return peer

    def seen_from(self, scope: Mapping[str, Any]) -> Mapping[str, Any]:
        """An ASGI scope whose ``client`` is the peer; where a proxy spoke for it, its port is not known and 0."""
        client = scope.get("client")
        peer = self.peer(client[0], scope["headers"]) if client else ""
        return scope if not client or peer == client[0] else {**scope, "client": (peer, 0)}

    def _holds(self, address: str) -> bool:
        try:
            ip = _plain(ip_address(address))
        except ValueError:
            return False
        return any(ip.version == network.version and ip in network for network in self._networks)


@lru_cache(maxsize=REMEMBERED)
def site(peer: str) -> str:
    """What a peer is counted by: its IPv4 address, or the /64 of an IPv6 one, in which one host has any address."""
    try:
        ip = _plain(ip_address(peer.partition("%")[0]))
    except ValueError:
        return peer
    return str(ip) if ip.version == 4 else str(ip_network((int(ip) >> 64 << 64, 64)))


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network: write it such as 10.0.0.0/8 or 192.0.2.7 ({error})") from None


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that came in IPv6 clothes (RFC 4291 §2.5.5.2) is the IPv4 address."""
    return ip if ip.version == 4 or ip.ipv4_mapped is None else ip.ipv4_mapped


def _x_forwarded_for(value: bytes) -> Iterator[str | None]:
    """The addresses from right to left; None for what is none."""
    for element in reversed(value[-MOST_BYTES:].split(b",")):
        yield _address(element.decode("latin-1").strip())


def _forwarded(value: bytes) -> Iterator[str | None]:
    """The ``for`` of each element from right to left; None where it has none, or more than one.

    Read as a whole and from the left, as quotes demand: broken anywhere, it says nothing.
    """
    text, at = value.decode("latin-1"), 0
    named: list[list[str]] = [[]]
    while len(value) <= MOST_BYTES and (pair := PARAMETER.match(text, at)):
        name, quoted, token = pair.groups()
        if name.lower() == "for":
            named[-1].append(token if quoted is None else ESCAPED.sub(r"\1", quoted))
        at = pair.end() + 1
        separator = text[pair.end() : at]
        if not separator:
            yield from (_address(one[0]) if len(one) == 1 else None for one in reversed(named))
            return
        if separator == ",":
            named.append([])
        elif separator != ";":
            break
    yield None


@lru_cache(maxsize=REMEMBERED)
def _address(text: str) -> str | None:
    """The address in one spelling, without a port; None for what is none."""
    with_port = WITH_PORT.fullmatch(text)
    if "%" in text:  # a zone means something on the machine that wrote it alone
        return None
    try:
        return str(_plain(ip_address((with_port[1] or with_port[2]) if with_port else text)))
    except ValueError:
        return None
