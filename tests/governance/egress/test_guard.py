"""Destinations that users supply lead to the public internet or nowhere, and to what was judged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress import ForbiddenDestination, GuardedClient, Outgoing
from governance.egress.addresses import is_public
from governance.egress.figures import EgressFigures
from governance.egress.guard import Guard
from governance.egress.wire import Bounds
from tests.governance.egress.vendor import Behaviour, Vendor, answering, hanging, hanging_up, nobody_there, trickling

pytestmark = pytest.mark.anyio
PUBLIC = "93.184.215.14"


class Names:
    """A resolver that answers as it is told, in turn; the last answer goes on."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.rule("RFC 6890 §2.2", "Addresses of special purpose are no destination")
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.1",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:93.184.215.14", "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1",
        "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2a00:1450::5efe:7f00:1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "1.1.1.1", "100.63.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2a00:1450:4001::200e"],
)
def test_what_is_public_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd", "//hooks.example.com/", "hooks.example.com",
        "https://", "https:///a", "https://user@hooks.example.com/", "https://user:secret@hooks.example.com/",
        "https://93.184.215.14@127.0.0.1/", "https://hooks.example.com:22/", "https://hooks.example.com:8443/",
        "https://hooks.example.com:0/", "https://hooks.example.com:99999/", "https://hooks.example.com:x/",
        "https://localhost/", "https://intranet/", "https://hooks..example.com/", "https://-a.example.com/",
        "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/", "https://0177.0.0.1/",
        "https://127.1/", "https://127.0.1/", "https://1.1.1.1.1/", "https://a.0x7f/", "https://hooks.example.1/",
        "https://127.0.0.1./", "https://%31%32%37.0.0.1/", "https://127。0。0。1/", "https://①②⑦.⓪.⓪.①/",
        "https://hooks.example.com\\@127.0.0.1/", "https://hooks.example.com /", "https://hooks.example.com/\n", "\thttps://hooks.example.com/",
        "https://hooks.exam\u00adple.com/", "https://[::1", "https://[127.0.0.1]/", "https://" + "a" * 2_000 + ".com/",
    ],
)  # fmt: skip
async def test_what_is_no_plain_public_https_url_is_refused_before_anything_is_asked(url: str) -> None:
    names = Names([PUBLIC])
    with pytest.raises(ForbiddenDestination):
        await Guard(resolve=names).judge(url)
    assert names.asked == 0


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("https://hooks.example.com", "https://hooks.example.com:443/"),
        ("https://HOOKS.example.com.:443/a%2Fb?c=d#e", "https://hooks.example.com:443/a%2Fb?c=d"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:443/"),
        ("https://1.1.1.1/", "https://1.1.1.1:443/"),
        ("https://[2A00:1450:0::1]/", "https://[2a00:1450::1]:443/"),
    ],
)
async def test_a_public_destination_is_pinned(url: str, whole: str) -> None:
    destination = await Guard(resolve=Names([PUBLIC, "1.1.1.1"])).judge(url)
    assert destination.url == whole
    assert destination.address in {PUBLIC, "1.1.1.1", "2a00:1450::1"}


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], ["::ffff:127.0.0.1"], []]
)
async def test_a_name_must_have_public_addresses_only(addresses: list[str]) -> None:
    with pytest.raises(ForbiddenDestination) as caught:
        await Guard(resolve=Names(addresses)).judge("https://hooks.example.com/")
    assert not any(address in str(caught.value) for address in addresses), "what is inside is not told"


async def test_a_name_without_an_address_is_refused() -> None:
    async def fails(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    with pytest.raises(ForbiddenDestination, match="no address"):
        await Guard(resolve=fails).judge("https://hooks.example.com/")


def guarded(vendor: Vendor, names: Names) -> GuardedClient:
    """A client that may call one address and port of this machine, by plain http."""
    guard = Guard(ports=(vendor.port,), plain_http=True, exempt=("127.0.0.1/32",), resolve=names)
    return GuardedClient(guard, EgressFigures())


def hook(vendor: Vendor) -> Outgoing:
    return Outgoing(
        method="POST", url=f"http://hooks.example.com:{vendor.port}/in?a=b", headers={"X-Id": "7"}, body=b"event"
    )


async def test_it_connects_to_what_was_judged_under_the_name_that_was_given() -> None:
    async with Vendor(answering(202)) as vendor:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        assert (await guarded(vendor, names).send(hook(vendor))).status == 202
    (asked,) = vendor.asked
    assert (asked.method, asked.target, asked.body, asked.headers["x-id"]) == ("POST", "/in?a=b", b"event", "7")
    assert asked.headers["host"] == f"hooks.example.com:{vendor.port}"
    assert names.asked == 1, "a second answer would be another address"


async def test_a_name_that_answers_otherwise_later_is_judged_anew() -> None:
    async with Vendor(answering(202)) as vendor:
        client = guarded(vendor, Names(["127.0.0.1"], ["127.0.0.2"]))
        await client.send(hook(vendor))
        with pytest.raises(ForbiddenDestination):
            await client.send(hook(vendor))
        assert len(vendor.asked) == 1
        assert vendor.connections == 1


async def test_a_redirect_into_the_inside_is_not_followed() -> None:
    async with Vendor(answering(307, b"", {"location": "http://169.254.169.254/latest"})) as vendor:
        assert (await guarded(vendor, Names(["127.0.0.1"])).send(hook(vendor))).status == 307
        assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("behave", "expected"),
    [(hanging, DeadlineExceeded), (trickling, DeadlineExceeded), (hanging_up, SystemUnavailable)],
)
async def test_a_destination_that_misbehaves_is_left_in_time(behave: Behaviour, expected: type[Exception]) -> None:
    bounds = Bounds(connect_s=0.1, read_s=0.1, total_s=0.2, most_bytes=1_000_000)
    async with Vendor(behave) as vendor:
        with pytest.raises(expected):
            await guarded(vendor, Names(["127.0.0.1"])).send(hook(vendor), bounds)
        assert len(vendor.asked) == 1, "nothing is repeated here"


async def test_a_destination_where_nobody_is_is_unavailable() -> None:
    vendor = Vendor(answering())
    vendor.port = int(nobody_there().rpartition(":")[2])
    with pytest.raises(SystemUnavailable):
        await guarded(vendor, Names(["127.0.0.1"])).send(hook(vendor))
