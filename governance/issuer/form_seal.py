"""The seal of the sign-in form: what is posted was asked for in this browser, a short while ago.

The form carries the client's request and a seal over it, the time and a random value that only this
browser has, in a cookie that no other site's form can send (``SameSite=Strict``, ``HttpOnly``, and the
``__Host-`` prefix where the gateway has TLS). So no other site can post the form, and what the user
was shown is what the user grants. Any process of the gateway can open what another sealed.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe

from governance.call import Clock

OPEN_S = 600
"""How long the form may stay open."""


class FormSeal:
    """Seals with ``key``; ``secure`` where browsers reach the gateway by TLS."""

    def __init__(self, key: bytes, clock: Clock, *, secure: bool) -> None:
        self._key = key
        self._clock = clock
        self._secure = secure
        self._name = "__Host-tiergate-sign-in" if secure else "tiergate-sign-in"

    def browser(self, cookie_header: str) -> str:
        """The random value of the browser, empty where it has none."""
        try:
            found = SimpleCookie(cookie_header).get(self._name)
        except CookieError:
            return ""
        return found.value if found and len(found.value) >= 32 else ""

    def new_browser(self) -> str:
        """A random value for a browser that has none."""
        return token_urlsafe(32)

    def cookie(self, browser: str) -> str:
        """The ``Set-Cookie`` header."""
        return f"{self._name}={browser}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if self._secure else ''}"

    def seal(self, query: str, browser: str) -> str:
        """A seal over the request for this browser."""
        until = int(self._clock.now().timestamp()) + OPEN_S
        return f"{until}.{self._digest(query, browser, until)}"

    def holds(self, seal: str, query: str, browser: str) -> bool:
        """Whether the seal was made for this request in this browser, and is not too old."""
        until, _, given = seal.partition(".")
        if not (browser and until.isascii() and until.isdecimal() and len(until) < 16):
            return False
        fits = hmac.compare_digest(given.encode(), self._digest(query, browser, int(until)).encode())
        return fits and int(until) > self._clock.now().timestamp()

    def _digest(self, query: str, browser: str, until: int) -> str:
        said = "\x00".join((browser, str(until), query))
        return urlsafe_b64encode(hmac.digest(self._key, said.encode(), hashlib.sha256)).decode().rstrip("=")
