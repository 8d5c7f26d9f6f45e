"""The audit: append-only journals that are chained, anchored, searched, verified and kept for a time."""

from governance.audit.anchors import all_anchors
from governance.audit.entry import AuditEntry
from governance.audit.journal import Journal, JournalFailed
from governance.audit.retention import remove_older
from governance.audit.search import Filter, search
from governance.audit.subjects import Subjects, erase, names, reference_of
from governance.audit.tables import MIGRATIONS
from governance.audit.verification import Verdict, verify

__all__ = [
    "MIGRATIONS",
    "AuditEntry",
    "Filter",
    "Journal",
    "JournalFailed",
    "Subjects",
    "Verdict",
    "all_anchors",
    "erase",
    "names",
    "reference_of",
    "remove_older",
    "search",
    "verify",
]
