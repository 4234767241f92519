"""The app on the toy folder of tests/toy.py, with roads and with a building that bears a hostile name.

::

    one street every 0.0025 degrees, both ways, over the whole folder:

    21.02 +--+--+--+--+        S1 lies in unit 00010 (one candidate, so one site)
          +--+--+--+--+        S2, S3, S4 lie in unit 00020 (up to two sites)
    21.00 +--+--+--+--+
         105.80     105.83
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo import City, load_city
from geo.settings import Settings
from tests.toy import replace_in, toy_folder
from tests.ui.toyapp import APP, HOSTILE, write_streets


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy folder with streets, one building's name hostile."""
    folder = toy_folder(tmp_path_factory.mktemp("ui") / "toy")
    write_streets(folder / "network" / "toy.osm.pbf")
    replace_in(folder / "buildings" / "inventory.csv", "UBND Xã Cửa", HOSTILE)
    return folder


@pytest.fixture(autouse=True)
def machine(data_dir: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the app to the toy folder and to a cache of its own."""
    monkeypatch.setenv("GEO_DATA_DIR", str(data_dir))
    monkeypatch.setenv("GEO_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def loaded_toy_city(data_dir: Path, shared_settings: Settings) -> City:
    """The city that the app shows; `toy_city` is a copy of it."""
    return load_city(data_dir, settings=shared_settings)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., AppTest]:
    """Start the app from a copy of app.py, so that what it serves is written beside the copy."""
    script = Path(shutil.copy(APP, tmp_path / "app.py"))

    def start_app(**query: str) -> AppTest:
        app = AppTest.from_file(str(script), default_timeout=60)
        for name, value in query.items():
            app.query_params[name.replace("__", ".")] = value
        return app.run()

    return start_app


@pytest.fixture
def go() -> Callable[[AppTest, str], AppTest]:
    """Open a page by its address; AppTest itself only knows pages that are files."""

    def open_page(app: AppTest, page: str) -> AppTest:
        addresses = {info["url_pathname"]: key for key, info in app._registered_pages.items()}
        app._page_hash = addresses["" if page == "overview" else page]
        return app.run()

    return open_page
