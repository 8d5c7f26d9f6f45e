"""The documents and pages as handlers: made at start-up, answered from memory.

``/openapi/{tier}/{slug}/v{n}.json``, ``/openapi/scopes.json``, ``/.well-known/api-catalog``, ``/docs``, ``/problems/{type}``.
All of it is public: it says what may be asked, never what was answered.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from litestar.handlers import ASGIRouteHandler

from governance.call.policy import Policy
from governance.contract.operation import TIERS, Api
from governance.openapi.catalog import CATALOG_PATH, CATALOG_TYPE, catalog, docs_path
from governance.openapi.docs_pages import api_page, index_page
from governance.openapi.document import document, encoded
from governance.openapi.export import document_path
from governance.openapi.problem_pages import problem_facts, problem_index, problem_page, problem_path, problems_in_use
from governance.openapi.publication import Form, Publication, html_form, redirect
from governance.openapi.scopes import SCOPES_FILE, encoded_scopes
from governance.pages import STYLESHEET, STYLESHEET_PATH

JSON = "application/json"
FOR_EVER = b"public, max-age=31536000, immutable"
REVALIDATED = b"public, max-age=60"


def routes(apis: Iterable[Api], policies: Iterable[Policy], *, public_url: str = "") -> list[ASGIRouteHandler]:
    """The handlers of everything that is published about these APIs under these policies.

    Raises:
        ContractError: a document can't be made.
    """
    published = publication(apis, policies, public_url=public_url)
    return [ASGIRouteHandler(list(published.paths), copy_scope=False)(published)]


def publication(apis: Iterable[Api], policies: Iterable[Policy], *, public_url: str = "") -> Publication:
    """Everything that is published, as one ASGI application without a framework."""
    apis = tuple(sorted(apis, key=lambda api: (TIERS.index(api.tier), api.name, api.version)))
    policies = tuple(policies)
    forms: dict[str, tuple[Form, ...]] = {
        "/": (redirect("/docs"),),
        "/docs": (html_form(index_page(apis)),),
        STYLESHEET_PATH: (Form(media_type="text/css; charset=utf-8", body=STYLESHEET, cache_control=FOR_EVER),),
        CATALOG_PATH: (_catalog(apis, public_url),),
    }
    for api in apis:
        described = document(api, policies)
        body = encoded(described)
        forms[f"/openapi/{document_path(api)}"] = (Form(media_type=JSON, body=body, cache_control=REVALIDATED),)
        forms[docs_path(api)] = (html_form(api_page(api, described)),)
    scopes = Form(media_type=JSON, body=encoded_scopes(apis), cache_control=REVALIDATED)
    forms[f"/openapi/{SCOPES_FILE}"] = (scopes,)
    in_use = problems_in_use(apis, policies)
    forms["/problems"] = (html_form(problem_index(in_use)),)
    for problem, answering in in_use.items():
        facts = msgspec.json.encode(problem_facts(problem, answering))
        forms[problem_path(problem)] = (html_form(problem_page(problem, answering)), Form(media_type=JSON, body=facts))
    return Publication(forms)


def _catalog(apis: tuple[Api, ...], public_url: str) -> Form:
    link = f'<{public_url}{CATALOG_PATH}>; rel="api-catalog"'.encode()
    body = msgspec.json.encode(catalog(apis, public_url))
    return Form(media_type=CATALOG_TYPE, body=body, headers=((b"link", link),), cache_control=REVALIDATED)
