"""Where the token stands in a request: in one ``Authorization: Bearer`` header and nowhere else.

Standards: RFC 6750 §2 (one method only), §2.1 (syntax) and RFC 9700 §4.3.2 (never in the address);
RFC 9110 §11.1 (the scheme's case does not matter).
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from governance.call import Request

TOKEN68 = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")
IN_QUERY = "access_token"


class AmbiguousCredentials(Exception):
    """Credentials came twice, or in the address. The message is fit for ``error_description``."""


def bearer_token(request: Request) -> bytes | None:
    """The bytes after ``Bearer``, unchecked; None where no bearer credentials came.

    Raises:
        AmbiguousCredentials: more than one header, or a token in the address.
    """
    if len(request.headers) != len(request.raw_headers):
        _refuse_repeated(request)
    if request.query:
        _refuse_in_query(request.query)
    value = request.headers.get(b"authorization")
    if value is None:
        return None
    if value.startswith(b"Bearer "):
        return value[7:]
    scheme, _, rest = value.strip().partition(b" ")
    return rest if scheme.lower() == b"bearer" else None


def well_formed(token: bytes) -> bool:
    """Whether the bytes are a ``b64token``."""
    return TOKEN68.fullmatch(token) is not None


def _refuse_repeated(request: Request) -> None:
    if sum(name == b"authorization" for name, _ in request.raw_headers) > 1:
        raise AmbiguousCredentials("The Authorization header came more than once.")


def _refuse_in_query(query: bytes) -> None:
    if b"token" not in query and b"%" not in query:
        return
    names = {name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)}
    if IN_QUERY in names:
        raise AmbiguousCredentials("A token never belongs in the address: send it in the Authorization header.")
