"""The taxonomy: every kind of event of this gateway, one module a family.

A module that is added here adds its kinds. An API of a company's own repository declares its kinds in
its own folder, and they are known once it is imported.
"""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every family, so that ``kind.KINDS`` is whole."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        importlib.import_module(f"{__name__}.{module.name}")
