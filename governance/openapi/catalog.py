"""The API catalog: where each API is, its document and its page.

Standard: RFC 9727 (``/.well-known/api-catalog``), in the linkset form of RFC 9264 §4.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from governance.contract.operation import Api
from governance.openapi.export import document_path

CATALOG_PATH = "/.well-known/api-catalog"
CATALOG_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'


def catalog(apis: Iterable[Api], public_url: str = "") -> dict[str, Any]:
    """The linkset of these APIs; ``public_url`` makes its addresses absolute."""
    apis = tuple(apis)
    entries = [
        {
            "anchor": f"{public_url}{api.prefix}",
            "service-desc": [{"href": f"{public_url}/openapi/{document_path(api)}", "type": "application/json"}],
            "service-doc": [{"href": f"{public_url}{docs_path(api)}", "type": "text/html"}],
        }
        for api in apis
    ]
    items = [{"href": f"{public_url}{api.prefix}"} for api in apis]
    return {"linkset": [{"anchor": f"{public_url}{CATALOG_PATH}", "item": items}, *entries]}


def docs_path(api: Api) -> str:
    """The page that describes an API version."""
    return f"/docs{api.prefix}"
