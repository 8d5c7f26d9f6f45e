"""What people tell a return under way, as bodies of its signals. Each is told once: the first one counts."""

from __future__ import annotations

import msgspec

from process_apis.returns.record import Decision, Inspection, Receipt

DECISION, RECEIPT, INSPECTION = "decision", "receipt", "inspection"

decision_in = msgspec.json.Decoder(Decision).decode
receipt_in = msgspec.json.Decoder(Receipt).decode
inspection_in = msgspec.json.Decoder(Inspection).decode
