from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from geo.errors import InputError
from geo.merge.audit import CHECKS
from geo.publish.findings import findings_table, write_findings
from geo.publish.webmap import map_data
from geo.text import LANGUAGES, catalogue

#: What the words of a finding may take besides the columns of its row.
FIGURES = {
    "spots": 3, "added_km2": 0.5, "before_km2": 1.5, "after_km2": 1.25, "before_people": 9000, "after_people": 8999,
    "area_km2": 4.2, "official_km2": 4.0, "expected_people": 1200, "official_people": 1000, "spot": "gap",
    "size": "large", "land_km2": 0.0123, "distance_m": 1369, "width_m": 40, "relation": "part_area_only",
    "share_pct": 41.6, "sum_pct": 180.0, "low_pct": 0.0, "high_pct": 86.1,
}  # fmt: skip


@pytest.fixture
def every_check(plan):
    """Return the city with one failure of every check."""
    subject = {"city": "city", "unit": "00004", "commune": "C1"}
    other = {"unit": "00025 09556", "commune": "C2", "": ""}
    rows = [
        {
            "check": name, "severity": "breach" if check.must_hold else "notice", "passed": False,
            "subject_kind": check.subject, "subject": subject[check.subject], "other_kind": check.other,
            "other": other[check.other], "value": 12.5, "unit": check.unit, "limit": 5.0, "at_stake_km2": 0.5,
            "lon": 105.8, "lat": 21.0, "remedy": "draw_line", "figures": json.dumps(FIGURES),
        }
        for name, check in CHECKS.items()
    ]  # fmt: skip
    return replace(plan.city, audit=pd.DataFrame(rows))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_finding_is_told_in_whole_sentences(every_check, lang):
    table = findings_table(every_check, lang=lang)
    assert not table["finding"].str.contains(r"[{}]|nan|None").any()
    assert table["finding"].str.endswith(".").all()
    assert table["check"].is_unique
    shown = table.set_index(pd.Index(CHECKS))["finding"]
    assert "Ba Đình" in shown["area_error_pct"]
    assert re.search(r"12[.,]5\s%", shown["area_error_pct"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_remedy_that_the_audit_gives_has_words(lang):
    source = (Path(__file__).parents[2] / "geo" / "merge" / "audit.py").read_text(encoding="utf-8")
    words = {key.removeprefix("audit.remedy.") for key in catalogue(lang) if key.startswith("audit.remedy.")}
    assert {word for word in words if f'"{word}"' in source} == words
    given = set(re.findall(r'remedy="(\w+)"', source)) | set(re.findall(r'else "(\w+)"', source)) - {"notice"}
    assert given <= words


def test_the_csv_holds_every_finding_and_the_layers_those_with_a_place(plan, tmp_path: Path):
    for suffix in (".csv", ".gpkg", ".geojson"):
        write_findings(plan.city.audit, tmp_path / f"audit{suffix}")
    table = pd.read_csv(tmp_path / "audit.csv", encoding="utf-8-sig")
    assert list(table.columns) == list(plan.city.audit.columns)
    assert len(table) == 2
    for suffix in (".gpkg", ".geojson"):
        layer = gpd.read_file(tmp_path / f"audit{suffix}")
        assert layer.crs == "EPSG:4326"
        assert layer["check"].tolist() == ["area_error_pct"]
        assert (layer.geometry.x[0], layer.geometry.y[0]) == (105.8, 21.0)
    assert {path.name for path in tmp_path.iterdir()} == {"audit.csv", "audit.gpkg", "audit.geojson"}


@pytest.mark.parametrize("suffix", [".csv", ".gpkg", ".geojson"])
def test_the_same_audit_gives_the_same_bytes(plan, tmp_path: Path, suffix: str):
    one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
    write_findings(plan.city.audit, one)
    write_findings(plan.city.audit, two)
    assert one.read_bytes() == two.read_bytes()


def test_a_file_that_cannot_be_written_is_told(plan, tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        write_findings(plan.city.audit, tmp_path / "file" / "audit.gpkg")
    assert caught.value.faults[0].key == "output_not_writable"


def test_the_map_carries_the_failures_that_have_a_place(plan):
    (finding,) = map_data(plan, lang="en")["findings"]
    assert finding["at"] == [21.0, 105.8]
    assert finding["grave"]
    assert "official 8.00" in finding["text"]
