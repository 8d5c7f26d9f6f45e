"""Makes the stories of flows importable by name, tests being no package; and a folder that needs no migration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose database has every table, made once for all stories."""
    from flow_story import flow, step, telling

    home = tmp_path_factory.mktemp("migrated")
    with telling(home, flow(step("ship", pivot=True))):
        pass
    return home


@pytest.fixture
def home(tmp_path: Path, migrated: Path) -> Path:
    """A folder of its own for one story."""
    return Path(shutil.copytree(migrated, tmp_path / "home"))
