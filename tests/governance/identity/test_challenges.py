"""RFC 6750 §3 and RFC 9728 §5.1."""

from __future__ import annotations

from governance.identity import Challenges

CHALLENGES = Challenges("https://gw.example/")
METADATA = 'resource_metadata="https://gw.example/.well-known/oauth-protected-resource/process"'


def test_without_credentials_no_error_is_named() -> None:
    assert CHALLENGES.missing("process").decode() == f'Bearer realm="tiergate", {METADATA}'


def test_a_bad_token_is_named_with_its_reason() -> None:
    assert CHALLENGES.invalid_token("process", "The token has expired.").decode() == (
        f'Bearer realm="tiergate", error="invalid_token", error_description="The token has expired.", {METADATA}'
    )


def test_a_lacking_scope_is_named() -> None:
    challenge = CHALLENGES.insufficient_scope("process", "a.b:read").decode()
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="a.b:read"' in challenge


def test_nothing_breaks_out_of_the_quotes() -> None:
    challenge = CHALLENGES.invalid_token("process", 'x", error="none\r\nset-cookie: a\\é').decode()
    assert "\r" not in challenge
    assert "\n" not in challenge
    assert "\\" not in challenge
    assert challenge.count('"') == 8
