"""Damaged, disguised and oversized files are named and never opened by something that trusts them."""

from __future__ import annotations

import gc
import io
import os
import sqlite3
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest

from geo.errors import InputError
from geo.settings import Settings
from geo.sources.folder import read_folder
from tests.toy import (
    INVENTORY,
    errors_in,
    faults_in,
    replace_in,
    told,
    toy_folder,
    write_features,
    write_shapefile,
    write_text,
)

COMMUNES = "boundaries/communes.geojson"
INVENTORY_CSV = "buildings/inventory.csv"


def keys(folder: Path, **limits: int) -> list[tuple[str, str | None]]:
    return [(fault.key, fault.file) for fault in errors_in(folder, **limits)]


def replace_communes(folder: Path, name: str, content: bytes) -> str:
    (folder / COMMUNES).unlink(missing_ok=True)
    (folder / "boundaries" / name).write_bytes(content)
    return f"boundaries/{name}"


def replace_inventory(folder: Path, name: str, content: bytes) -> str:
    (folder / INVENTORY_CSV).unlink(missing_ok=True)
    (folder / "buildings" / name).write_bytes(content)
    return f"buildings/{name}"


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def shapefile_parts(folder: Path) -> dict[str, bytes]:
    write_shapefile(folder / "parts" / "communes.shp", gpd.read_file(folder / COMMUNES))
    return {path.name: path.read_bytes() for path in (folder / "parts").iterdir()}


@pytest.fixture
def parts(folder: Path) -> dict[str, bytes]:
    (folder / "parts").mkdir()
    return shapefile_parts(folder)


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert keys(tmp_path / "nowhere") == [("folder_missing", "nowhere")]
    with pytest.raises(InputError):
        read_folder(tmp_path / "nowhere", settings=Settings())


def test_an_empty_folder_lacks_every_required_part(tmp_path: Path) -> None:
    assert keys(tmp_path) == [
        ("part_missing", "boundaries/communes"),
        ("part_missing", "boundaries/clauses"),
        ("part_missing", "buildings/"),
    ]


def test_two_candidates_for_one_part_are_not_chosen_between(folder: Path) -> None:
    write_text(folder / "buildings" / "inventory_new.csv", INVENTORY)
    write_features(folder / "boundaries" / "communes.json", [])
    for name in ("a", "b"):
        (folder / "network").mkdir(exist_ok=True)
        (folder / "network" / f"{name}.osm.pbf").write_bytes(b"x")
    assert keys(folder) == [
        ("several_candidates", "boundaries/communes.geojson"),
        ("several_candidates", INVENTORY_CSV),
        ("several_candidates", "network/a.osm.pbf"),
    ]


def test_an_old_workbook_is_named_with_what_is_accepted(folder: Path) -> None:
    name = replace_inventory(folder, "inventory.xls", b"\xd0\xcf\x11\xe0")
    assert keys(folder) == [("format_unsupported", name), ("part_missing", "buildings/")]


def test_boundaries_in_a_format_that_is_not_read_are_named(folder: Path) -> None:
    name = replace_communes(folder, "communes.kml", b"<kml/>")
    (folder / "boundaries" / "units.geojson").rename(folder / "boundaries" / "units.dbf")
    assert keys(folder) == [("format_unsupported", name), ("format_unsupported", "boundaries/units.dbf")]


def test_roads_in_a_format_that_is_not_read_are_noted(folder: Path) -> None:
    (folder / "network").mkdir()
    (folder / "network" / "roads.osm.gz").write_bytes(b"x")
    noted = [(fault.key, fault.file) for fault in faults_in(folder) if "network" in str(fault.file)]
    assert noted == [("format_unsupported", "network/roads.osm.gz"), ("part_absent", "network/")]


@pytest.mark.parametrize("name", [COMMUNES, "boundaries/clauses.csv", INVENTORY_CSV, "city.toml"])
def test_an_empty_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    assert ("empty_file", name) in keys(folder)


@pytest.mark.parametrize("content", ["\n\n", " ,,\n", "\ufeff"])
def test_a_table_of_blanks_is_empty(folder: Path, content: str) -> None:
    write_text(folder / INVENTORY_CSV, content)
    assert keys(folder) == [("empty_file", INVENTORY_CSV)]


def test_a_header_without_rows_is_named(folder: Path) -> None:
    write_text(folder / INVENTORY_CSV, INVENTORY.splitlines()[0])
    write_features(folder / COMMUNES, [])
    assert keys(folder) == [("no_rows", COMMUNES), ("no_rows", INVENTORY_CSV)]


def test_a_table_in_another_encoding_is_named_with_its_row(folder: Path) -> None:
    (folder / INVENTORY_CSV).write_bytes(INVENTORY.replace("Nhà văn hoá", "Nhà").encode("cp1258", "replace"))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.row) == ("not_utf8", 2)


def test_a_table_in_utf16_is_named(folder: Path) -> None:
    (folder / INVENTORY_CSV).write_bytes(INVENTORY.encode("utf-16"))
    assert keys(folder) == [("not_utf8", INVENTORY_CSV)]


def test_a_table_cut_in_the_middle_of_a_row_is_named(folder: Path) -> None:
    write_text(folder / INVENTORY_CSV, INVENTORY[:-30])
    (fault,) = errors_in(folder)
    assert (fault.key, fault.row) == ("row_width", 5)


def test_a_table_cut_inside_quotes_is_named(folder: Path) -> None:
    replace_in(folder / INVENTORY_CSV, "3 Phố Ba", '"3 Phố Ba')
    assert keys(folder) == [("csv_broken", INVENTORY_CSV)]


def test_rows_are_counted_as_a_spreadsheet_counts_them(folder: Path) -> None:
    text = INVENTORY.replace("1 Phố Một", '"1 Phố Một\nTầng 2"').replace("S2,", "\nS2,").replace("S3,", "S1,")
    write_text(folder / INVENTORY_CSV, text)
    (fault,) = errors_in(folder)
    assert (fault.key, fault.row) == ("id_duplicate", 5)  # header, S1 on two lines, a blank row, S2, then this


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("format_", ["geojson", "gpkg", "shp", "zip"])
def test_truncated_boundaries_are_named(folder: Path, format_: str, share: float, parts: dict[str, bytes]) -> None:
    if format_ == "geojson":
        content = (folder / COMMUNES).read_bytes()
    elif format_ == "gpkg":
        gpd.read_file(folder / COMMUNES).to_file(folder / "whole.gpkg")
        content = (folder / "whole.gpkg").read_bytes()
    elif format_ == "shp":
        content = parts["communes.shp"]
        for suffix in ("shx", "dbf", "prj", "cpg"):
            (folder / "boundaries" / f"communes.{suffix}").write_bytes(parts[f"communes.{suffix}"])
    else:
        content = zipped(parts)
    name = replace_communes(folder, f"communes.{format_}", content[: int(share * len(content))])
    (fault,) = errors_in(folder)
    assert fault.file == name
    expected = {"geojson": "json_broken", "shp": "file_truncated"}.get(format_, "file_unreadable")
    assert fault.key == expected or len(content) * share < 100  # not even the header of a shapefile
    assert gc.isenabled(), "reading JSON holds it off"


def test_a_geopackage_with_a_damaged_page_is_named(folder: Path) -> None:
    """The page of the features says that it holds no rows: SQLite alone would believe it."""
    target = folder / "boundaries" / "communes.gpkg"
    gpd.read_file(folder / COMMUNES).to_file(target)
    (folder / COMMUNES).unlink()
    content = bytearray(target.read_bytes())
    page = int.from_bytes(content[16:18], "big")
    start = content.index("Phường Bưởi".encode()) // page * page
    assert content[start + 3 : start + 5] == b"\0\4"
    content[start + 3 : start + 5] = b"\0\2"
    target.write_bytes(bytes(content))
    assert keys(folder) == [("file_unreadable", "boundaries/communes.gpkg")]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_named(folder: Path, share: float) -> None:
    content = workbook([line.split(",") for line in INVENTORY.splitlines()])
    name = replace_inventory(folder, "inventory.xlsx", content[: int(share * len(content))])
    assert keys(folder) == [("file_unreadable", name)]


def test_a_truncated_attribute_table_of_a_shapefile_is_named(folder: Path, parts: dict[str, bytes]) -> None:
    parts["communes.dbf"] = parts["communes.dbf"][:-40]
    name = replace_communes(folder, "communes.zip", zipped(parts))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file, fault.value) == ("file_truncated", name, ".dbf")


def test_a_shapefile_without_its_parts_is_named(folder: Path, parts: dict[str, bytes]) -> None:
    name = replace_communes(folder, "communes.shp", parts["communes.shp"])
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file, fault.value) == ("sidecar_missing", name, ".shx, .dbf")


def test_the_parts_of_a_shapefile_are_in_the_digests(folder: Path, parts: dict[str, bytes]) -> None:
    (folder / COMMUNES).unlink()
    for name, content in parts.items():
        (folder / "boundaries" / name).write_bytes(content)
    digests = read_folder(folder, settings=Settings()).file_digests
    assert {f"boundaries/communes.{s}" for s in ("shp", "shx", "dbf", "prj", "cpg")} <= set(digests)


VRT = b"""<OGRVRTDataSource><OGRVRTLayer name="communes"><SrcDataSource>%s</SrcDataSource>
<SrcLayer>communes</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.mark.parametrize("format_", ["geojson", "gpkg", "shp", "zip"])
def test_a_virtual_file_in_disguise_is_refused(folder: Path, format_: str, tmp_path: Path) -> None:
    """GDAL would open it by its content and read whatever file it points to."""
    secret = tmp_path / "secret.geojson"
    secret.write_bytes((folder / COMMUNES).read_bytes())
    replace_communes(folder, f"communes.{format_}", VRT % str(secret).encode())
    (fault,) = errors_in(folder)
    assert fault.key in {"json_broken", "format_mismatch", "file_unreadable"}


def test_a_virtual_file_inside_an_archive_is_not_looked_at(folder: Path) -> None:
    replace_communes(folder, "communes.zip", zipped({"communes.vrt": VRT % b"x", "communes.geojson": b"{}"}))
    assert keys(folder) == [("format_mismatch", "boundaries/communes.zip")]


def test_json_that_is_also_a_virtual_file_is_read_as_json(folder: Path) -> None:
    replace_in(folder / COMMUNES, '"type"', '"note": "<OGRVRTDataSource></OGRVRTDataSource>", "type"')
    assert keys(folder) == []


def test_a_geopackage_with_a_foreign_virtual_table_is_refused(folder: Path) -> None:
    target = folder / "boundaries" / "communes.gpkg"
    gpd.read_file(folder / COMMUNES).to_file(target)
    (folder / COMMUNES).unlink()
    with sqlite3.connect(target) as connection:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    connection.close()
    assert keys(folder) == [("file_unreadable", "boundaries/communes.gpkg")]


def test_a_geopackage_with_two_layers_needs_one_with_the_name_of_the_part(folder: Path) -> None:
    frame = gpd.read_file(folder / COMMUNES)
    (folder / COMMUNES).unlink()
    target = folder / "boundaries" / "communes.gpkg"
    frame.to_file(target, layer="old")
    frame.to_file(target, layer="older")
    (fault,) = errors_in(folder)
    assert (fault.key, told(fault)["found"]) == ("several_layers", "old, older")
    frame.to_file(target, layer="communes")
    assert keys(folder) == []


def test_an_sqlite_file_that_is_no_geopackage_is_refused(folder: Path) -> None:
    (folder / COMMUNES).unlink()
    connection = sqlite3.connect(folder / "boundaries" / "communes.gpkg")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    assert keys(folder) == [("file_unreadable", "boundaries/communes.gpkg")]


@pytest.mark.parametrize(
    "path", ["../communes.shp", "/tmp/communes.shp", "a/../../communes.shp", "..\\communes.shp", "C:/c.shp"]
)
def test_a_path_that_leaves_the_archive_is_refused(folder: Path, path: str, parts: dict[str, bytes]) -> None:
    name = replace_communes(folder, "communes.zip", zipped({path: parts["communes.shp"], **parts}))
    (fault,) = errors_in(folder)
    assert (fault.key, fault.file, fault.value) == ("zip_unsafe", name, path)


def test_an_archive_with_two_shapefiles_is_not_chosen_from(folder: Path, parts: dict[str, bytes]) -> None:
    replace_communes(folder, "communes.zip", zipped({**parts, "other.shp": parts["communes.shp"]}))
    assert keys(folder) == [("several_layers", "boundaries/communes.zip")]


@pytest.mark.parametrize("member", ["communes.shp", "xl/workbook.xml", "notes.txt"])
@pytest.mark.parametrize("name", ["communes.zip", "inventory.xlsx"])
def test_an_archive_that_swells_is_refused_before_it_is_unpacked(folder: Path, name: str, member: str) -> None:
    bomb = zipped({member: bytes(5_000_000)})
    assert len(bomb) < 20_000
    place = replace_communes(folder, name, bomb) if name == "communes.zip" else replace_inventory(folder, name, bomb)
    assert keys(folder, max_upload_mb=1) == [("file_too_large", place)]


def test_a_large_file_is_refused_without_reading_it(folder: Path) -> None:
    with (folder / INVENTORY_CSV).open("ab") as stream:
        os.truncate(stream.fileno(), 3_000_000)
    (fault,) = errors_in(folder, max_upload_mb=2)
    assert (fault.key, fault.file, fault.value) == ("file_too_large", INVENTORY_CSV, "3.0 MB")


@pytest.mark.parametrize("name", [COMMUNES, INVENTORY_CSV])
def test_too_many_rows_are_refused(folder: Path, name: str) -> None:
    if name == INVENTORY_CSV:
        write_text(folder / name, INVENTORY + "S9,Nhà,other,,,,105.805,21.015,,,\n" * 20)
    assert ("too_many_rows", name) in keys(folder, max_rows=3)


@pytest.mark.parametrize("claim", [b"A1:XFD1048576", b"A1", b"A1:B2"])
def test_a_workbook_that_claims_another_size_than_it_has_is_read_as_it_is(folder: Path, claim: bytes) -> None:
    content = workbook([[cell or None for cell in line.split(",")] for line in INVENTORY.splitlines()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    assert b'<dimension ref="A1:K5"' in sheet
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b"A1:K5", claim)
    replace_inventory(folder, "inventory.xlsx", zipped(members))
    assert keys(folder) == []


def far_cells(n_rows: int, cell: bytes) -> bytes:
    """Return a workbook with the inventory, and `cell` in column XFD of its rows 6 and below."""
    content = workbook([[value or None for value in line.split(",")] for line in INVENTORY.splitlines()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rows = b"".join(b'<row r="%d">%s</row>' % (row, cell % row) for row in range(6, 6 + n_rows))
    sheet = members["xl/worksheets/sheet1.xml"]
    members["xl/worksheets/sheet1.xml"] = sheet.replace(b"</sheetData>", rows + b"</sheetData>")
    return zipped(members)


def test_a_workbook_with_cells_far_to_the_right_is_refused_before_it_fills_the_memory(folder: Path) -> None:
    name = replace_inventory(folder, "inventory.xlsx", far_cells(2000, b'<c r="XFD%d"><v>1</v></c>'))
    tracemalloc.start()
    (fault,) = errors_in(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (fault.key, fault.file, fault.row, fault.values["allowed"]) == ("too_many_columns", name, 6, "256")
    assert peak < 30e6, "kept as they are padded, 2,000 rows take 262 MB"


def test_cells_far_to_the_right_that_hold_nothing_do_no_harm(folder: Path) -> None:
    replace_inventory(folder, "inventory.xlsx", far_cells(10, b'<c r="XFD%d" s="0"/>'))
    assert keys(folder) == []


def test_a_workbook_with_a_document_type_is_refused(folder: Path) -> None:
    content = workbook([line.split(",") for line in INVENTORY.splitlines()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    laughs = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]>'
    members["xl/workbook.xml"] = laughs + members["xl/workbook.xml"]
    name = replace_inventory(folder, "inventory.xlsx", zipped(members))
    assert keys(folder) == [("format_mismatch", name)]


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"type": "FeatureCollection", "features": {}}',
        b'{"type": "Feature", "geometry": null}',
        b'{"type": "FeatureCollection", "features": [NaN]}',
        b"[" * 100_000,
        b'{"type": "FeatureCollection", "features": [' + b"1" * 5000 + b"]}",
        b'{"type": "FeatureCollection", "features": [1, null, {"properties": 5}]}',
    ],
)
def test_json_that_is_no_collection_of_features_is_refused(folder: Path, content: bytes) -> None:
    replace_communes(folder, "communes.geojson", content)
    found = keys(folder)
    assert found[0][0] in {"format_mismatch", "json_broken", "feature_broken"}
    assert found[0][1] == COMMUNES


def test_half_a_unicode_character_is_refused(folder: Path) -> None:
    replace_in(folder / COMMUNES, "Xã Cửa", "Xã \\ud83d")
    (fault,) = errors_in(folder)
    assert (fault.key, fault.row, fault.column) == ("text_broken", 3, "name")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a file the user may not read")
def test_a_file_that_may_not_be_read_is_named(folder: Path) -> None:
    (folder / INVENTORY_CSV).chmod(0)
    assert keys(folder) == [("file_unreadable", INVENTORY_CSV)]


def test_lock_files_and_notes_beside_the_data_are_ignored(folder: Path) -> None:
    (folder / "buildings" / "~$inventory.xlsx").write_bytes(b"x")
    (folder / "buildings" / ".inventory.csv").write_bytes(b"x")
    write_text(folder / "buildings" / "README.md", "x")
    assert faults_in(folder) == faults_in(toy_folder(folder.parent / "again"))


@pytest.mark.slow
def test_gdal_starts_without_the_driver_that_opens_other_files() -> None:
    """A second lock: a new process, because GDAL reads the setting once."""
    code = "import geo.sources.folder, pyogrio; print(sorted(d for d in pyogrio.list_drivers() if 'VRT' in d.upper()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
