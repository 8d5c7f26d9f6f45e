"""What every answer of an operation has, whatever was asked: judged over all that came back from the other probes.

Controls ``HD-…``. Standards: RFC 9457 §3 (problem details), RFC 6750 §3 (challenges), RFC 9110
§10.2.3 (Retry-After), draft-ietf-httpapi-ratelimit-headers-11 §3 and §4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from governance.call import TokenKind
from governance.contract.operation import Operation
from governance.prove.proof import Proof
from governance.prove.reply import Reply, Sent

PAST_THE_LIMIT = frozenset({200, 201, 202, 204, 304, 409, 412, 422, 428})
"""What only answers that the limit was asked about have, where method and token are good."""
LIMIT_STATE = re.compile(r'"[^"]+";r=\d+;t=\d+(, "[^"]+";r=\d+;t=\d+)*')
NO_TOKEN: TokenKind = "none"  # noqa: S105 - a kind of token
CHALLENGE = re.compile(r'Bearer .*resource_metadata="[^"]+".*')

Judge = Callable[[Sent], str]
"""What is wrong with an answer; empty where nothing is."""


class Standing(Struct, frozen=True, kw_only=True):
    """One thing that every answer of a kind has."""

    control: str
    title: str
    applies: Callable[[Sent], bool]
    judge: Judge


def _request_id(sent: Sent) -> str:
    return "" if re.fullmatch(r"[A-Za-z0-9._-]{16,64}", sent.reply.headers.get("request-id", "")) else "no Request-Id"


def _sniffing(sent: Sent) -> str:
    return "" if sent.reply.headers.get("x-content-type-options") == "nosniff" else "no nosniff"


def _caching(sent: Sent) -> str:
    value = sent.reply.headers.get("cache-control", "")
    kept = sent.reply.status >= 400 or sent.method not in ("GET", "HEAD")
    held = value == "no-store" or (not kept and value.startswith("private"))
    return "" if held else f"Cache-Control {value!r}"


def _framing(sent: Sent) -> str:
    value = sent.reply.headers.get("content-security-policy", "")
    return "" if "default-src 'none'" in value and "frame-ancestors 'none'" in value else f"policy {value!r}"


def _problem(sent: Sent) -> str:
    reply, said = sent.reply, sent.reply.problem_members
    if not said:
        return "" if sent.method == "HEAD" else "no problem details"
    wanted: Mapping[str, Any] = {"status": reply.status, "request_id": reply.headers.get("request-id")}
    wrong = [name for name, value in wanted.items() if said.get(name) != value]
    wrong += [name for name in ("type", "title", "instance") if not isinstance(said.get(name), str)]
    wrong += [] if isinstance(said.get("retryable"), bool) else ["retryable"]
    return f"wrong {', '.join(wrong)}" if wrong else ""


def _challenge(sent: Sent) -> str:
    value = sent.reply.headers.get("www-authenticate", "")
    if not CHALLENGE.fullmatch(value):
        return f"challenge {value!r}"
    wanted = "insufficient_scope" if sent.reply.status == 403 else "" if sent.token == NO_TOKEN else "invalid_token"
    found = re.search(r'error="([^"]*)"', value)
    return "" if (found[1] if found else "") == wanted else f"challenge {value!r}"


def _retry(sent: Sent) -> str:
    value = sent.reply.headers.get("retry-after", "")
    return "" if value.isdigit() and int(value) > 0 else "no Retry-After"


def _limits(sent: Sent) -> str:
    headers = sent.reply.headers
    missing = [name for name in ("ratelimit-policy", "ratelimit") if name not in headers]
    if missing:
        return f"no {', '.join(missing)}"
    return "" if LIMIT_STATE.fullmatch(headers["ratelimit"]) else f"RateLimit {headers['ratelimit']!r}"


def _refused(sent: Sent) -> bool:
    return sent.reply.status >= 400


def _challenged(sent: Sent) -> bool:
    return sent.reply.status == 401 or (sent.reply.status == 403 and sent.reply.problem == "insufficient-scope")


def _past_the_limit(sent: Sent) -> bool:
    reply = sent.reply
    return sent.of_operation and (reply.status in PAST_THE_LIMIT or reply.problem == "not-found")


STANDING = (
    Standing(control="HD-001", title="Every answer has its Request-Id", applies=lambda _: True, judge=_request_id),
    Standing(control="HD-002", title="No answer is sniffed for another type", applies=lambda _: True, judge=_sniffing),
    Standing(control="HD-003", title="Every refusal is a whole problem", applies=_refused, judge=_problem),
    Standing(control="HD-004", title="401 and 403 say what is missing", applies=_challenged, judge=_challenge),
    Standing(
        control="HD-005",
        title="429 and 503 say when to come again",
        applies=lambda sent: sent.reply.status in (429, 503),
        judge=_retry,
    ),
    Standing(
        control="HD-006",
        title="Answers past the limit say what remains of it",
        applies=_past_the_limit,
        judge=_limits,
    ),
    Standing(
        control="HD-008",
        title="No shared cache keeps an answer",
        applies=lambda sent: sent.method != "OPTIONS",
        judge=_caching,
    ),
    Standing(control="HD-009", title="No answer is framed or run", applies=lambda _: True, judge=_framing),
    Standing(
        control="HD-007",
        title="Nothing fails unexpectedly",
        applies=lambda _: True,
        judge=lambda sent: str(sent.reply) if sent.reply.status == 500 else "",
    ),
)


def standing_proofs(operation: Operation, sent: Sequence[Sent]) -> Iterator[Proof]:
    """One proof for each thing that every answer has; nothing where no answer of the kind came."""
    for one in STANDING:
        if one.judge is _challenge and operation.inbound:  # it asks for a signature, as WH-001 says
            continue
        judged = [answer for answer in sent if one.applies(answer)]
        if judged:
            wrong = [
                f"{answer.reply.status} of {answer.control}: {said}" for answer in judged if (said := one.judge(answer))
            ]
            yield _proof(operation, one.control, one.title, f"all of {len(judged)} answers", wrong)


def documented_proof(operation: Operation, sent: Iterable[Sent], described: Mapping[str, Any]) -> Proof:
    """Every status that came is one that the published document knows of the operation."""
    known = set(described.get("responses", {}))
    undocumented = {
        f"{answer.reply.status} of {answer.control}"
        for answer in sent
        if answer.of_operation and not _of_prover(answer.reply) and str(answer.reply.status) not in known
    }
    title = "Every status that came is a published one"
    return _proof(operation, "DO-005", title, "published statuses", sorted(undocumented))


def _of_prover(reply: Reply) -> bool:
    return "tiergate-probe" in reply.headers or (reply.status == 403 and "governance:prove" in reply.body.decode())


def _proof(operation: Operation, control: str, title: str, expected: str, wrong: Sequence[str]) -> Proof:
    return Proof(
        control=control,
        operation_id=operation.id,
        title=title,
        expected=expected,
        seen="; ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "") if wrong else expected,
        outcome="failed" if wrong else "held",
    )
