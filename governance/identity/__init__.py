"""Who calls: token verification, key sources, hop tokens between the processes of one gateway."""

from governance.identity.challenges import Challenges
from governance.identity.failures import PeerFailures
from governance.identity.hop_tokens import HopTokens, hop_audience
from governance.identity.issuers import Identity, TrustedIssuer
from governance.identity.key_file import KeyFile, KeyFileError
from governance.identity.key_sources import KeySource, KeysUnavailable, OwnKeys
from governance.identity.refusals import BadToken
from governance.identity.remote_keys import RemoteKeys
from governance.identity.verifier import TokenVerifier

__all__ = [
    "BadToken",
    "Challenges",
    "HopTokens",
    "Identity",
    "KeyFile",
    "KeyFileError",
    "KeySource",
    "KeysUnavailable",
    "OwnKeys",
    "PeerFailures",
    "RemoteKeys",
    "TokenVerifier",
    "TrustedIssuer",
    "hop_audience",
]
