"""Who calls: token verification, key sources, hop tokens between the processes of one gateway."""

from governance.identity.challenges import Challenges
from governance.identity.failures import PeerFailures
from governance.identity.hop_tokens import HopTokens, hop_audience
from governance.identity.introspection import Credentials, Introspection
from governance.identity.issuers import Identity, TrustedIssuer
from governance.identity.key_file import KeyFile, KeyFileError
from governance.identity.key_sources import KeySource, KeysUnavailable, OwnKeys
from governance.identity.refusals import BadToken
from governance.identity.remote_keys import KeyTimes, RemoteKeys
from governance.identity.verifier import TokenVerifier

__all__ = [
    "BadToken",
    "Challenges",
    "Credentials",
    "HopTokens",
    "Identity",
    "Introspection",
    "KeyFile",
    "KeyFileError",
    "KeySource",
    "KeyTimes",
    "KeysUnavailable",
    "OwnKeys",
    "PeerFailures",
    "RemoteKeys",
    "TokenVerifier",
    "TrustedIssuer",
    "hop_audience",
]
