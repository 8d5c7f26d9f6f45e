"""Where a store is: a Unix socket, or TCP with or without TLS.

Spellings: ``/path/to/socket``, ``unix:///path/to/socket?db=1``, ``redis://user:secret@host:6379/1`` and
``rediss://…`` (TLS, certificates verified; ``?ca_file=/path`` for an authority of one's own).
"""

from __future__ import annotations

import ssl
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

DEFAULT_PORT = 6379


class Address(Struct, frozen=True, kw_only=True):
    """A store's address and how to be let in. ``path`` is set for a Unix socket, ``host`` for TCP."""

    path: str = ""
    host: str = ""
    port: int = DEFAULT_PORT
    username: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    ca_file: str = ""

    def __repr__(self) -> str:
        return f"Address({self})"

    def __str__(self) -> str:
        place = self.path or f"{'rediss' if self.tls else 'redis'}://{self.host}:{self.port}"
        return f"{place} (database {self.database})" if self.database else place

    def greeting(self) -> list[tuple[str, ...]]:
        """The commands that let a new connection in: AUTH and SELECT where they are needed."""
        commands: list[tuple[str, ...]] = []
        if self.password:
            commands.append(("AUTH", self.username, self.password) if self.username else ("AUTH", self.password))
        if self.database:
            commands.append(("SELECT", str(self.database)))
        return commands

    def tls_context(self) -> ssl.SSLContext | None:
        """How the peer's certificate is verified; None without TLS.

        Raises:
            OSError: ``ca_file`` can't be read.
        """
        return ssl.create_default_context(cafile=self.ca_file or None) if self.tls else None


def parse_address(text: str) -> Address:
    """The address that ``text`` spells.

    Raises:
        ValueError: it is none; the message says what is, and repeats no secret.
    """
    if text.startswith("/"):
        return Address(path=text)
    url = urlsplit(text)
    options = parse_qs(url.query)
    unknown = options.keys() - {"db", "ca_file"}
    if unknown:
        raise ValueError(f"a store's address has the options db and ca_file, not {', '.join(sorted(unknown))}")
    database = _database(options.get("db", [""])[-1] or (url.path.strip("/") if url.scheme != "unix" else ""))
    username, password = unquote(url.username or ""), unquote(url.password or "")
    if url.scheme == "unix" and url.path.startswith("/"):
        return Address(path=unquote(url.path), database=database, username=username, password=password)
    if url.scheme in ("redis", "rediss") and url.hostname:
        return Address(
            host=url.hostname,
            port=url.port or DEFAULT_PORT,
            username=username,
            password=password,
            database=database,
            tls=url.scheme == "rediss",
            ca_file=options.get("ca_file", [""])[-1],
        )
    raise ValueError(
        "a store's address is /path/to/socket, unix:///path, redis://host:port/db or rediss://host:port/db"
    )


def _database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"the store's database must be a number, not {text!r}")
    return int(text or 0)
