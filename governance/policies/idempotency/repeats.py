"""What a repeat must get on a running gateway, proved without an effect: the first request is one that is refused.

``Tiergate-Probe: refuse`` lets a prover's write pass every policy and end in a business refusal in
place of its implementation; that refusal is stored, so its repeats are judged as all repeats are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.call import Probe
from governance.contract.problems import NotFound
from governance.contract.refusals import IdempotencyKeyReused, InsufficientScope

REFUSE = (("Tiergate-Probe", "refuse"),)
REPLAYED = (("idempotency-replayed", "true"),)
NOT_REPLAYED = (("idempotency-replayed", ""),)


def repeats() -> Iterator[Probe]:
    """A repeat gets the first answer, marked; another payload, caller or authority does not."""
    first = _ended("ID-004", "A repeat gets the first answer, marked as a replay", NOT_REPLAYED)
    yield _ended(first.control, first.title, REPLAYED, first=(first,))
    title = "A key that comes with another payload is refused"
    yield Probe(
        control="ID-005",
        title=title,
        expect_status=IdempotencyKeyReused.status,
        expect_type=IdempotencyKeyReused.type,
        with_headers=REFUSE,
        first=(_ended("ID-005", title, NOT_REPLAYED),),
        other_payload=True,
    )
    title = "A repeat without the scope is refused, not replayed"
    yield Probe(
        control="ID-006",
        title=title,
        expect_status=InsufficientScope.status,
        expect_type=InsufficientScope.type,
        expect_headers=NOT_REPLAYED,
        with_headers=REFUSE,
        token="no-scope",  # noqa: S106 - the kind of token to probe with, no secret
        first=(_ended("ID-006", title, NOT_REPLAYED),),
    )
    title = "The same key of another client is another key"
    yield _ended("ID-007", title, NOT_REPLAYED, client="another", first=(_ended("ID-007", title, NOT_REPLAYED),))


def _ended(control: str, title: str, headers: tuple[tuple[str, str], ...], **more: Any) -> Probe:
    return Probe(
        control=control,
        title=title,
        expect_status=NotFound.status,
        expect_type=NotFound.type,
        expect_headers=headers,
        with_headers=REFUSE,
        **more,
    )
