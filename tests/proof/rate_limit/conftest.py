"""The store that a test may stop and kill."""

from tests.governance.conftest import fragile_store

__all__ = ["fragile_store"]
