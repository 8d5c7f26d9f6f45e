"""How commands ask a running gateway: its HTTP API, under a token, so that scopes, audit and If-Match hold for them.

A command that changes something never goes to the tables: what people do from a terminal is theirs,
with their name in the account of it. Without a token a client of the embedded issuer is used, the
quick start's unless another is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import click

from gateway.cli.failure import CONFIGURATION, Failure

Command = TypeVar("Command", bound=Callable[..., Any])
CLIENT = "operations-demo"
TIMEOUT_S = 30.0
PAGE = 200


def reaching(command: Command) -> Command:
    """Add the options that say which gateway is asked, and as whom."""
    for option in (
        click.option("--url", metavar="URL", help="The gateway's base URL. [default: as in the settings here]"),
        click.option("--token", envvar="TIERGATE_TOKEN", help="An access token; instead of --client."),
        click.option(
            "--client", envvar="TIERGATE_CLIENT", metavar="ID", help=f"A client of its issuer. [default: {CLIENT}]"
        ),
        click.option(
            "--secret", envvar="TIERGATE_CLIENT_SECRET", help="Its secret. [default: <id>-secret, the demo clients']"
        ),
    ):
        command = option(command)
    return command


class Gateway:
    """One gateway, asked as somebody."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._token = token

    @classmethod
    def reached(cls, url: str | None, token: str | None, client: str | None, secret: str | None) -> Gateway:
        """The gateway that the options name.

        Raises:
            Failure: nobody answers, or there is no token to be had.
        """
        from gateway.cli.here import settings_here
        from gateway.cli.token import fetch_token

        settings = settings_here()
        base_url = (url or settings.remote_url("process") or settings.local_url).rstrip("/")
        if token:
            return cls(base_url, token)
        name = client or CLIENT
        issuer_url = (url or settings.local_url).rstrip("/")
        return cls(base_url, fetch_token(issuer_url, name, secret or f"{name}-secret"))

    def get(self, path: str, **query: Any) -> Any:
        """The document at a path."""
        return self._asked("GET", path, query=query)

    def every(self, path: str, most: int, **query: Any) -> Iterator[Any]:
        """The items of a list, page by page, ``most`` of them at most."""
        cursor: str | None = None
        while most > 0:
            page = self.get(path, **query, limit=min(most, PAGE), cursor=cursor)
            yield from page["items"]
            most -= len(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a POST answers, under a key of its own."""
        return self._asked("POST", path, body=body, headers={"Idempotency-Key": uuid4().hex})

    def put(self, path: str, body: Mapping[str, Any], revision: int) -> Any:
        """What a PUT answers to somebody who saw this revision."""
        return self._asked("PUT", path, body=body, headers={"If-Match": f'"{revision}"'})

    def _asked(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        import httpx2

        try:
            answer = httpx2.request(
                method,
                self._base_url + path,
                params={name: value for name, value in (query or {}).items() if value is not None},
                json=body,
                headers={"Authorization": f"Bearer {self._token}", **(headers or {})},
                timeout=TIMEOUT_S,
            )
            said = answer.json()
        except httpx2.HTTPError as error:
            raise Failure(f"No gateway answers at {self._base_url} ({error}); start one with: tiergate serve") from None
        except ValueError:
            raise Failure(f"{self._base_url} is not a gateway: its answer to {path} is not JSON.") from None
        if answer.status_code >= 400:
            raise refusal(answer.status_code, said)
        return said


def refusal(status: int, problem: Mapping[str, Any]) -> Failure:
    """A problem as sentences: what is wrong, and what to do about it."""
    said = str(problem.get("detail") or problem.get("title") or f"The gateway answered {status}.")
    wrong = [
        f"{one.get('pointer') or one.get('parameter') or one.get('header')}: {one['detail']}"
        for one in problem.get("errors", ())
    ]
    match status:
        case 401:
            advice = ["Name a client with --client and --secret, or give a token with --token."]
        case 403:
            advice = [f"Its token lacks the scope {problem.get('scope', 'that this takes')}; use another client."]
        case 404:
            advice = ["Nothing of this id is there for you; tiergate trace finds what an id belongs to."]
        case 412:
            advice = ["Somebody did something about it meanwhile: look at it again, then decide."]
        case _:
            advice = []
    exit_code = CONFIGURATION if status in (400, 422) else 1
    return Failure(said, *(wrong if len(wrong) > 1 else ()), *advice, exit_code=exit_code)
