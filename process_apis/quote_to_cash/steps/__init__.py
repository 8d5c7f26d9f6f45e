"""The steps of quote to cash, one method each.

Each takes the run and returns the quote with what it settled. All of them may run again after a
crash: what they write carries a key of the flow, the step and the revision.
"""

from __future__ import annotations

from process_apis.quote_to_cash.steps.collecting import Collecting
from process_apis.quote_to_cash.steps.offering import Offering
from process_apis.quote_to_cash.steps.ordering import Ordering


class QuoteSteps(Offering, Ordering, Collecting):
    """All of them."""


__all__ = ["QuoteSteps"]
