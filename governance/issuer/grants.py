"""Grants that users gave to clients: one code each, then one refresh token after another.

Guarantees: a code and a refresh token work once, whichever of several processes they are sent to.
A second use of either revokes the whole grant: every refresh token of it, and its access tokens
(RFC 6749 §4.1.2, RFC 9700 §4.14.2). What is revoked stays so. Every method blocks, and raises
``DatabaseAway`` while the database is away: then nothing is issued.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from governance.call import Clock
from governance.database import Database, dialect_of, for_each_dialect
from governance.issuer.tables import grants, refresh_tokens, revoked

REVOKE = for_each_dialect(lambda insert: insert(revoked).on_conflict_do_nothing())
CODE_S = 60
REFRESH_S = 14 * 86_400
"""A refresh token that is not used for so long ends."""
GRANT_S = 90 * 86_400
"""After so long the user signs in again, however often the client refreshed."""
LATE_S = 120
"""More than a process's clock may differ, and a token outlive its time by leeway."""


class Approved(Struct, frozen=True, kw_only=True):
    """What a user gave a client, and how the code for it must be redeemed."""

    client_id: str
    username: str
    scope: str
    resources: tuple[str, ...] = ()
    redirect_uri: str
    code_challenge: str


class Grant(Struct, frozen=True, kw_only=True):
    """One grant as it is kept, found by its code or by a refresh token of it."""

    grant_id: str
    approved: Approved
    spent: bool
    """Whether the code or refresh token it was found by was used before."""
    live: bool
    """Whether that has not expired, and the grant was not revoked."""
    until_us: int


class Grants:
    """The grants of all processes; access tokens outlive a revocation by ``lifetime_s`` at most."""

    def __init__(self, database: Database, clock: Clock, lifetime_s: int) -> None:
        self._database = database
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._noting: list[Callable[[Mapping[str, int]], None]] = []

    def revokes(self, note: Callable[[Mapping[str, int]], None]) -> None:
        """Have ``note`` told, on the same thread, of what is revoked here: id to until when."""
        self._noting.append(note)

    def approve(self, approved: Approved) -> str:
        """Keep a new grant and give its code; grants that ended long ago are dropped."""
        code, now = token_urlsafe(32), self.now_us()
        row = {
            "grant_id": token_urlsafe(16),
            "client_id": approved.client_id,
            "username": approved.username,
            "scope": approved.scope,
            "resources": " ".join(approved.resources),
            "redirect_uri": approved.redirect_uri,
            "challenge": approved.code_challenge,
            "code_digest": digest(code),
            "code_until_us": now + CODE_S * 1_000_000,
            "until_us": now + GRANT_S * 1_000_000,
        }

        def write(connection: sa.Connection) -> None:
            connection.execute(sa.delete(grants).where(grants.c.until_us < now))
            connection.execute(sa.delete(revoked).where(revoked.c.until_us < now))
            connection.execute(sa.insert(grants).values(row))

        self._database.write_here(write)
        return code

    def of_code(self, code: str) -> Grant | None:
        """The grant of a code, spent or not; None where there is no such code."""
        found = _select(grants.c.code_until_us, grants.c.spent_us)
        return self._found(found.where(grants.c.code_digest == digest(code)))

    def of_refresh_token(self, token: str) -> Grant | None:
        """The grant of a refresh token, spent or not; None where there is no such token."""
        tokens = refresh_tokens
        found = _select(tokens.c.until_us, tokens.c.spent_us).join(tokens, tokens.c.grant_id == grants.c.grant_id)
        return self._found(found.where(tokens.c.digest == digest(token)))

    def redeem(self, grant: Grant, code: str, *, refreshable: bool) -> str | None:
        """Spend the code; the first refresh token, or "" for a client that gets none.

        None where another process spent it meanwhile: the grant is revoked then.
        """
        column = grants.c.spent_us
        spend = sa.update(grants).where(grants.c.code_digest == digest(code), column.is_(None))
        return self._replaced(grant, spend, refreshable=refreshable)

    def rotate(self, grant: Grant, token: str) -> str | None:
        """Spend the refresh token; its successor, or None as in ``redeem``."""
        tokens = refresh_tokens
        spend = sa.update(tokens).where(tokens.c.digest == digest(token), tokens.c.spent_us.is_(None))
        return self._replaced(grant, spend, refreshable=True)

    def revoke(self, grant: Grant) -> None:
        """End the grant with all its tokens."""
        self._database.write_here(lambda connection: self._end(connection, grant.grant_id))

    def revoke_token(self, jti: str, until_s: float) -> None:
        """End one access token, and what was exchanged for it, before its time."""
        until_us = int((until_s + LATE_S) * 1_000_000)
        self._database.write_here(lambda connection: self._add(connection, jti, until_us))

    def revoked_since(self, since_us: int) -> dict[str, int]:
        """What was revoked at ``since_us`` or later and still matters: id to until when."""
        wanted = sa.select(revoked.c.id, revoked.c.until_us).where(
            revoked.c.revoked_us >= since_us, revoked.c.until_us > self.now_us()
        )
        rows = self._database.read_here(lambda connection: connection.execute(wanted).all())
        return {row[0]: row[1] for row in rows}

    def now_us(self) -> int:
        """Now, in microseconds since 1970 UTC."""
        return microseconds(self._clock.now())

    def _found(self, select: sa.Select[Any]) -> Grant | None:
        row = self._database.read_here(lambda connection: connection.execute(select).mappings().first())
        if row is None:
            return None
        approved = Approved(
            client_id=row["client_id"],
            username=row["username"],
            scope=row["scope"],
            resources=tuple(row["resources"].split()),
            redirect_uri=row["redirect_uri"],
            code_challenge=row["challenge"],
        )
        now = self.now_us()
        live = row["revoked_us"] is None and row["found_until_us"] > now and row["until_us"] > now
        return Grant(
            grant_id=row["grant_id"],
            approved=approved,
            spent=row["found_spent_us"] is not None,
            live=live,
            until_us=row["until_us"],
        )

    def _replaced(self, grant: Grant, spend: sa.Update, *, refreshable: bool) -> str | None:
        now = self.now_us()
        token = token_urlsafe(32) if refreshable else ""
        row = {
            "digest": digest(token),
            "grant_id": grant.grant_id,
            "until_us": min(now + REFRESH_S * 1_000_000, grant.until_us),
        }

        def write(connection: sa.Connection) -> str | None:
            if connection.execute(spend.values(spent_us=now)).rowcount != 1:
                self._end(connection, grant.grant_id)
                return None
            if refreshable:
                connection.execute(sa.insert(refresh_tokens).values(row))
            return token

        return self._database.write_here(write)

    def _end(self, connection: sa.Connection, grant_id: str) -> None:
        now = self.now_us()
        end = sa.update(grants).where(grants.c.grant_id == grant_id, grants.c.revoked_us.is_(None))
        if connection.execute(end.values(revoked_us=now)).rowcount:
            self._add(connection, grant_id, now + (self._lifetime_s + LATE_S) * 1_000_000)

    def _add(self, connection: sa.Connection, revoked_id: str, until_us: int) -> None:
        row = {"id": revoked_id, "revoked_us": self.now_us(), "until_us": until_us}
        connection.execute(REVOKE[dialect_of(connection)], row)
        for note in self._noting:  # a transaction that fails after this has been answered with an error: then sooner
            note({revoked_id: until_us})


def _select(until: sa.Column[Any], spent: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(grants, until.label("found_until_us"), spent.label("found_spent_us"))


def digest(secret: str) -> str:
    """What is kept of a code or refresh token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return int(instant.timestamp() * 1_000_000)
