"""TLS is verified: an unknown authority and another name are no connection, and a pinned one keeps its name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from governance.contract.refusals import SystemUnavailable
from governance.egress import Outgoing
from governance.egress.failures import NotConnected
from governance.egress.hop import HopClient
from governance.egress.wire import Bounds, Wire
from tests.governance.egress.certificates import authority_and_server
from tests.governance.egress.vendor import Vendor, answering

pytestmark = pytest.mark.anyio
HOST = "hooks.example.com"
BOUNDS = Bounds(connect_s=2, read_s=2, total_s=2, most_bytes=1_000)


class Secured:
    """A vendor that speaks TLS as ``HOST`` under an authority of its own."""

    def __init__(self, vendor: Vendor, ca_file: str) -> None:
        self.vendor = vendor
        self.ca_file = ca_file


@pytest.fixture
async def secured(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Secured]:
    ca_file, context = authority_and_server(tmp_path, HOST)
    async with Vendor(answering(200), tls=context) as vendor:
        yield Secured(vendor, ca_file)


async def ask(secured: Secured, host: str, *, ca_file: str) -> int:
    wire = Wire(ca_file=ca_file, address="127.0.0.1")
    await wire.start()
    try:
        outgoing = Outgoing(method="GET", url=f"https://{host}:{secured.vendor.port}/")
        return (await wire.exchange(outgoing, {}, BOUNDS)).status
    finally:
        await wire.stop()


async def test_the_name_of_the_url_is_verified_on_a_pinned_address(secured: Secured) -> None:
    assert await ask(secured, HOST, ca_file=secured.ca_file) == 200
    assert secured.vendor.asked[0].headers["host"] == f"{HOST}:{secured.vendor.port}"


async def test_another_name_is_no_connection(secured: Secured) -> None:
    with pytest.raises(NotConnected):
        await ask(secured, "other.example.com", ca_file=secured.ca_file)
    assert not secured.vendor.asked


async def test_an_unknown_authority_is_no_connection(secured: Secured) -> None:
    with pytest.raises(NotConnected):
        await ask(secured, HOST, ca_file="")
    client = HopClient()
    await client.start()
    with pytest.raises(SystemUnavailable):
        await client.send("GET", f"https://127.0.0.1:{secured.vendor.port}/", {}, None, 2.0)
    await client.stop()
    assert not secured.vendor.asked
