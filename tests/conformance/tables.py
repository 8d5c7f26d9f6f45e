"""docs/conformance.md out of the ``rule`` markers of the tests: each rule of a standard beside what holds it.

``python tests/conformance/tables.py`` writes the page, ``--check`` fails where it is out of date.
"""

from __future__ import annotations

import io
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "conformance.md"
SECTION = re.compile(r"(?P<document>RFC \d+|draft-[a-z-]+-\d\d|[A-Z][A-Za-z0-9. ]+?)(?: §(?P<section>[A-Za-z0-9. ]+))?")
TITLES = {
    "RFC 6585": "Additional HTTP status codes",
    "RFC 6749": "The OAuth 2.0 authorization framework",
    "RFC 6750": "Bearer token usage",
    "RFC 6797": "HTTP strict transport security",
    "RFC 7009": "Token revocation",
    "RFC 7239": "The Forwarded header field",
    "RFC 7519": "JSON Web Token",
    "RFC 7636": "Proof key for code exchange",
    "RFC 7662": "Token introspection",
    "RFC 8252": "OAuth 2.0 for native apps",
    "RFC 8414": "Authorization server metadata",
    "RFC 8594": "The Sunset header field",
    "RFC 8693": "Token exchange",
    "RFC 8725": "JSON Web Token best current practices",
    "RFC 9068": "JWT profile for access tokens",
    "RFC 9110": "HTTP semantics",
    "RFC 9111": "HTTP caching",
    "RFC 9112": "HTTP/1.1",
    "RFC 9207": "Issuer identification",
    "RFC 9457": "Problem details",
    "RFC 9700": "Best current practice for OAuth 2.0 security",
    "RFC 9728": "Protected resource metadata",
    "RFC 9745": "The Deprecation header field",
    "draft-ietf-httpapi-idempotency-key-header-07": "The Idempotency-Key header field",
    "draft-ietf-httpapi-ratelimit-headers-11": "RateLimit header fields",
}
HEAD = """# Conformance

Each rule of a standard that Tiergate holds itself to, and the test that fails when it is broken.
Made from the tests' own markers by `make conformance`; `make check` refuses a page that is out of date.
"""


class Rules:
    """A pytest plugin that notes the rules of the collected tests."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        """Document, section and sentence to the tests that hold the rule."""

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Read the markers."""
        for item in items:
            for marker in item.iter_markers("rule"):
                section, sentence = marker.args
                found = SECTION.fullmatch(section)
                if found is None:
                    raise pytest.UsageError(f"{item.nodeid}: {section!r} names no document and section")
                where = item.nodeid.partition("[")[0]
                self.tests[found["document"], found["section"] or "", sentence.rstrip(".")].add(where)


def page(rules: Rules) -> str:
    """The whole document."""
    documents: dict[str, list[tuple[str, str, set[str]]]] = defaultdict(list)
    for (document, section, sentence), tests in rules.tests.items():
        documents[document].append((section, sentence, tests))
    parts = [HEAD]
    for document in sorted(documents, key=_natural):
        title = TITLES.get(document)
        parts.append(
            f"## {document}{f': {title}' if title else ''}\n\n| section | rule | held by |\n| --- | --- | --- |"
        )
        for section, sentence, tests in sorted(documents[document], key=lambda row: (_natural(row[0]), row[1])):
            held = "<br>".join(f"`{test}`" for test in sorted(tests))
            parts.append(f"| {f'§{section}' if section else '–'} | {sentence.replace('|', '&#124;')} | {held} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]


def main() -> int:
    """Write the page, or with ``--check`` compare it."""
    rules = Rules()
    quiet = ["--collect-only", "-qqq", "-p", "no:cacheprovider", "-o", "addopts="]
    with redirect_stdout(io.StringIO()) as said:
        code = pytest.main(
            [*quiet, "--import-mode=importlib", "--strict-markers", str(ROOT / "tests")], plugins=[rules]
        )
    if code != pytest.ExitCode.OK:
        sys.stderr.write(f"{said.getvalue()}\nThe tests can't be collected: run `make test`.\n")
        return 1
    made = page(rules)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(made)
        return 0
    if PAGE.exists() and PAGE.read_text() == made:
        return 0
    sys.stderr.write("docs/conformance.md is out of date: run `make conformance` and commit it.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
