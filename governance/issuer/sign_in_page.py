"""The page on which a user signs in and decides, and the page that says why this can't be done.

Plain forms without script: works with keyboard, screen reader, zoom and password manager (WCAG 2.2
AA, among it 3.3.1 and 3.3.8). It loads nothing from elsewhere and can't be framed.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from governance.consumers import Consumer
from governance.pages import Html, code, page, tag

WORDS = {"read": "See", "write": "Make and change", "prove": "Prove the governance of"}


def sign_in_page(
    consumer: Consumer,
    scopes: Iterable[str],
    redirect_uri: str,
    *,
    action: str,
    request: str,
    seal: str,
    username: str = "",
    wrong: str = "",
) -> bytes:
    """Sign in and decide: who asks, for what, and where the answer goes. ``wrong`` says what to try again."""
    where = urlsplit(redirect_uri).netloc or urlsplit(redirect_uri).scheme
    asks = tag("p", tag("strong", consumer.name), " asks to act in your name.", class_="lead")
    alert = [tag("p", wrong, class_="alert", role="alert", id="wrong")] if wrong else []
    rights = [tag("li", right(scope)) for scope in sorted(scopes)]
    listed = tag(
        "fieldset",
        tag("legend", "What it may do"),
        tag("ul", *rights, class_="rights") if rights else tag("p", "Nothing but know who you are."),
        tag("p", "Each as far as you may do it yourself.", class_="soft"),
    )
    form = tag(
        "form",
        tag("input", type="hidden", name="request", value=request),
        tag("input", type="hidden", name="seal", value=seal),
        *alert,
        _field("username", "Name", "text", "username", username, invalid=bool(wrong)),
        _field("password", "Password", "password", "current-password", "", invalid=bool(wrong)),
        listed,
        tag(
            "p",
            tag("button", "Sign in and allow", type="submit", name="decision", value="allow"),
            tag("button", "Cancel", type="submit", name="decision", value="deny", formnovalidate="", class_="quiet"),
            class_="decision",
        ),
        method="post",
        action=action,
        class_="sign-in",
    )
    after = tag("p", "Afterwards you are sent to ", code(where), ".", class_="soft")
    return page("Sign in", asks, form, after)


def failed_page(sentence: str, consumer: Consumer | None = None, location: str = "") -> bytes:
    """Why the request can't be granted; with the way back to the client where that is known."""
    said = [tag("p", sentence, class_="lead", role="alert")]
    if consumer is not None:
        said.append(tag("p", tag("a", f"Back to {consumer.name}", href=location)))
    else:
        said.append(tag("p", "Nothing was sent anywhere. Go back to where you came from and try again there."))
    return page("This sign-in can't go on", *said)


def right(scope: str) -> Html:
    """A scope in words, and as it is written."""
    name, _, action = scope.rpartition(":")
    api, _, things = name.partition(".")
    what = f"{things.replace('-', ' ')} of {api.replace('_', ' ')}" if things else name
    words = f"{WORDS[action]} {what}" if action in WORDS else what
    return tag("span", words, " ", tag("span", code(scope), class_="soft"))


def _field(name: str, label: str, kind: str, autocomplete: str, value: str, *, invalid: bool) -> Html:
    described = {"aria_invalid": "true", "aria_describedby": "wrong"} if invalid else {}
    box = tag(
        "input",
        id=name,
        name=name,
        type=kind,
        value=value,
        autocomplete=autocomplete,
        autocapitalize="none",
        spellcheck="false",
        maxlength="256",
        required="",
        **described,
    )
    return tag("p", tag("label", label, for_=name), box, class_="field")
