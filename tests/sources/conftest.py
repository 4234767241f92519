"""The toy folder of tests/toy.py as a fixture."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from toy import toy_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy_folder(tmp_path / "toy")
