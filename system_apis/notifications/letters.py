"""Letters: the words of a message, written from its template in the reader's language.

A template is a folder named after it, with one file a language: ``order_shipped/de.txt``. The first
line is the subject, the rest the text; blank lines part paragraphs. The HTML part is made of the same
words, with every parameter escaped. A company's own folder comes before the one here, file by
file, so it can change one letter, or add a language. The language is looked for as it is asked for
(``de-AT``), then without its region (``de``), at last in English. Dates, amounts and countries are
written as the language has them (Unicode CLDR, by Babel).

A template that asks for what its parameters don't have fails (``StrictUndefined``) instead of
sending a hole; those here are written with all and with the fewest parameters in the tests.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from system_apis.notifications.contents import Content
from system_apis.notifications.messages import Message, MessageStatus, Outgoing

if TYPE_CHECKING:  # templates and locales take a tenth of a second to import, which only who sends should pay
    from system_apis.notifications.writing import Desk

OWN = Path(__file__).parent / "templates"
LAST_RESORT = "en"
DEFAULT_SIGNATURE = "Your order desk"


class Letter(Struct, frozen=True):
    """The words of one message."""

    template: str
    language: str
    subject: str
    text: str
    html: str

    def message(
        self,
        message_id: str,
        reference: str,
        outgoing: Outgoing,
        status: MessageStatus,
        created_at: datetime,
        *,
        sent_at: datetime | None = None,
    ) -> Message:
        """The message that carries these words."""
        return Message(
            message_id=message_id,
            reference=reference,
            account_id=outgoing.account_id,
            template=template_of(outgoing.content),
            status=status,
            to=outgoing.to,
            to_name=outgoing.to_name,
            language=self.language,
            subject=self.subject,
            text=self.text,
            html=self.html,
            created_at=created_at,
            sent_at=sent_at,
        )


class Letters:
    """Writes letters. ``folder`` holds the company's own templates; empty for none."""

    def __init__(self, folder: str, signature: str) -> None:
        self._folders = (Path(folder), OWN) if folder else (OWN,)
        self._signature = signature
        self._desk: Desk | None = None

    def write(self, content: Content, language: str) -> Letter:
        """The letter about ``content`` in ``language``, or in the nearest there is."""
        template = template_of(content)
        found = next(tag for tag in _nearest(language) if self._has(template, tag))
        subject, text, html = self._opened.write(f"{template}/{found}.txt", content, found, language)
        return Letter(template, found, subject, text, html)

    @property
    def _opened(self) -> Desk:
        if self._desk is None:
            from system_apis.notifications.writing import Desk

            self._desk = Desk(self._folders, self._signature)
        return self._desk

    def _has(self, template: str, language: str) -> bool:
        return any((folder / template / f"{language}.txt").is_file() for folder in self._folders)


def template_of(content: Content) -> Any:
    """The name of the template that these parameters belong to."""
    return type(content).__struct_config__.tag


def _nearest(language: str) -> tuple[str, ...]:
    return (language, language.partition("-")[0], LAST_RESORT)
