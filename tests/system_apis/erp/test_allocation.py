"""Where goods are taken from: one site before any split, own before third party, near before far."""

from __future__ import annotations

import pytest

from system_apis.canonical.refusals import InsufficientStock
from system_apis.erp.connectors.embedded.allocation import Needs, Site, allocate


def sites(**free: dict[str, int]) -> tuple[Site, ...]:
    places: dict[str, tuple[str, tuple[str, ...], bool]] = {
        "HAM": ("DE", ("DK",), False),
        "ROT": ("NL", ("FR",), False),
        "POZ": ("PL", (), False),
        "TPL": ("US", (), True),
    }
    return tuple(Site(name, *places[name], free[name]) for name in free)


@pytest.mark.parametrize(
    ("needs", "country", "free", "expected"),
    [
        ({"a": 2}, "DE", {"HAM": {"a": 5}, "ROT": {"a": 5}}, [("a", "HAM", 2)]),
        ({"a": 2}, "NL", {"HAM": {"a": 5}, "ROT": {"a": 5}}, [("a", "ROT", 2)]),
        ({"a": 2}, "FR", {"HAM": {"a": 5}, "ROT": {"a": 5}}, [("a", "ROT", 2)]),
        ({"a": 2}, "JP", {"ROT": {"a": 5}, "HAM": {"a": 5}}, [("a", "HAM", 2)]),
        # own goods before the third party's, however near that is
        ({"a": 2}, "US", {"TPL": {"a": 5}, "POZ": {"a": 5}}, [("a", "POZ", 2)]),
        ({"a": 6}, "US", {"TPL": {"a": 6}, "POZ": {"a": 5}}, [("a", "TPL", 6)]),
        # one far site that covers everything before a split with a near one
        ({"a": 2, "b": 1}, "DE", {"HAM": {"a": 5}, "POZ": {"a": 2, "b": 1}}, [("a", "POZ", 2), ("b", "POZ", 1)]),
        ({"a": 2, "b": 1}, "DE", {"HAM": {"a": 5}, "POZ": {"b": 1}}, [("a", "HAM", 2), ("b", "POZ", 1)]),
        # a split stays at sites that are used already
        (
            {"a": 4, "b": 2, "c": 1},
            "DE",
            {"HAM": {"a": 2, "c": 1}, "POZ": {"a": 4, "b": 1, "c": 1}, "ROT": {"b": 1}},
            [("a", "POZ", 4), ("b", "POZ", 1), ("b", "ROT", 1), ("c", "POZ", 1)],
        ),
        ({"a": 7}, "DE", {"TPL": {"a": 4}, "HAM": {"a": 4}}, [("a", "HAM", 4), ("a", "TPL", 3)]),
    ],
)
def test_allocation(
    needs: Needs, country: str, free: dict[str, dict[str, int]], expected: list[tuple[str, str, int]]
) -> None:
    chosen = allocate(needs, sites(**free), country)
    assert [(part.sku, part.warehouse, part.quantity) for part in chosen] == expected


def test_all_sites_together_have_too_little() -> None:
    with pytest.raises(InsufficientStock) as caught:
        allocate({"a": 1, "b": 9}, sites(HAM={"a": 1, "b": 4}, TPL={"b": 4}), "DE")
    assert caught.value.members() == {"sku": "b", "requested": 9, "available": 8}
