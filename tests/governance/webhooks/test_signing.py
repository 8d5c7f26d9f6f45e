"""Signatures of Standard Webhooks: the published vector, and secrets."""

from __future__ import annotations

import pytest

from governance.webhooks import new_secret, standard_key, standard_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the specification."""


@pytest.mark.rule(
    "Standard Webhooks 1.0.0 §Signature scheme", "HMAC-SHA256 over id.timestamp.body in base64 behind v1."
)
def test_the_vector_of_the_specification() -> None:
    signature = standard_signature(
        [standard_key(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_new_and_of_the_stated_form() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(standard_key(one)) for one in secrets} == {32}
    assert {one[:6] for one in secrets} == {"whsec_"}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_" + "A" * 90, "whsec_not base64 at all at all"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret of Standard Webhooks"):
        standard_key(secret)
