"""The authored dataset of the quick start: a distributor of bearings, drives, fasteners, tools and safety gear.

Plain CSV, UTF-8, a header line each, shared by the embedded systems so that their accounts and
products agree. Written for this project; no row describes a real company.
"""

from __future__ import annotations

import csv
from importlib.resources import files


def seed_rows(name: str) -> list[dict[str, str]]:
    """The rows of ``<name>.csv`` in file order, every value as text.

    Raises:
        FileNotFoundError: there is no such file in the dataset.
    """
    text = files(__name__).joinpath(f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
