"""Verification: every journal is held to its own chain and to its anchor.

Found are a changed, dropped, moved or inserted line, a segment or a journal that is missing, and an end that
was cut off before its anchor. Not found is what was cut off a journal after its last anchor, at most the last
second of a process that crashed; a torn last line of such a process is said, and is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from governance.audit.anchors import Anchor
from governance.audit.chain import ORIGIN, Broken, Header, decoded, digest, journals, segments, whole_lines


class Verdict(Struct, frozen=True, kw_only=True):
    """What was found of one journal."""

    journal: str
    lines: int
    fault: str = ""
    """What is wrong, and where; empty where nothing is."""
    remark: str = ""
    """What is worth knowing, and no fault."""


def verify(folder: Path, anchors: Mapping[str, Anchor]) -> Iterator[Verdict]:
    """A verdict on every journal that is there or should be."""
    for journal in sorted({*journals(folder), *anchors}):
        yield _verdict(folder, journal, anchors.get(journal))


def _verdict(folder: Path, journal: str, anchor: Anchor | None) -> Verdict:
    if anchor is None:
        paths = segments(folder, journal)
        if not paths:
            return Verdict(journal=journal, lines=0, remark="empty")
        anchor = Anchor(journal=journal, number=-1, head=ORIGIN, kept_before=ORIGIN)
        walk = _Walk(anchor)
        return walk.verdict(paths, remark="not anchored yet")
    return _Walk(anchor).verdict(segments(folder, journal))


class _Walk:
    """Goes through one journal line by line."""

    def __init__(self, anchor: Anchor) -> None:
        self._anchor = anchor
        self._number = anchor.kept_from
        self._head = anchor.kept_before
        self._seen_anchor = anchor.number < anchor.kept_from

    def verdict(self, paths: list[Path], remark: str = "") -> Verdict:
        """What the walk over these segments finds."""
        began = self._number
        try:
            for path in paths:
                torn = self._segment(path, last=path == paths[-1])
                remark = torn or remark
            self._end()
        except Broken as error:
            return Verdict(journal=self._anchor.journal, lines=self._number - began, fault=str(error))
        return Verdict(journal=self._anchor.journal, lines=self._number - began, remark=remark)

    def _segment(self, path: Path, *, last: bool) -> str:
        lines, torn = whole_lines(path)
        for place, line in enumerate(lines, start=1):
            self._line(line, f"{path.name} line {place}", first=place == 1)
        if not torn:
            return ""
        if not last or self._anchor.closed:
            raise Broken(f"{path.name}: something stands after its last line")
        return "its last line was torn by a crash"

    def _line(self, line: bytes, where: str, *, first: bool) -> None:
        found = decoded(line, where)
        if isinstance(found, Header) != first:
            raise Broken(f"{where}: a segment opens with its header, and has no other")
        if isinstance(found, Header) and found.journal != self._anchor.journal:
            raise Broken(f"{where}: it belongs to the journal {found.journal}")
        if found.number != self._number:
            raise Broken(f"{where}: line {self._number} should stand here, not {found.number}")
        if found.before != self._head:
            raise Broken(f"{where}: it does not go on from the line before it, so that one was changed or left out")
        self._head = digest(line)
        if found.number == self._anchor.number:
            if self._head != self._anchor.head:
                raise Broken(f"{where}: it is not the line that was anchored")
            self._seen_anchor = True
        self._number += 1

    def _end(self) -> None:
        if not self._seen_anchor:
            raise Broken(f"it ends before line {self._anchor.number}, up to which it was anchored")
        if self._anchor.closed and self._number != self._anchor.number + 1:
            raise Broken(f"it goes on after line {self._anchor.number}, with which it was closed")
