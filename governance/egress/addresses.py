"""Which addresses are the public internet: what a destination that a user supplied may be.

Denied is everything that the IANA special-purpose registries (RFC 6890 §2.2) don't give to the public:
private, loopback, link-local, shared (carrier NAT), benchmarking, documentation, multicast, reserved. Of IPv6 only
global unicast (2000::/3) is left, and of that nothing that carries an IPv4 address in it (6to4, Teredo,
ISATAP); IPv4-mapped, IPv4-compatible and NAT64 addresses lie outside it. The lists stand here, because
those of ``ipaddress`` differ between releases of Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

DENIED_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
GLOBAL_IPV6 = IPv6Network("2000::/3")
DENIED_IPV6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def is_public(address: str, exempt: Iterable[Network] = ()) -> bool:
    """Whether ``address`` is public, or in a network that is ``exempt``.

    Raises:
        ValueError: it is no address.
    """
    found = ip_address(address.partition("%")[0])
    if any(found in network for network in exempt):
        return True
    if isinstance(found, IPv4Address):
        return not any(found in network for network in DENIED_IPV4)
    return found in GLOBAL_IPV6 and not any(found in network for network in DENIED_IPV6) and not _isatap(found)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks that ``texts`` spell.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ip_network(text) for text in texts)


def _isatap(address: IPv6Address) -> bool:
    return (int(address) >> 32) & 0xFFFFFFFF in ISATAP
