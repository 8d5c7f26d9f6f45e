"""A consumer as Authlib's client model."""

from __future__ import annotations

from collections.abc import Collection

from authlib.oauth2.rfc6749 import ClientMixin

from governance.consumers import Consumer

GRANTS = ("client_credentials",)
METHODS = ("client_secret_basic", "client_secret_post")


class OAuthClient(ClientMixin):
    """``consumer`` None stands for a client that does not exist: no secret ever fits, as with a wrong secret."""

    def __init__(self, client_id: str, consumer: Consumer | None) -> None:
        self.client_id = client_id
        self._consumer = consumer

    @property
    def consumer(self) -> Consumer:
        """The consumer behind an authenticated client.

        Raises:
            LookupError: there is none.
        """
        if self._consumer is None:
            raise LookupError(self.client_id)
        return self._consumer

    def get_client_id(self) -> str:
        """The client id."""
        return self.client_id

    def get_allowed_scope(self, scope: Collection[str] | str) -> str:
        """The part of ``scope`` that the client holds."""
        asked = scope.split() if isinstance(scope, str) else scope
        return " ".join(one for one in asked if one in self.consumer.scopes)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether the secret is the client's; may take some 50 ms of CPU."""
        return self._consumer is not None and self._consumer.knows(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Both ways to send the secret, at every endpoint."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Every client may use the grants there are."""
        return grant_type in GRANTS
