"""One request to the token endpoint, read strictly before Authlib sees it.

RFC 6749 §3.2: parameters come once, empty ones count as left out, the body is form-encoded UTF-8.
``resource`` alone may come several times (RFC 8707 §2).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload
from msgspec import Struct

FORM = "application/x-www-form-urlencoded"
LIMIT_BYTES = 8_192
MOST_FIELDS = 32


class TokenRequest(Struct, frozen=True, kw_only=True):
    """What came over HTTP. Header names are in lower case."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    query: str = ""
    peer: str = ""

    def header(self, name: str) -> str:
        """The one value of a header; empty where there is none.

        Raises:
            InvalidRequestError: it came more than once.
        """
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise InvalidRequestError(f"The header {name} came more than once.")
        return values[0] if values else ""


class FormPayload(OAuth2Payload):
    """The form as Authlib reads it."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    @property
    def data(self) -> dict[str, str]:
        """Parameter to value."""
        return self._fields


class FormRequest(OAuth2Request):
    """The request as Authlib reads it, with the resources that it names (RFC 8707)."""

    def __init__(self, endpoint: str, authorization: str, fields: dict[str, str], resources: tuple[str, ...]) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        # the stub leaves the deprecated body, which is not passed, without a type
        super().__init__("POST", endpoint, headers=headers)  # pyright: ignore[reportUnknownMemberType]
        self.payload = FormPayload(fields)
        self.fields = fields
        self.resources = resources

    @property
    def form(self) -> dict[str, str]:
        """The body's parameters."""
        return self.fields


def read_form(request: TokenRequest, endpoint: str) -> FormRequest:
    """The request in Authlib's terms.

    Raises:
        InvalidRequestError: it breaks RFC 6749 §3.2 or authenticates in two ways.
    """
    if request.query:
        raise InvalidRequestError("Parameters belong in the body, never in the address.")
    if request.header("content-type").split(";", 1)[0].strip().lower() != FORM:
        raise InvalidRequestError(f"Send the parameters as {FORM}.")
    pairs = _pairs(request.body)
    authorization = request.header("authorization")
    fields = {name: value for name, value in pairs if name != "resource"}
    if authorization and "client_secret" in fields:
        raise InvalidRequestError("Authenticate in one way: Basic or client_secret, not both.")
    resources = tuple(value for name, value in pairs if name == "resource")
    return FormRequest(endpoint, authorization, fields, resources)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    if len(body) > LIMIT_BYTES:
        raise InvalidRequestError("The body is larger than 8 KiB.")
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:  # UnicodeDecodeError is one
        raise InvalidRequestError("The body is no form-encoded UTF-8.") from error
    _refuse_repeats(name for name, _ in pairs if name != "resource")
    return pairs


def _refuse_repeats(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidRequestError("A parameter came more than once.")
        seen.add(name)
