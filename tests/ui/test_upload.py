"""An inventory that a reader brings: read as that of a folder, told by its faults, for one session only."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from geo import City, load_city, make_plan
from geo.errors import InputError
from geo.params import Params
from geo.settings import Settings
from geo.text import LANGUAGES, t
from geo.ui import store
from geo.ui.served import city_geometry, serve_city, serve_ground
from geo.ui.upload import MAX_MB, inventory_csv, read_upload
from geo.ui.words import plain
from tests.ui.toyapp import HOSTILE

Start = Callable[..., AppTest]
Go = Callable[[AppTest, str], AppTest]


@pytest.fixture
def table(toy_city: City) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(inventory_csv(toy_city)), dtype=str, encoding="utf-8-sig")


def as_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def as_xlsx(table: pd.DataFrame) -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in [list(table.columns), *table.fillna("").to_numpy().tolist()]:
        book.active.append(row)
    book.save(buffer)
    return buffer.getvalue()


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader(key="upload").set_value((name, content, "text/csv")).run()
    return app.button(key="upload_use").click().run()


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("form", [as_csv, as_xlsx])
def test_the_inventory_that_was_downloaded_gives_the_same_plan(
    toy_city: City, table: pd.DataFrame, form: Callable[[pd.DataFrame], bytes]
) -> None:
    again = read_upload(form(table), settings=Settings())
    assert make_plan(again).units["reason"].tolist() == make_plan(toy_city).units["reason"].tolist()
    pd.testing.assert_frame_equal(make_plan(again).sites, make_plan(toy_city).sites, rtol=1e-6)
    assert again.name == toy_city.name


def test_an_upload_is_what_a_folder_with_that_file_is(table: pd.DataFrame, data_dir: Path, tmp_path: Path) -> None:
    content = as_csv(table.iloc[1:])
    folder = Path(shutil.copytree(data_dir, tmp_path / data_dir.name))
    (folder / "buildings" / "inventory.csv").write_bytes(content)
    uploaded, from_folder = read_upload(content, settings=Settings()), load_city(folder)
    assert uploaded.digest == from_folder.digest
    assert uploaded.sites.equals(from_folder.sites)


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pages_say_whose_inventory_they_show_and_lead_back(
    start: Start, go: Go, table: pd.DataFrame, data_dir: Path, lang: str
) -> None:
    before = snapshot(data_dir)
    app = upload(go(start(lang=lang), "data"), "mine *b*.csv", as_csv(table.iloc[1:]))
    assert not app.exception
    assert not app.error
    banner = plain(t("study.upload.banner", lang=lang, file="mine *b*.csv", n=str(len(table) - 1)))
    for page in ("overview", "unit", "export", "data"):
        go(app, page)
        assert not app.exception
        assert banner in [info.value for info in app.info]
    assert banner not in [info.value for info in start(lang=lang).info], "another session sees nothing of it"
    label = t("study.upload.back", lang=lang)
    next(button for button in app.button if button.label == label).click().run()
    assert banner not in [info.value for info in app.info]
    assert snapshot(data_dir) == before


def test_nothing_of_an_own_inventory_is_served_or_shared(
    start: Start, go: Go, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(store, "make_plan", lambda city, *args, **kwargs: made.append(city.digest) or make_plan(city))
    table["name"] = [f"Secret {i}" for i in range(len(table))]
    content = as_csv(table.iloc[1:])
    app = go(upload(go(start(lang="en"), "data"), "mine.csv", content), "overview")
    assert not app.exception
    own = read_upload(content, settings=Settings())
    assert made.count(own.digest) == 1, "the session keeps its plan"
    store.current_plan(own, Params())
    assert made.count(own.digest) == 2, "what all sessions share does not hold it"
    files = [path for path in (tmp_path / "static").rglob("*") if path.is_file()]
    assert any(path.name.startswith("ground-") for path in files)
    assert not [path for path in files if b"Secret" in path.read_bytes()]
    assert not [path for path in files if own.digest in path.name]


def test_the_map_of_an_own_inventory_brings_its_sites_itself(toy_city: City, tmp_path: Path) -> None:
    served = serve_ground(toy_city, folder=tmp_path)
    script = (tmp_path / served.scripts[-1].rsplit("/", 1)[1]).read_bytes()
    data = json.loads(script.removeprefix(b"trusoCity.load(").removesuffix(b");\n"))
    assert data == json.loads(json.dumps({**city_geometry(toy_city), "sites": []}))
    assert json.loads(served.own_sites) == city_geometry(toy_city)["sites"]
    fewer = replace(toy_city, sites=toy_city.sites.iloc[1:], digest="other")
    assert serve_ground(fewer, folder=tmp_path).scripts == served.scripts
    assert serve_city(toy_city, folder=tmp_path).own_sites == "null"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_wrong_inventory_is_told_row_by_row_and_changes_nothing(
    start: Start, go: Go, table: pd.DataFrame, lang: str
) -> None:
    table.loc[2, "floor_area_m2"] = HOSTILE
    table.loc[3, "lon"] = "200"
    app = upload(go(start(lang=lang), "data"), "mine.csv", as_csv(table))
    assert not app.exception
    assert app.error[0].value == t("study.upload.failed", lang=lang)
    told = next(text.value for text in app.markdown if "floor\\_area\\_m2" in text.value)
    assert plain("mine.csv") in told
    assert plain(t("faults.place.row", lang=lang, row=4)) in told
    assert plain(HOSTILE[:20]) in told
    assert "<img" not in told.replace("\\<img", "")
    go(app, "overview")
    assert t("study.upload.banner", lang=lang, file="mine.csv", n="4") not in [info.value for info in app.info]


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * (MAX_MB * 1_000_000 + 1), b"\x00\xff\x00", b"PK\x03\x04broken", b"site_id,name\n1,a\n"],
    ids=["empty", "large", "binary", "broken archive", "no place"],
)
def test_a_file_that_is_no_inventory_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_upload(content, settings=Settings())
    assert all((fault.file or "").startswith("buildings/") for fault in caught.value.faults)


def test_a_small_archive_that_unfolds_to_a_large_table_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (MAX_MB * 1_000_000 + 1))
    with pytest.raises(InputError) as caught:
        read_upload(buffer.getvalue(), settings=Settings())
    assert [fault.key for fault in caught.value.faults] == ["file_too_large"]
