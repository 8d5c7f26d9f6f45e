"""The call under way, its stages and the shape of a policy."""

from governance.call.call import (
    ACCOUNT_ID,
    AccountRequired,
    Accounts,
    Call,
    Principal,
    calling,
    current_call,
    enter,
    leave,
)
from governance.call.clock import Clock, ManualClock, SystemClock
from governance.call.exchange import Answer, Binding, Ended, Exchange, Handler, Headers, Request, Wrap
from governance.call.foreground import Foreground
from governance.call.keys import child_key, derive_key, edge_key
from governance.call.policy import Documented, Finding, Policy, Probe, TokenKind
from governance.call.stages import Stage

__all__ = [
    "ACCOUNT_ID",
    "AccountRequired",
    "Accounts",
    "Answer",
    "Binding",
    "Call",
    "Clock",
    "Documented",
    "Ended",
    "Exchange",
    "Finding",
    "Foreground",
    "Handler",
    "Headers",
    "ManualClock",
    "Policy",
    "Principal",
    "Probe",
    "Request",
    "Stage",
    "SystemClock",
    "TokenKind",
    "Wrap",
    "calling",
    "child_key",
    "current_call",
    "derive_key",
    "edge_key",
    "enter",
    "leave",
]
