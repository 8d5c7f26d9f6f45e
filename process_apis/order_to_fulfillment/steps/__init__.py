"""The steps of order to fulfillment, one method each, and their undo.

Each takes the run and returns the order with what it settled. All of them may run again after a
crash: what they write carries a key of the flow and the step, and an undo names that key.
"""

from __future__ import annotations

from process_apis.order_to_fulfillment.steps.approval import Approvals
from process_apis.order_to_fulfillment.steps.checks import Checks
from process_apis.order_to_fulfillment.steps.commitments import Commitments
from process_apis.order_to_fulfillment.steps.endings import Endings
from process_apis.order_to_fulfillment.steps.fulfilment import Fulfilment


class OrderSteps(Checks, Approvals, Commitments, Fulfilment, Endings):
    """What is done for an order, over the systems of record."""
