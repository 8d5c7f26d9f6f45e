"""Whose address counts: spoofed headers, chains of proxies, and everything that stands in them instead of addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.wire.peer import ForwardedHeader, TrustedProxies, site

PROXIES = TrustedProxies(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])
RFC7239 = TrustedProxies(["10.0.0.0/8", "fd00::/8"], "forwarded")
CLIENT = "203.0.113.9"


def behind(proxies: TrustedProxies, value: str, address: str = "10.0.0.1", header: str = "") -> str:
    name = header or ("x-forwarded-for" if proxies is PROXIES else "forwarded")
    return proxies.peer(address, [(b"host", b"t"), (name.encode(), value.encode("latin-1"))])


@pytest.mark.parametrize(
    ("value", "peer"),
    [
        (CLIENT, CLIENT),
        (f"1.1.1.1, 2.2.2.2, {CLIENT}", CLIENT),
        (f"1.1.1.1,{CLIENT},10.9.9.9 , 192.0.2.7", CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        (f"::ffff:{CLIENT}", CLIENT),
        (f"{CLIENT}, ::ffff:10.1.1.1, fd00::5", CLIENT),
        ("10.2.2.2, 10.3.3.3", "10.2.2.2"),
        ("10.2.2.2", "10.2.2.2"),
    ],
)
def test_the_right_most_address_that_is_no_proxy_is_the_peer(value: str, peer: str) -> None:
    assert behind(PROXIES, value) == peer


@pytest.mark.parametrize("value", ["1.1.1.1", "10.0.0.1", "for=1.1.1.1", "", "unknown"])
@pytest.mark.parametrize("address", [CLIENT, "192.0.2.8", "2001:db8::1", "", "unix", "10.0.0.1.evil"])
def test_whoever_is_no_proxy_is_believed_nothing(address: str, value: str) -> None:
    assert behind(PROXIES, value, address) == address
    assert behind(RFC7239, value, address) == address


@pytest.mark.parametrize(
    "value",
    ["unknown", "", ",", f"{CLIENT}, unknown", f"{CLIENT},", f"{CLIENT}, _hidden", f"{CLIENT}, 10.0.0.256", "1.1.1.1 2.2.2.2",
     f"{CLIENT}, 010.0.0.1", "fe80::1%eth0\n", f"{CLIENT}, \x00", "١.1.1.1".encode().decode("latin-1"), f"{CLIENT}, 10.0.0.1:x"],
)  # fmt: skip
def test_what_is_no_address_leaves_the_proxy_as_the_peer(value: str) -> None:
    assert behind(PROXIES, value) == "10.0.0.1"


def test_the_last_proxy_that_vouches_is_the_peer_where_the_next_is_unreadable() -> None:
    assert behind(PROXIES, f"{CLIENT}, unknown, 10.7.7.7") == "10.7.7.7"


@pytest.mark.rule("RFC 7239 §5.2", "The address that a proxy was called from is the `for` of the element it adds")
@pytest.mark.parametrize(
    ("value", "peer"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};proto=http;by=10.0.0.1", CLIENT),
        (f'for=1.1.1.1, proto=https ; FOR="{CLIENT}"', CLIENT),
        (f'for="[2001:db8::1]:4711", for={CLIENT}, for=10.1.1.1', CLIENT),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        (f'for={CLIENT};host="a,b;for=1.1.1.1"', CLIENT),
        (f'for="{CLIENT}:80"', CLIENT),
    ],
)
def test_forwarded_is_read_by_its_grammar(value: str, peer: str) -> None:
    assert behind(RFC7239, value) == peer


@pytest.mark.rule("RFC 7239 §6", "An unknown or obfuscated identifier is no address")
@pytest.mark.parametrize(
    "value",
    ["for=unknown", 'for="_gazonk"', f"for={CLIENT}, for=_secret", f"for={CLIENT}, by=10.0.0.1", f"for={CLIENT};for=1.1.1.1",
     f'for="{CLIENT}', f"for={CLIENT} for=1.1.1.1", f"for = {CLIENT}", CLIENT, "for=", ";;", f'for="1.1.1.1, for={CLIENT}', f"for=1.1.1.1,, for={CLIENT}", f"nonsense, for={CLIENT}", 'for="' + "a" * 5000],
)  # fmt: skip
def test_a_forwarded_element_without_one_address_leaves_the_proxy(value: str) -> None:
    assert behind(RFC7239, value) == "10.0.0.1"


def test_only_the_header_that_the_proxies_set_is_read() -> None:
    assert behind(PROXIES, f"for={CLIENT}", header="forwarded") == "10.0.0.1"
    assert behind(RFC7239, CLIENT, header="x-forwarded-for") == "10.0.0.1"


def test_a_long_list_is_read_at_its_right_end() -> None:
    assert behind(PROXIES, "1.1.1.1, " * 10_000 + CLIENT) == CLIENT
    assert behind(PROXIES, f"{CLIENT}, " + "10.0.0.2, " * 40 + "10.0.0.3") == "10.0.0.2"


def test_a_header_that_came_in_parts_is_one_list() -> None:
    parts = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", CLIENT.encode()), (b"x-forwarded-for", b"10.1.1.1")]
    assert PROXIES.peer("10.0.0.1", parts) == CLIENT


def test_a_scope_is_seen_from_the_peer() -> None:
    scope = {"client": ("10.0.0.1", 4711), "headers": [(b"x-forwarded-for", CLIENT.encode())], "path": "/"}
    assert PROXIES.seen_from(scope) == {**scope, "client": (CLIENT, 0)}
    for unchanged in ({**scope, "client": (CLIENT, 4711)}, {**scope, "headers": []}, {**scope, "client": None}):
        assert PROXIES.seen_from(unchanged) is unchanged


@given(st.binary(max_size=80), st.sampled_from(("x-forwarded-for", "forwarded")))
def test_no_header_is_an_error(value: bytes, header: ForwardedHeader) -> None:
    proxies = TrustedProxies(["10.0.0.0/8"], header)
    assert proxies.peer("10.0.0.1", [(header.encode(), value)])
    assert proxies.peer("10.0.0.1", []) == "10.0.0.1"


@given(st.lists(st.ip_addresses().map(str), max_size=6), st.ip_addresses(network="203.0.113.0/24").map(str))
def test_whatever_a_client_claims_it_stays_who_it_is(claims: list[str], client: str) -> None:
    """The client sends any list; its proxy adds the address that it sees."""
    assert behind(PROXIES, ", ".join([*claims, client])) == client
    assert behind(RFC7239, ", ".join([f'for="{claim}"' for claim in claims] + [f"for={client}"])) == client


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (CLIENT, CLIENT),
        (f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("somebody", "somebody"),
    ],
)
def test_an_ipv6_network_of_a_host_is_one_peer(peer: str, counted: str) -> None:
    assert site(peer) == counted


@pytest.mark.parametrize("network", ["10.0.0.1/8", "everywhere", "", "10.0.0.0/40"])
def test_a_network_that_is_none_is_named(network: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        TrustedProxies([network])
