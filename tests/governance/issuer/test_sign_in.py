"""The sign-in page: what it shows, whom it believes, and where it sends. RFC 6749 §4.1, RFC 9700, RFC 9207."""

from __future__ import annotations

from typing import Any

import pytest
from issuer_world import CHALLENGE, PASSWORD, REDIRECT, Page, World, asking, sent

from governance.issuer.form_seal import OPEN_S


def test_a_user_signs_in_and_the_client_gets_a_code(world: World) -> None:
    where, said = sent(world.sign_in())
    assert where == REDIRECT
    assert said.keys() == {"code", "state", "iss"}
    assert len(said["code"]) >= 43
    assert said["state"] == "s t&="


@pytest.mark.rule("RFC 9207 §2", "The authorization response says who answers, also when it is an error")
def test_the_answer_says_who_gave_it(world: World) -> None:
    assert sent(world.sign_in())[1]["iss"] == "https://gw.example"
    hidden, cookie = world.form()
    where, said = sent(world.post({**hidden, "decision": "deny"}, cookie))
    assert where == REDIRECT
    assert (said["error"], said["iss"], said["state"]) == ("access_denied", "https://gw.example", "s t&=")


def test_without_a_state_none_is_sent(world: World) -> None:
    assert "state" not in sent(world.sign_in(state=None))[1]


@pytest.mark.rule("RFC 9700 §4.12", "Users are sent back with 303, so that no browser posts the password on")
def test_no_browser_posts_the_password_on(world: World) -> None:
    assert world.sign_in().status == 303


# The page


def test_the_page_is_a_plain_form_that_needs_nothing_else(world: World) -> None:
    page = Page(world.show(asking()).body)
    assert not page.all("script")
    (form,) = page.all("form")
    assert (form["method"], form["action"]) == ("post", "/oauth/authorize")
    assert all(str(link["href"]).startswith("/") for link in (*page.all("link"), *page.all("a")) if "href" in link
               and link["href"] != "#content")  # fmt: skip
    fields = {one["name"]: one for one in page.all("input") if one["type"] != "hidden"}
    assert fields.keys() == {"username", "password"}
    assert fields["password"]["type"] == "password"
    assert fields["password"]["autocomplete"] == "current-password"
    assert fields["username"]["autocomplete"] == "username"
    assert {label["for"] for label in page.all("label")} == {one["id"] for one in fields.values()}
    assert [one["value"] for one in page.all("button")] == ["allow", "deny"]
    assert page.all("html")[0]["lang"] == "en"


def test_the_page_says_who_asks_for_what_and_where_it_goes(world: World) -> None:
    answer = world.show(asking(scope="portal.orders:read portal.orders:write"))
    page = Page(answer.body)
    assert "Orders <app>" in page.text
    assert b"<app>" not in answer.body
    assert "See orders of portal" in page.text
    assert "Make and change orders of portal" in page.text
    assert "shop.example" in page.text


@pytest.mark.rule("RFC 9700 §4.16", "The sign-in page can't be framed")
def test_the_page_can_not_be_framed_cached_or_leak_where_it_came_from(world: World) -> None:
    headers = dict(world.show(asking()).headers)
    policy = headers[b"content-security-policy"].decode()
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert policy.endswith("form-action 'self' https://shop.example")
    assert headers[b"x-frame-options"] == b"DENY"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"referrer-policy"] == b"no-referrer"


@pytest.mark.parametrize(
    ("uri", "end"), [("com.example.app:/in", "com.example.app:"), ("http://[::1]:5000/in", "http:")]
)
def test_the_form_may_end_at_a_native_app(world: World, uri: str, end: str) -> None:
    policy = dict(world.show(asking(redirect_uri=uri)).headers)[b"content-security-policy"].decode()
    assert policy.endswith(f"form-action 'self' {end}")


def test_a_wrong_password_and_an_unknown_name_look_the_same(world: World) -> None:
    wrong, unknown = world.sign_in("wrong"), world.sign_in(username="nobody")
    assert (wrong.status, unknown.status) == (403, 403)
    texts = [Page(answer.body).text for answer in (wrong, unknown)]
    assert texts[0] == texts[1]
    assert "Name or password is wrong" in texts[0]
    page = Page(wrong.body)
    assert [one["role"] for one in page.all("p") if "role" in one] == ["alert"]
    fields = [one for one in page.all("input") if one["type"] != "hidden"]
    assert all((one["aria-invalid"], one["aria-describedby"]) == ("true", "wrong") for one in fields)
    assert {one["name"]: one["value"] for one in fields} == {"username": "ada", "password": ""}


def test_after_a_wrong_password_the_same_form_goes_on(world: World) -> None:
    hidden, cookie = world.form()
    again = world.post({**hidden, "username": "ada", "password": "wrong", "decision": "allow"}, cookie)
    fields = Page(again.body).hidden
    done = world.post({**fields, "username": "ada", "password": PASSWORD, "decision": "allow"}, cookie)
    assert "code" in sent(done)[1]


# Who may ask, and where answers go


@pytest.mark.rule("RFC 9700 §4.11", "An address that is not the client's is never followed: the user is told")
@pytest.mark.rule("RFC 9700 §2.1", "Redirect URIs are compared exactly with those of the client")
@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/in"},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT + "?more=1"},
        {"redirect_uri": "https://shop.example.evil.example/in"},
        {"redirect_uri": None},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "shop"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_the_clients(world: World, changes: Any) -> None:
    answer = world.show(asking(**changes))
    assert answer.status == 400
    assert b"location" not in dict(answer.headers)
    assert b"evil.example" not in answer.body
    assert b"javascript:" not in answer.body
    assert not Page(answer.body).all("form")


@pytest.mark.parametrize("twice", ["client_id=app", "redirect_uri=https%3A%2F%2Fevil.example"])
def test_two_clients_or_addresses_are_none(world: World, twice: str) -> None:
    answer = world.show(f"{asking()}&{twice}")
    assert (answer.status, b"evil.example" in answer.body) == (400, False)


@pytest.mark.rule("RFC 8252 §7.3", "A native app may take any port of its loopback address")
def test_a_native_app_chooses_its_port(world: World) -> None:
    where, _ = sent(world.sign_in(redirect_uri="http://127.0.0.1:49152/in"))
    assert where == "http://127.0.0.1:49152/in"


@pytest.mark.rule("RFC 9700 §4.11.2", "No error sends a user anywhere who has neither signed in nor said no")
@pytest.mark.rule("RFC 7636 §4.4.1", "A request without PKCE is refused")
@pytest.mark.rule("RFC 9700 §2.1.1", "PKCE is demanded of every client, by S256 only")
@pytest.mark.rule("RFC 9700 §2.1.2", "The implicit grant is not offered")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "erp.products:read"}, "invalid_scope"),
        ({"scope": "portal.orders:read unknown"}, "invalid_scope"),
        ({"resource": "https://evil.example/system"}, "invalid_target"),
        ({"request": "e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
        ({"state": "a\nb"}, "invalid_request"),
    ],
)
def test_what_can_not_be_had_is_told_to_user_and_client(world: World, changes: Any, error: str) -> None:
    answer = world.show(asking(**changes))
    assert answer.status == 400
    assert b"location" not in dict(answer.headers)
    page = Page(answer.body)
    (back,) = (str(one["href"]) for one in page.all("a") if str(one["href"]).startswith("https:"))
    assert back.startswith(f"{REDIRECT}?error={error}&")
    assert "iss=https%3A%2F%2Fgw.example" in back


def test_a_parameter_that_comes_twice_is_refused(world: World) -> None:
    assert world.show(asking() + "&scope=portal.orders%3Awrite").status == 400


@pytest.mark.parametrize("query", ["", "%ff=%ff&client_id=%ff", "a=b&" * 40, "x" * 9_000])
def test_what_is_no_request_is_refused(world: World, query: str) -> None:
    assert world.show(query).status == 400


# Forged forms


@pytest.mark.rule("RFC 9700 §4.7", "No other site can post the form: it is sealed for the browser that asked for it")
def test_a_form_of_another_browser_is_refused(world: World) -> None:
    hidden, cookie = world.form()
    _, others = world.form()
    fields = {**hidden, "username": "ada", "password": PASSWORD, "decision": "allow"}
    for wrong in ("", others, "__Host-tiergate-sign-in=short", cookie.replace("=", "=x", 1)):
        answer = world.post(fields, wrong)
        assert (answer.status, b"location" in dict(answer.headers)) == (403, False)
    assert "code" in sent(world.post(fields, cookie))[1]


def test_a_refusal_can_not_be_forged_either(world: World) -> None:
    hidden, _ = world.form()
    assert world.post({**hidden, "decision": "deny"}, "").status == 403


def test_what_was_shown_is_what_is_granted(world: World) -> None:
    hidden, cookie = world.form()
    fields = {**hidden, "username": "ada", "password": PASSWORD, "decision": "allow"}
    more = asking(scope="portal.orders:read portal.orders:write")
    assert world.post({**fields, "request": more}, cookie).status == 403


@pytest.mark.parametrize("seal", ["", ".", "x.y", "9" * 20 + ".x", "²³.x", "99999999999.x", "1.x"])
def test_a_seal_that_is_none_is_refused(world: World, seal: str) -> None:
    hidden, cookie = world.form()
    fields = {**hidden, "seal": seal, "username": "ada", "password": PASSWORD, "decision": "allow"}
    assert world.post(fields, cookie).status == 403


def test_a_form_grows_old(world: World) -> None:
    hidden, cookie = world.form()
    world.clock.advance(OPEN_S + 1)
    answer = world.post({**hidden, "username": "ada", "password": PASSWORD, "decision": "allow"}, cookie)
    assert (answer.status, "too long" in Page(answer.body).text) == (403, True)


def test_the_cookie_is_for_this_host_and_no_script(world: World) -> None:
    cookie = dict(world.show(asking()).headers)[b"set-cookie"].decode()
    assert cookie.startswith("__Host-tiergate-sign-in=")
    assert cookie.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"]


def test_another_process_opens_the_same_form(world: World) -> None:
    hidden, cookie = world.form()
    fields = {**hidden, "username": "ada", "password": PASSWORD, "decision": "allow"}
    assert "code" in sent(world.another().post(fields, cookie))[1]


# Guessing


@pytest.mark.rule("RFC 6749 §10.10", "Guesses of passwords are limited")
def test_a_name_can_be_tried_so_often_only_whoever_tries(world: World) -> None:
    hidden, cookie = world.form()
    fields = {**hidden, "username": "ada", "password": "wrong", "decision": "allow"}
    answers = [world.post(fields, cookie, peer=f"10.0.0.{number}") for number in range(11)]
    assert [answer.status for answer in answers] == [403] * 10 + [429]
    right = world.post({**fields, "password": PASSWORD}, cookie, peer="10.0.1.1")
    assert (right.status, dict(right.headers)[b"retry-after"]) == (429, b"30")
    world.clock.advance(31)
    assert "code" in sent(world.post({**fields, "password": PASSWORD}, cookie, peer="10.0.1.1"))[1]


def test_a_peer_can_try_so_often_only_whatever_the_name(world: World) -> None:
    hidden, cookie = world.form()
    fields = {**hidden, "password": "wrong", "decision": "allow"}
    answers = [world.post({**fields, "username": f"user{number}"}, cookie) for number in range(21)]
    assert [answer.status for answer in answers] == [403] * 20 + [429]


def test_nothing_is_granted_while_the_database_is_away(world: World) -> None:
    hidden, cookie = world.form()
    world.close()
    answer = world.post({**hidden, "username": "ada", "password": PASSWORD, "decision": "allow"}, cookie)
    assert (answer.status, dict(answer.headers)[b"retry-after"]) == (503, b"5")
    assert "not possible at this moment" in Page(answer.body).text
