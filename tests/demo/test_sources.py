from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import osmium
import pytest

from geo.demo import build_demo
from geo.demo.provenance import write_sources
from geo.errors import GeoError
from tests.demo.extract import DATA

ENTRIES = tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))["file"]
SHARED = DATA.parent.parent / "shared" / "data"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines_of(path: Path) -> int:
    if path.suffix == ".geojson":
        return len(json.loads(path.read_text(encoding="utf-8"))["features"])
    if path.suffix == ".pbf":
        return sum(item.is_way() for item in osmium.FileProcessor(str(path)))
    return len(path.read_text(encoding="utf-8").splitlines()) - 1


def test_every_data_file_is_listed_once():
    files = {
        path.relative_to(DATA).as_posix()
        for path in DATA.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".toml") and not path.name.startswith(".")
    }
    assert [entry["path"] for entry in ENTRIES] == sorted(files)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["path"])
def test_an_entry_describes_its_file(entry):
    path = DATA / entry["path"]
    assert entry["sha256"] == digest(path)
    assert entry["rows"] == lines_of(path)
    for key in ("producer", "licence", "attribution", "date", "changes"):
        assert entry[key].strip(), key


def test_what_uses_openstreetmap_credits_it_and_carries_its_licence():
    for entry in ENTRIES:
        if entry["path"].startswith(("network/", "buildings/")) or "bridges" in entry["path"]:
            assert "OpenStreetMap contributors" in entry["attribution"]
            assert entry["licence"] == "ODbL-1.0"


def test_the_embedded_data_stays_small():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 25_000_000


def test_no_third_party_file_is_among_the_data():
    if not SHARED.is_dir():
        pytest.skip("the third-party data to compare with is not here")
    foreign = {digest(path) for path in SHARED.rglob("*") if path.is_file()}
    assert not foreign & {entry["sha256"] for entry in ENTRIES}


def test_a_file_nobody_described_is_refused(tmp_path):
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "provenance.toml").write_text("")
    (tmp_path / "facts" / "found.csv").write_text("a\n1\n")
    with pytest.raises(GeoError, match=r"facts/found\.csv"):
        write_sources(tmp_path)


@pytest.mark.slow
def test_building_again_gives_the_same_bytes(tmp_path):
    build_demo(DATA / "facts", tmp_path / "data")
    for entry in ENTRIES:
        assert digest(tmp_path / "data" / entry["path"]) == entry["sha256"], entry["path"]
    assert (tmp_path / "data" / "sources.toml").read_bytes() == (DATA / "sources.toml").read_bytes()
    assert not list(tmp_path.glob(".build-demo-*"))
