"""Mail by SMTP against a real server: once for each reference, whatever is lost, refused, or killed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from governance.call import ManualClock
from governance.contract.refusals import SystemUnavailable
from governance.database import Database
from governance.egress import Egress, VendorSettings
from system_apis.canonical.refusals import MessageRefused
from system_apis.notifications.connectors.smtp import outbox
from system_apis.notifications.connectors.smtp.connector import Connector, Settings
from system_apis.notifications.contents import OrderCancelled
from system_apis.notifications.messages import EmailAddress
from tests.system_apis.notifications.conformance import OUTGOING, NotificationsPortConformance
from tests.system_apis.notifications.mail_server import MailHost

pytestmark = pytest.mark.anyio


class Post:
    """A connector, the server that it hands over to, and the clock."""

    def __init__(self, host: MailHost, home: Path) -> None:
        self.host = host
        self.clock = ManualClock()
        self.database = Database(home)
        self.port = self.connector()

    def connector(self, **more: str) -> Connector:
        """Another process's connector on the same outbox."""
        settings = Settings(
            host="localhost",
            port=self.host.port,
            sender="desk@shop.example",
            sender_name="Büro",
            security="none",
            **more,
        )
        way_out = Egress(clock=self.clock).mail("notifications", VendorSettings(read_timeout_s=0.5))
        return Connector(settings, way_out, self.database, self.clock)


@pytest.fixture
async def post(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Post]:
    async with MailHost() as host:
        post = Post(host, tmp_path)
        await post.database.start()
        yield post
        await post.database.stop()


@pytest.fixture
def port(post: Post) -> Connector:
    return post.port


class TestConformance(NotificationsPortConformance):
    """The SMTP connector under the suite of its port."""


@pytest.mark.rule("RFC 5322 §3.6.4", "what is sent again under one reference has one Message-ID")
async def test_a_lost_answer_is_sent_again_as_the_same_message(post: Post) -> None:
    post.host.replies["DATA"] = ["drop"]
    with pytest.raises(SystemUnavailable):
        await post.port.send_message(OUTGOING, "r-1")
    unknown = await post.port.find_message_by_reference("r-1")
    assert unknown is not None
    assert unknown.status == "accepted"
    sent = await post.port.send_message(OUTGOING, "r-1")
    assert sent.status == "sent"
    first, second = post.host.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()
    await post.port.send_message(OUTGOING, "r-1")
    assert len(post.host.taken) == 2, "once it is known to be there, it is not sent again"


async def test_a_process_that_died_with_a_message_holds_it_up_for_its_lease_only(post: Post) -> None:
    post.host.replies["DATA"] = ["hang"]
    dying = asyncio.create_task(post.port.send_message(OUTGOING, "r-1"))
    async with asyncio.timeout(30):
        while not post.host.taken:
            await asyncio.sleep(0.01)
    other = post.connector()
    with pytest.raises(SystemUnavailable) as busy:
        await other.send_message(OUTGOING, "r-1")
    assert "on its way" in busy.value.detail
    post.clock.advance(16)
    assert (await other.send_message(OUTGOING, "r-1")).status == "sent"
    with pytest.raises(Exception, match="in time"):
        await dying
    known = await other.find_message_by_reference("r-1")
    assert known is not None
    assert known.status == "sent", "the late failure does not take back what another knows"


async def test_a_refusal_for_good_stays_one(post: Post) -> None:
    post.host.replies["RCPT"] = ["550 5.1.1 No such mailbox"]
    for _ in range(2):
        with pytest.raises(MessageRefused) as refused:
            await post.port.send_message(OUTGOING, "r-1")
        assert (refused.value.code, "No such mailbox" in refused.value.detail) == (550, True)
    assert post.host.connections == 1
    kept = await post.port.find_message_by_reference("r-1")
    assert kept is not None
    assert (kept.status, "No such mailbox" in kept.refusal) == ("refused", True)


async def test_a_refusal_for_now_is_tried_again(post: Post) -> None:
    post.host.replies["RCPT"] = ["450 4.2.1 Greylisted"]
    with pytest.raises(SystemUnavailable):
        await post.port.send_message(OUTGOING, "r-1")
    assert (await post.port.send_message(OUTGOING, "r-1")).status == "sent"


async def test_the_mail_is_what_mail_systems_expect(post: Post) -> None:
    await post.connector(reply_to="help@shop.example").send_message(OUTGOING, "r-1")
    (mail,) = post.host.taken
    assert str(mail["From"]) == "Büro <desk@shop.example>"
    assert str(mail["To"]) == "Käthe <buyer@acme.example>"
    assert str(mail["Reply-To"]) == "help@shop.example"
    assert str(mail["Subject"]) == "Ihre Bestellung PO-1 ist bestätigt"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "de")
    assert mail["Message-ID"].endswith("@shop.example>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, html = mail.iter_parts()
    assert "1.234,56\xa0€" in text.get_content()
    assert "<p>Guten Tag,</p>" in html.get_content()


@pytest.mark.rule("RFC 5322 §2.2", "no value can add a header or end the message")
@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@acme.example", "x\n.\nMAIL FROM:<a@b.example>", "x\r\n.\r\nQUIT", "\x0bx"]
)
async def test_no_parameter_reaches_the_protocol(post: Post, evil: str) -> None:
    content = OrderCancelled(order_id="ord-1", order_reference=evil, reason=evil)
    await post.port.send_message(replace(OUTGOING, content=content), "r-1")
    (mail,) = post.host.taken
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])
    assert post.host.envelopes == [("desk@shop.example", ["buyer@acme.example"])]
    assert "Auto-Submitted" in mail
    last = list(mail.iter_parts())[-1].get_content()
    assert last.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: c@d.example", "a@b.example>", "a b@c.example", "a@b.example, c@d.example", "a@"]
)
def test_an_address_is_one_address(address: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(address, EmailAddress)


def test_a_password_is_not_sent_in_clear() -> None:
    with pytest.raises(ValueError, match="clear"):
        Settings(host="mail.example", sender="a@b.example", security="none", username="u", password="p")


async def test_a_database_that_is_away_is_an_outage(post: Post) -> None:
    await post.database.stop()
    with pytest.raises(SystemUnavailable):
        await post.port.send_message(OUTGOING, "r-1")
    assert post.host.connections == 0
    await post.database.start()


async def test_what_is_known_to_be_sent_stays_so(post: Post) -> None:
    sent = await post.port.send_message(OUTGOING, "r-1")
    seq = int(sent.message_id.removeprefix("MSG-"))
    late = await post.database.write(lambda connection: outbox.refused(connection, seq, 550, "too late"))
    assert late == sent
