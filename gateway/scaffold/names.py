"""What one name becomes: a folder, a class, a path, a word in a sentence."""

from __future__ import annotations

import keyword
import re

from msgspec import Struct

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
LONGEST = 40


class Refused(Exception):
    """A skeleton can't be written; the text is one sentence for a person."""


class Names(Struct, frozen=True, kw_only=True):
    """The spellings of one name, such as ``tax_rates``."""

    name: str

    @classmethod
    def of(cls, given: str) -> Names:
        """The name, if it can be a folder's.

        Raises:
            Refused: it is not in snake_case, a word of Python, or longer than 40 characters.
        """
        if not SNAKE_CASE.match(given):
            raise Refused(f"{given!r} is no name for a folder: write it in snake_case, such as tax_rates.")
        if keyword.iskeyword(given) or keyword.issoftkeyword(given):
            raise Refused(f"{given} is a word of Python: choose another name.")
        if len(given) > LONGEST:
            raise Refused(f"{given} is longer than {LONGEST} characters: choose a shorter name.")
        return cls(name=given)

    @property
    def placeholders(self) -> dict[str, str]:
        """What templates may say, by placeholder."""
        words = self.name.split("_")
        return {
            "name": self.name,
            "kebab": "-".join(words),
            "Class": "".join(word.capitalize() for word in words),
            "words": " ".join(words),
            "Words": " ".join(words).capitalize(),
            "header": "-".join(words),
            "Header": "-".join(word.capitalize() for word in words),
            "CONTROL": ("".join(word[0] for word in words) if len(words) > 1 else self.name[:2]).upper(),
        }
