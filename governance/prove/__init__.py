"""Run-time proof: valid requests made from contracts, and the probes of policies sent as variations of them.

A probe says what must be refused on a running gateway; ``Prober`` sends it and says what came back.
Needs nothing but a way to send a request and one to sign tokens; when the gateway can't be reached,
the sender's own error goes through.
"""

from governance.prove.prober import Prober, Proof, Reply, Send
from governance.prove.requests import Sample, sample_of
from governance.prove.samples import NoSample, sample_value
from governance.prove.tokens import ProbeTokens, TokenKind

__all__ = [
    "NoSample",
    "ProbeTokens",
    "Prober",
    "Proof",
    "Reply",
    "Sample",
    "Send",
    "TokenKind",
    "sample_of",
    "sample_value",
]
