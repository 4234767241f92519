"""The findings of the audit on the data page, and the parts of a unit on its own page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from streamlit.testing.v1 import AppTest

from geo import City, load_city
from geo.merge.audit import worst
from geo.text import LANGUAGES, t
from geo.ui.sketch import draw_findings
from geo.ui.words import plain

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]


@pytest.fixture
def spoilt(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the toy folder with official areas that no polygon meets."""
    folder = Path(shutil.copytree(data_dir, tmp_path / "spoilt"))
    units = folder / "boundaries" / "units.geojson"
    document = json.loads(units.read_text(encoding="utf-8"))
    for feature in document["features"]:
        feature["properties"]["area_km2"] = 9.9
    units.write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("GEO_DATA_DIR", str(folder))
    return folder


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_data_page_lists_the_worst_with_what_mends_them(start: Start, go: Go, spoilt: Path, lang: str) -> None:
    app = go(start(lang=lang), "data")
    assert not app.exception
    (listed,) = [text.value for text in app.markdown if plain(t("audit.worst", lang=lang)) in text.value]
    assert "Phường Tây" in listed
    assert plain(t("audit.remedy.check_official_area", lang=lang)) in listed
    assert len(app.dataframe[0].value) == len(load_city(spoilt).audit), "every finding below"


def test_a_sound_folder_says_so(start: Start, go: Go) -> None:
    app = go(start(lang="en"), "data")
    assert "0 break what must hold" in app.success[-1].value.replace("\\", "")


def test_the_unit_page_says_how_each_part_was_found_and_how_sure(start: Start, go: Go) -> None:
    app = go(start(lang="en", unit="00010"), "unit")
    table = app.dataframe[-1].value.set_index("commune")
    assert table.loc["Phường Ánh", ["method", "sureness"]].tolist() == ["whole commune", "sure"]
    assert table.loc["Phường Bưởi", "method"] == "cut by the official lines"
    assert table.loc["Phường Bưởi", "area_share"] == pytest.approx(50, abs=0.5)


def test_the_picture_marks_every_finding_with_a_place(spoilt: Path) -> None:
    city: City = load_city(spoilt)
    bad = worst(city.audit, n=len(city.audit))
    picture = ET.fromstring(draw_findings(city, bad, lang="vi"))
    marks = [e for e in picture.iter() if e.get("fill") in ("#c1121f", "#9b4dca")]
    assert len(marks) == bad["lon"].notna().sum() >= 2
