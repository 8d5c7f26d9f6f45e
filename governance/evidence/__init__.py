"""Evidence: what was proved of a running gateway, when, of which build; kept as files that only grow in number."""

from governance.evidence.archive import Archive, EvidenceError
from governance.evidence.build import Build, build_of
from governance.evidence.record import Record, records_of
from governance.evidence.sarif import sarif
from governance.evidence.summary import ControlRow, Summary, summary_of

__all__ = [
    "Archive",
    "Build",
    "ControlRow",
    "EvidenceError",
    "Record",
    "Summary",
    "build_of",
    "records_of",
    "sarif",
    "summary_of",
]
