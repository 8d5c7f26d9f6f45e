"""A consumer that is declared wrongly, in one sentence that says what to write."""

from __future__ import annotations


class ConsumerError(ValueError):
    """The declaration of a consumer can't be used."""
