"""The contract language: an API version is one class, an operation one method signature."""

from governance.contract.contract import Contract, api_of
from governance.contract.declaration import action, amend, create, inbound, read, remove, replace, search, stream
from governance.contract.delivery import Delivery, Receipt
from governance.contract.errors import ContractError
from governance.contract.lifecycle import BrownOut, Lifecycle, deprecated, retired
from governance.contract.operation import TIERS, Api, Operation, Parameter, Tier, Visibility, by, operation_of
from governance.contract.paging import Cursor, CursorCodec, Limit, Page
from governance.contract.problems import NotFound, Problem, Refusal, Violation
from governance.contract.streaming import Stream

__all__ = [
    "TIERS",
    "Api",
    "BrownOut",
    "Contract",
    "ContractError",
    "Cursor",
    "CursorCodec",
    "Delivery",
    "Lifecycle",
    "Limit",
    "NotFound",
    "Operation",
    "Page",
    "Parameter",
    "Problem",
    "Receipt",
    "Refusal",
    "Stream",
    "Tier",
    "Violation",
    "Visibility",
    "action",
    "amend",
    "api_of",
    "by",
    "create",
    "deprecated",
    "inbound",
    "operation_of",
    "read",
    "remove",
    "replace",
    "retired",
    "search",
    "stream",
]
