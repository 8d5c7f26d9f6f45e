"""The way out to a mail server, against a real one: what is refused for good, for now, or not known."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from governance.call import ManualClock, SystemClock
from governance.contract.refusals import DeadlineExceeded, SystemUnavailable
from governance.egress import Egress, MailRefused, VendorSettings
from governance.egress.breaker import BreakerSettings
from governance.egress.mail import MailClient, MailServer
from governance.egress.maintenance import Window
from tests.governance.egress.certificates import authority_and_server
from tests.system_apis.notifications.mail_server import PASSWORD, USER, MailHost

pytestmark = pytest.mark.anyio
MAIL = b"Subject: Hello\r\n\r\nA line.\r\n.\r\nAnother.\r\n"
FROM, TO = "desk@shop.example", "buyer@acme.example"


def client(settings: VendorSettings | None = None, egress: Egress | None = None) -> MailClient:
    return (egress or Egress(clock=SystemClock())).mail("notifications", settings or VendorSettings())


async def send(host: MailServer, way_out: MailClient | None = None) -> str:
    way_out = way_out or client()
    return await way_out.send(host, FROM, TO, MAIL)


@pytest.fixture
async def host(anyio_backend: str) -> AsyncIterator[MailHost]:
    async with MailHost() as host:
        yield host


@pytest.fixture
def authority(tmp_path: Path) -> tuple[str, ssl.SSLContext]:
    return authority_and_server(tmp_path, "localhost")


async def test_a_message_is_handed_over(host: MailHost) -> None:
    assert "7F3A" in await send(host.at("none"))
    assert host.envelopes == [(FROM, [TO])]


@pytest.mark.rule("RFC 5321 §4.5.2", "a line of one dot in a message does not end it")
async def test_a_dot_alone_does_not_end_a_message(host: MailHost) -> None:
    await send(host.at("none"))
    (mail,) = host.taken
    assert mail.get_payload() == "A line.\r\n.\r\nAnother.\r\n"
    assert host.connections == 1


@pytest.mark.rule("RFC 5321 §4.2.1", "5yz to a reader or a message is a refusal for good")
@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_a_permanent_refusal_is_told_as_one(host: MailHost, command: str) -> None:
    host.replies[command] = ["550 5.1.1 No such mailbox"]
    with pytest.raises(MailRefused) as refused:
        await send(host.at("none"))
    assert (refused.value.code, "No such mailbox" in refused.value.words) == (550, True)
    assert host.taken == []


@pytest.mark.rule("RFC 5321 §4.2.1", "4yz is a refusal for now: the same may be tried later")
@pytest.mark.parametrize(("command", "reply"), [("RCPT", "450 4.2.1 Greylisted"), ("DATA", "451 4.3.0 Later")])
async def test_a_transient_refusal_is_an_outage(host: MailHost, command: str, reply: str) -> None:
    host.replies[command] = [reply]
    way_out = client()
    with pytest.raises(SystemUnavailable):
        await send(host.at("none"), way_out)
    assert "7F3A" in await send(host.at("none"), way_out)


async def test_a_refusal_of_ourselves_says_nothing_about_the_message(host: MailHost) -> None:
    host.replies["MAIL"] = ["553 5.7.1 Not your address"]
    with pytest.raises(SystemUnavailable):
        await send(host.at("none"))


@pytest.mark.rule("RFC 5321 §4.5.4.1", "without an answer to the message's end nobody knows whether it was taken")
async def test_a_lost_answer_is_an_outage_though_the_message_is_there(host: MailHost) -> None:
    host.replies["DATA"] = ["drop"]
    with pytest.raises(SystemUnavailable):
        await send(host.at("none"))
    assert len(host.taken) == 1


async def test_a_slow_server_is_left_in_time(host: MailHost) -> None:
    host.replies["DATA"] = ["hang"]
    with pytest.raises(DeadlineExceeded):
        await send(host.at("none"), client(VendorSettings(read_timeout_s=0.2)))
    host.replies["RCPT"] = ["hang"]
    with pytest.raises(DeadlineExceeded):
        await send(host.at("none"), client(VendorSettings(total_timeout_s=0.2)))


async def test_nobody_there_is_an_outage() -> None:
    async with MailHost() as host:
        gone = host.at("none")
    with pytest.raises(SystemUnavailable):
        await send(gone)


@pytest.mark.rule("RFC 3207 §4", "mail goes in TLS or not at all, under a certificate of the server's name")
async def test_starttls_is_demanded_and_verified(authority: tuple[str, ssl.SSLContext]) -> None:
    ca_file, context = authority
    async with MailHost(tls=context, login=True) as host:
        server = host.at("starttls", username=USER, password=PASSWORD)
        assert "7F3A" in await send(server, client(VendorSettings(ca_file=ca_file)))
        with pytest.raises(SystemUnavailable):
            await send(server, client())
        with pytest.raises(SystemUnavailable):
            await send(host.at("starttls", username=USER, password="wrong"), client(VendorSettings(ca_file=ca_file)))
    async with MailHost() as plain:
        with pytest.raises(SystemUnavailable):
            await send(plain.at("starttls"), client(VendorSettings(ca_file=ca_file)))
        assert plain.taken == []


@pytest.mark.rule("RFC 8314 §3.3", "implicit TLS is spoken from the first byte")
async def test_implicit_tls(authority: tuple[str, ssl.SSLContext]) -> None:
    ca_file, context = authority
    async with MailHost(tls=context, implicit=True) as host:
        assert "7F3A" in await send(host.at("tls"), client(VendorSettings(ca_file=ca_file)))
        with pytest.raises(SystemUnavailable):
            await send(host.at("tls"), client())


async def test_a_server_that_fails_is_left_alone_and_one_that_refuses_is_not(host: MailHost) -> None:
    settings = VendorSettings(breaker=BreakerSettings(least=2, percent=50, open_s=60))
    way_out = client(settings)
    host.replies["RCPT"] = ["450 4.2.1 Later"] * 3
    for _ in range(3):
        with pytest.raises(SystemUnavailable):
            await send(host.at("none"), way_out)
    assert "7F3A" in await send(host.at("none"), way_out)
    failing = client(settings)
    host.replies["MAIL"] = ["drop"] * 2
    for _ in range(2):
        with pytest.raises(SystemUnavailable):
            await send(host.at("none"), failing)
    before = host.connections
    with pytest.raises(SystemUnavailable) as left_alone:
        await send(host.at("none"), failing)
    assert (host.connections, left_alone.value.retry_after_s > 50) == (before, True)


async def test_maintenance_is_respected(host: MailHost) -> None:
    night = Window(begin="2026-01-01T00:00:00Z", until="2026-01-02T00:00:00Z")
    egress = Egress(clock=ManualClock())
    now = ManualClock().now()
    window = Window(begin=now.isoformat(), until=now.replace(year=now.year + 1).isoformat())
    with pytest.raises(SystemUnavailable) as refused:
        await send(host.at("none"), client(VendorSettings(maintenance=(night, window)), egress))
    assert (host.connections, refused.value.retry_after_s > 86_400) == (0, True)


async def test_places_bound_what_is_under_way(host: MailHost) -> None:
    host.replies["DATA"] = ["hang"]
    way_out = client(VendorSettings(concurrency=1, concurrency_without_store=1, total_timeout_s=0.3, queue_wait_s=0.1))
    await way_out.start()
    try:
        answers = await asyncio.gather(*(send(host.at("none"), way_out) for _ in range(2)), return_exceptions=True)
    finally:
        await way_out.stop()
    assert {type(answer) for answer in answers} == {DeadlineExceeded, SystemUnavailable}
    assert host.connections == 1
