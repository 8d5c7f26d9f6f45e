"""Where a client may have users sent back to: RFC 8252 §7 and §8.3, RFC 9700 §2.1.

An address is compared exactly, character by character. One exception: of a loopback address the
port is the client's choice in each request, because a native app gets a free one (RFC 8252 §7.3).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from governance.consumers.errors import ConsumerError

PLAIN = re.compile(r"[!#-;=?-Z\[\]_a-z~%]+")
AUTHORITY = re.compile(r"[A-Za-z0-9.:\[\]-]*")
PRIVATE_USE = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
LOOPBACK = ("127.0.0.1", "::1")


def check_redirect_uri(where: str, uri: str) -> None:
    """Refuse an address to which no code should be sent.

    Raises:
        ConsumerError: it is relative, has a fragment or credentials, or leaves the machine without TLS.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise ConsumerError(f"{where}: the redirect URI {uri!r} is no address: {error}.") from error
    if not PLAIN.fullmatch(uri) or "#" in uri or "*" in uri or not AUTHORITY.fullmatch(parts.netloc):
        raise ConsumerError(f"{where}: the redirect URI {uri!r} can't hold a fragment, a name, a pattern or blanks.")
    loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    native = PRIVATE_USE.fullmatch(parts.scheme) and parts.path and not parts.netloc
    if not (loopback or native or (parts.scheme == "https" and parts.hostname and port != 0)):
        raise ConsumerError(
            f"{where}: the redirect URI {uri!r} must be https, http on 127.0.0.1 or [::1], "
            "or an app's own scheme such as com.example.app:/signed-in."
        )


def same_redirect(declared: str, asked: str) -> bool:
    """Whether ``asked`` is the declared address; on loopback with whatever port."""
    if declared == asked:
        return True
    base, parts = _loopback(declared), _loopback(asked)
    return base is not None and base == parts


def _loopback(uri: str) -> tuple[str, str] | None:
    """The address without its port, as host and the rest, where it is a loopback one."""
    found = re.fullmatch(r"http://(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?(/[^#]*|)", uri)
    if found is None or int(found[2] or 80) > 65_535:
        return None
    return found[1], found[3]
