"""Evidence as SARIF 2.1.0 (OASIS), the format that code hosts and review tools show beside the source.

One rule is one control, one result is one operation and control. What failed is of kind ``fail``
and level ``error``; static weaknesses are ``fail`` and ``warning``; what is unproved is ``open``.
What held is left to the evidence: tools list results as work to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from governance.evidence.build import Build
from governance.evidence.record import Record

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"failed": ("fail", "error"), "noted": ("fail", "warning"), "unproved": ("open", "none")}


def sarif(records: Iterable[Record], build: Build, url: str) -> dict[str, Any]:
    """The log of one run."""
    records = tuple(records)
    titles = {record.control: record.title for record in records}
    rules = sorted(titles)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tiergate prove",
                        "version": build.version,
                        "rules": [{"id": rule, "shortDescription": {"text": titles[rule]}} for rule in rules],
                    }
                },
                "automationDetails": {"id": f"tiergate-prove/{records[0].run if records else ''}"},
                "properties": {"url": url, "contracts": build.contracts},
                "columnKind": "utf16CodeUnits",
                "results": [_result(record, rules) for record in records if record.outcome in LEVELS],
            }
        ],
    }


def _result(record: Record, rules: list[str]) -> dict[str, Any]:
    kind, level = LEVELS[record.outcome]
    case = f" ({record.case})" if record.case else ""
    text = f"{record.operation}: {record.title}{case}. Expected: {record.expectation}. Observed: {record.observation}."
    file, _, line = record.declared_at.rpartition(":")
    return {
        "ruleId": record.control,
        "ruleIndex": rules.index(record.control),
        "kind": kind,
        "level": level,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file, "uriBaseId": "SRCROOT"},
                    "region": {"startLine": int(line)},
                },
                "logicalLocations": [{"fullyQualifiedName": record.operation, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"operationControl/v1": f"{record.operation}/{record.control}/{record.case}"},
    }
