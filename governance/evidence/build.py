"""Which build was proved: the version of Tiergate and a digest of every published contract."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

from msgspec import Struct

from governance.call import Policy
from governance.contract.operation import Api
from governance.openapi.document import document, encoded


class Build(Struct, frozen=True, kw_only=True):
    """What stands behind a piece of evidence."""

    version: str
    contracts: str
    """SHA-256 over the documents of all APIs under their policies, in hexadecimal."""


def build_of(apis: Iterable[Api], policies: Iterable[Policy]) -> Build:
    """The build that these APIs and policies are.

    Raises:
        ContractError: a document can't be made.
    """
    policies = tuple(policies)
    digest = sha256()
    for api in sorted(apis, key=lambda one: one.id):
        digest.update(encoded(document(api, policies)))
    try:
        installed = version("tiergate")
    except PackageNotFoundError:
        installed = "unknown"  # it runs from its source, without being installed
    return Build(version=installed, contracts=digest.hexdigest())
