"""Percentiles by nearest rank: exact, and always a value that was measured.

The p-th percentile of n values is the one of rank ⌈p/100 · n⌉ in ascending order (Hyndman and Fan,
"Sample Quantiles in Statistical Packages", 1996, definition 1).
"""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ascending: Sequence[int], per_cent: int) -> int:
    """The ``per_cent``-th percentile of values in ascending order.

    Raises:
        ValueError: there are no values.
    """
    if not ascending:
        raise ValueError("there is no percentile of nothing")
    rank = -(-per_cent * len(ascending) // 100)
    return ascending[max(rank, 1) - 1]
