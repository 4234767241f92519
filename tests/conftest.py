from pathlib import Path

import pytest

from geo import plan
from geo.city import City, load_city
from geo.settings import Settings
from tests.toy import toy_folder


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
    """Return settings whose cache all tests of this run share: for what takes long."""
    return Settings(cache_dir=tmp_path_factory.mktemp("shared-cache"))


@pytest.fixture(scope="session")
def embedded_city(shared_settings: Settings) -> City:
    """Return the city that the project ships."""
    return load_city(shared_settings.data_dir, settings=shared_settings)


@pytest.fixture
def toy_city(tmp_path: Path, settings: Settings) -> City:
    return load_city(toy_folder(tmp_path / "toy"), settings=settings)
