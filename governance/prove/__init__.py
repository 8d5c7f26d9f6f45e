"""Run-time proof: valid requests made from contracts, and the probes of policies sent as variations of them.

A probe says what must be refused on a running gateway; ``Prober`` sends it and says what came back.
Needs nothing but a way to send a request and one to sign tokens; when the gateway can't be reached,
the sender's own error goes through.
"""

from governance.prove.prober import Prober
from governance.prove.proof import Outcome, Proof
from governance.prove.reply import Reply, Send, Sent
from governance.prove.requests import Sample, sample_of
from governance.prove.samples import NoSample, sample_value
from governance.prove.tokens import ProbeTokens, Tokens, Unprovable

__all__ = [
    "NoSample",
    "Outcome",
    "ProbeTokens",
    "Prober",
    "Proof",
    "Reply",
    "Sample",
    "Send",
    "Sent",
    "Tokens",
    "Unprovable",
    "sample_of",
    "sample_value",
]
