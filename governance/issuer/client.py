"""A consumer as Authlib's client model."""

from __future__ import annotations

from collections.abc import Collection

from authlib.oauth2.rfc6749 import ClientMixin

from governance.consumers import Consumer

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = ("client_credentials", "authorization_code", "refresh_token", EXCHANGE)
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
METHODS = (*SECRET_METHODS, "none")


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
        """Both ways to send a secret for clients that have one; none for public clients, which have none."""
        if self._consumer is None:
            return False
        return method == "none" if self._consumer.public else method in SECRET_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use this grant."""
        return grant_type in GRANTS and self.consumer.may_be_granted(grant_type)
