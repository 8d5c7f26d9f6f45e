"""Pages of the ERP's lists: one row more than asked for tells whether there is a next page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from governance.contract import CursorCodec, Page
from system_apis.erp.port import DocumentFilter

Item = TypeVar("Item")
Key = tuple[str | int, ...]


class Listing:
    """One list under one filter: its cursors fit nothing else."""

    def __init__(self, cursors: CursorCodec, operation_id: str, which: msgspec.Struct | tuple[str | None, ...]) -> None:
        self._cursors = cursors
        self._operation_id = operation_id
        self._filters = (msgspec.json.encode(which),)

    def after(self, cursor: str | None, start: Key) -> Key:
        """The key after which the page begins; ``start`` on the first page.

        Raises:
            InvalidParameters: the cursor is not of this list.
        """
        key = self._cursors.decode(self._operation_id, self._filters, cursor)
        return start if key is None else key

    def page(self, found: tuple[Item, ...], limit: int, key: Callable[[Item], Key]) -> Page[Item]:
        """The first ``limit`` of what was found, with a cursor where more was found."""
        items = found[:limit]
        if len(found) <= limit:
            return Page(items=items)
        return Page(items=items, next_cursor=self._cursors.encode(self._operation_id, self._filters, key(items[-1])))


async def page_of_documents(
    listing: Listing,
    search: Callable[[DocumentFilter, int, int], Awaitable[tuple[tuple[int, Item], ...]]],
    which: DocumentFilter,
    limit: int,
    cursor: str | None,
) -> Page[Item]:
    """A page of documents by rising key."""
    (after,) = listing.after(cursor, (0,))
    keyed = listing.page(await search(which, int(after), limit + 1), limit, lambda row: (row[0],))
    return Page(items=tuple(item for _, item in keyed.items), next_cursor=keyed.next_cursor)
