"""Notices: what vendors report of their records by webhook, once they are kept.

A notice says that something happened to a record; whoever acts on it asks for the record, which alone
is true. Late, early and repeated notices therefore do no harm.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Position = Annotated[int, Meta(ge=0, le=2**53, description="The place of the last notice that you have read.")]
Notices = Annotated[int, Meta(ge=1, le=200, description="How many notices at most.")]
SIGNED = "A vendor signs what it delivers, and its notice names a record and no account."
NAMES_RECORDS = "A notice names a record; who reads the record is judged there."
