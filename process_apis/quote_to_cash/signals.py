"""What people tell a quote under way, as bodies of its signals; each names the revision that it is about."""

from __future__ import annotations

import msgspec

from process_apis.quote_to_cash.record import Answer, Correction, Decision, Revision

DECISION, ANSWER, MONEY = "decision", "answer", "money"
"""``MONEY`` says nothing but that it is worth looking at the invoices."""

decision_in = msgspec.json.Decoder(Decision).decode
answer_in = msgspec.json.Decoder(Answer).decode
correction_in = msgspec.json.Decoder(Correction).decode
revision_in = msgspec.json.Decoder(Revision).decode
