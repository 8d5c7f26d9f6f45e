"""What is published: documents, catalog, pages and problem types, over ASGI and through Litestar."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from litestar import Litestar

from governance.openapi import document, encoded
from governance.openapi.routes import publication, routes
from tests.governance.openapi.sample import API, Answered, Introduced, call

PUBLISHED = publication([API], [Introduced()], public_url="https://api.example")
DOCS = "/docs/experience/grand-hotel/v1"
PAGES = [path for path in PUBLISHED.paths if path.startswith(("/docs", "/problems")) and not path.endswith(".css")]


def get(path: str, method: str = "GET", **headers: str) -> Answered:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(call(PUBLISHED, method, path, sent, b""))


class Elements(HTMLParser):
    """Checks that elements nest, and gathers ids, links and headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes.append((tag, found))
        if tag not in ("meta", "link", "br", "wbr"):
            self.open.append(tag)
        self.ids.extend([found["id"] or ""] if "id" in found else [])
        self.links.extend([found["href"] or ""] if "href" in found else [])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_document_is_served_as_it_is_exported() -> None:
    answer = get("/openapi/experience/grand-hotel/v1.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == encoded(document(API, [Introduced()]))
    assert "max-age" in answer.headers["cache-control"]
    assert answer.headers["request-id"]


def test_what_a_client_has_is_not_sent_again() -> None:
    tag = get("/docs").headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = get("/docs", if_none_match=given)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert get("/docs", if_none_match='"other"').status == 200


def test_head_has_the_headers_and_no_body() -> None:
    head, whole = get("/docs", "HEAD"), get("/docs")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused_with_allow(method: str) -> None:
    answer = get("/docs", method)
    assert (answer.status, answer.headers["allow"], answer.json["type"]) == (
        405,
        "GET, HEAD",
        "/problems/method-not-allowed",
    )


def test_the_catalog_is_a_linkset() -> None:
    answer = get("/.well-known/api-catalog")
    assert answer.headers["content-type"].startswith("application/linkset+json")
    assert answer.headers["link"] == '<https://api.example/.well-known/api-catalog>; rel="api-catalog"'
    whole, hotel = answer.json["linkset"]
    assert whole["item"] == [{"href": "https://api.example/experience/grand-hotel/v1"}]
    assert hotel["anchor"] == whole["item"][0]["href"]
    assert hotel["service-desc"][0]["href"] == "https://api.example/openapi/experience/grand-hotel/v1.json"
    assert hotel["service-doc"][0]["href"] == f"https://api.example{DOCS}"


def test_the_root_leads_to_the_documentation() -> None:
    answer = get("/")
    assert (answer.status, answer.headers["location"]) == (307, "/docs")


@pytest.mark.rule("RFC 9457 §4", "A problem type is documented with its status, title and members")
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/*, text/html;q=0.5", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("text/html;q=x, application/json;q=0.1", "application/json"),
    ],
)
def test_a_problem_is_explained_to_people_and_machines(accept: str, media_type: str) -> None:
    answer = get("/problems/room-taken", accept=accept)
    assert (answer.headers["content-type"], answer.headers["vary"]) == (media_type, "accept")


def test_a_problem_says_who_answers_with_it() -> None:
    facts = get("/problems/room-taken", accept="application/json").json
    assert facts == {
        "type": "/problems/room-taken",
        "title": "Somebody is in.",
        "status": 409,
        "retryable": False,
        "meaning": "Another one has `until` then.",
        "members": ["code", "where", "until"],
        "operations": ["grand_hotel.v1.post_room"],
    }


@pytest.mark.rule("RFC 9457 §3.1.1", "Every type leads to a page that explains it")
def test_every_type_in_any_answer_has_its_page() -> None:
    text = encoded(document(API, [Introduced()])).decode()
    assert set(re.findall(r'"(/problems/[a-z-]+)"', text)) <= set(PUBLISHED.paths)
    assert {"/problems/unknown-path", "/problems/method-not-allowed"} <= set(PUBLISHED.paths)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_and_loads_nothing_from_elsewhere(path: str) -> None:
    answer = get(path)
    page = answer.body.decode()
    found = Elements(page)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in page
    assert len(found.ids) == len(set(found.ids))
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(found.headings, found.headings[1:], strict=False))
    for link in found.links:
        target, _, fragment = link.partition("#")
        assert (target or path) in PUBLISHED.paths, link
        if fragment:
            ids = found.ids if not target else Elements(get(target).body.decode()).ids
            assert fragment in ids, link


def test_a_page_can_be_read_by_keyboard_and_screen_reader() -> None:
    found = Elements(get(DOCS).body.decode())
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for tag, attributes in found.attributes:
        by_tag.setdefault(tag, []).append(attributes)
    assert by_tag["html"][0]["lang"] == "en"
    assert by_tag["a"][0]["href"] == "#content"
    assert "content" in found.ids
    assert by_tag["nav"][0]["aria-label"]
    assert all(one["scope"] in ("col", "row") for one in by_tag["th"])
    assert any("width=device-width" in str(one.get("content")) for one in by_tag["meta"])


def test_text_of_contracts_is_escaped() -> None:
    page = get(DOCS).body.decode()
    assert "Rooms &amp; &lt;their&gt; guests." in page
    assert "Front &lt;desk&gt;" in page
    assert "<desk>" not in page


def test_the_stylesheet_may_be_kept_for_ever() -> None:
    (path,) = (one for one in PUBLISHED.paths if one.endswith(".css"))
    assert "immutable" in get(path).headers["cache-control"]
    assert path in get("/docs").body.decode()


def test_litestar_serves_all_of_it() -> None:
    application = Litestar(routes([API], [Introduced()]), openapi_config=None)
    for path in PUBLISHED.paths:
        answer = asyncio.run(call(application, "GET", path, {}, b""))
        assert answer.status in (200, 307), path
    assert asyncio.run(call(application, "GET", "/docs/", {}, b"")).status == 200
    assert asyncio.run(call(application, "GET", "/problems/nothing", {}, b"")).status == 404
