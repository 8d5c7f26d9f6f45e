"""What a quote may cost less than its list prices: rules as data, and the one function that applies them.

A line gets what the ERP's prices give it, and on top what its account's class and the worth of the whole
quote earn; contract prices are final. A sales person may wish for more, up to a limit of their own; above
that somebody else has to approve. Discounts are basis points of the line's price.
"""

from __future__ import annotations

from msgspec import Struct

from system_apis.canonical.values import BasisPoints

WHOLE_BP = 10_000


class ClassDiscount(Struct, frozen=True, kw_only=True):
    """What an account of this class (CRM's segment) gets on everything."""

    segment: str
    discount_bp: BasisPoints


class VolumeDiscount(Struct, frozen=True, kw_only=True):
    """What a quote gets whose lines are worth this much together, in minor units before these rules."""

    from_minor: int
    discount_bp: BasisPoints


class SalesLimit(Struct, frozen=True, kw_only=True):
    """How much discount a sales person may give without asking; ``subject`` as in their access token."""

    subject: str
    limit_bp: BasisPoints


class DiscountRules(Struct, frozen=True, kw_only=True):
    """All rules of a company."""

    classes: tuple[ClassDiscount, ...] = (ClassDiscount(segment="key", discount_bp=200),)
    volumes: tuple[VolumeDiscount, ...] = (
        VolumeDiscount(from_minor=1_000_000, discount_bp=100),
        VolumeDiscount(from_minor=5_000_000, discount_bp=300),
    )
    limits: tuple[SalesLimit, ...] = ()
    limit_bp: BasisPoints = 1_000
    """For every sales person who is not named in ``limits``."""

    def earned_bp(self, segment: str, worth_minor: int) -> int:
        """What class and worth earn together, in basis points."""
        by_class = max((one.discount_bp for one in self.classes if one.segment == segment), default=0)
        by_worth = max((one.discount_bp for one in self.volumes if worth_minor >= one.from_minor), default=0)
        return by_class + by_worth

    def limit_of(self, subject: str) -> int:
        """What this sales person may give, in basis points."""
        return next((one.limit_bp for one in self.limits if one.subject == subject), self.limit_bp)


class Granted(Struct, frozen=True):
    """The discount of a line, and whether it needs an approval."""

    discount_bp: int
    over_limit: bool = False


def granted(
    rules: DiscountRules, subject: str, earned_bp: int, source: str, priced_bp: int, wanted_bp: int | None
) -> Granted:
    """The discount of a line that the ERP priced from ``source`` with ``priced_bp`` already off.

    A wish for less than what is due is followed; one for more is followed too, above the sales person's limit
    with an approval.
    """
    due_bp = priced_bp if source == "contract" else min(WHOLE_BP, priced_bp + earned_bp)
    if wanted_bp is None:
        return Granted(due_bp)
    return Granted(wanted_bp, wanted_bp > max(due_bp, rules.limit_of(subject)))
