import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from geo import plan
from geo.city import City, load_city
from geo.settings import Settings
from geo.text import LANGUAGES
from tests.toy import toy_folder

os.environ["COLUMNS"] = "400"  # of the terminal: read when the command line is imported, so set before any test does

hypothesis.settings.register_profile("quick", max_examples=6, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=100, deadline=None)
hypothesis.settings.load_profile("quick")  # unless `--hypothesis-profile` says otherwise

#: The app, the command line and the files are tried in the first language by default, in the others in the long run.
_IN_ONE_LANGUAGE = ("tests/ui/", "tests/cli/", "tests/publish/", "tests/study/", "tests/test_cli", "tests/test_plan")

#: What Chromium needs in a container, and to stay quiet.
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        lang = item.callspec.params.get("lang") if hasattr(item, "callspec") else None
        in_another_language = lang in LANGUAGES[1:] and item.nodeid.startswith(_IN_ONE_LANGUAGE)
        # The roads that come with the project change seldom.
        of_the_whole_extract = "extract" in getattr(item, "fixturenames", ())
        if in_another_language or of_the_whole_extract:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start headless Chromium, one for all browser tests: Playwright allows no second one in a thread."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def empty_memory() -> None:
    """Forget what earlier tests prepared."""
    plan._prepared.clear()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose cache is empty and thrown away."""
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture(scope="session")
def shared_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings whose cache all tests of this run share, in every process: for what takes long."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Settings(cache_dir=run / "shared-cache")


@pytest.fixture(scope="session")
def embedded_city(shared_settings: Settings) -> City:
    """Return the city that the project ships."""
    return load_city(shared_settings.data_dir, settings=shared_settings)


@pytest.fixture(scope="session")
def loaded_toy_city(tmp_path_factory: pytest.TempPathFactory, shared_settings: Settings) -> City:
    return load_city(toy_folder(tmp_path_factory.mktemp("city") / "toy"), settings=shared_settings)


@pytest.fixture
def toy_city(loaded_toy_city: City) -> City:
    """Return the city of the toy folder, a copy that a test may spoil."""
    return copy.deepcopy(loaded_toy_city)
