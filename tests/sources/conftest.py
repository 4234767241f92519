"""The toy folder of tests/toy.py as a fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toy import toy_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return toy_folder(tmp_path / "toy")
