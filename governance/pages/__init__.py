"""HTML pages of the gateway: one layout, one stylesheet, no script, nothing from elsewhere.

Text is escaped wherever it enters a page: only ``Html`` that ``tag`` made passes as markup.
"""

from governance.pages.html import Html, code, inline, join, prose, table, tag
from governance.pages.layout import PAGE_HEADERS, STYLESHEET, STYLESHEET_PATH, page

__all__ = [
    "PAGE_HEADERS",
    "STYLESHEET",
    "STYLESHEET_PATH",
    "Html",
    "code",
    "inline",
    "join",
    "page",
    "prose",
    "table",
    "tag",
]
