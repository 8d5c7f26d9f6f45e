"""Where bad rows go: a CSV file with file, line, field, reason and the row itself, one fault a line.

The file is complete or not there; one load never writes over another's.
"""

from __future__ import annotations

import csv
import os
from datetime import datetime
from pathlib import Path

from gateway.load.rows import Fault

COLUMNS = ("file", "line", "field", "reason", "row")


def quarantine(folder: Path, now: datetime, faults: tuple[Fault, ...]) -> Path:
    """Write the faults to ``<folder>/<now>.csv`` and give its path.

    Raises:
        OSError: the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    unfinished = folder / f".{stamp}-{os.getpid()}"
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows((fault.file, fault.line, fault.field, fault.reason, fault.row) for fault in faults)
    return _publish(unfinished, folder, stamp)


def _publish(unfinished: Path, folder: Path, stamp: str) -> Path:
    number = 1
    while True:
        final = folder / (f"{stamp}.csv" if number == 1 else f"{stamp}-{number}.csv")
        try:
            os.link(unfinished, final)  # unlike a rename, this fails where the name is taken
        except FileExistsError:
            number += 1
            continue
        unfinished.unlink()
        return final
