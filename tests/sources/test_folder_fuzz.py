"""Whatever bytes lie in a folder, reading it gives tables or an InputError, never anything else."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.settings import Settings
from geo.sources.folder import read_folder
from tests.toy import INVENTORY, errors_in, toy_folder, write_shapefile

MAGIC = {
    "gpkg": b"SQLite format 3\0",
    "shp": b"\x00\x00\x27\x0a",
    "zip": b"PK\x03\x04",
    "xlsx": b"PK\x03\x04",
    "geojson": b'{"type": "FeatureCollection", "features": [',
    "csv": b"site_id,name,lon,lat\n",
    "toml": b"name = ",
}
PLACES = ("boundaries/communes", "boundaries/units", "boundaries/districts", "buildings/inventory", "population/points")
fuzz = settings(suppress_health_check=[HealthCheck.too_slow])


def must_only_raise_input_errors(folder: Path) -> None:
    told: list[str] = []
    try:
        read_folder(folder, settings=Settings())
    except InputError as error:
        told = str(error).splitlines()
    assert len(told) == len(errors_in(folder))


def put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    for other in path.parent.glob(f"{path.stem}.*"):
        other.unlink()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


@fuzz
@given(
    place=st.sampled_from(PLACES),
    suffix=st.sampled_from(sorted(set(MAGIC) - {"toml"})),
    content=st.binary(max_size=300),
    with_magic=st.booleans(),
)
def test_random_bytes(place: str, suffix: str, content: bytes, with_magic: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = toy_folder(Path(name))
        put(folder, f"{place}.{suffix}", (MAGIC[suffix] if with_magic else b"") + content)
        must_only_raise_input_errors(folder)


@fuzz
@given(content=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace"))))
def test_random_settings_of_the_city_and_random_clauses(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = toy_folder(Path(name))
        put(folder, "city.toml", MAGIC["toml"] + content)
        put(folder, "boundaries/clauses.csv", b"clause,unit_id,commune_id,relation\n" + content)
        must_only_raise_input_errors(folder)


CELL = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["S1", "00001", "1", "1.0", "105.805", "21.015", "-1", "1e9", "nan", "inf", '"', "good", "other", ""]
    ),
    st.floats().map(str),
)


@fuzz
@given(rows=st.lists(st.lists(CELL, min_size=11, max_size=11), max_size=4), delimiter=st.sampled_from(",;\t"))
def test_random_cells(rows: list[list[str]], delimiter: str) -> None:
    head = INVENTORY.splitlines()[0].replace(",", delimiter)
    text = "\n".join([head, *(delimiter.join(row) for row in rows)])
    with tempfile.TemporaryDirectory() as name:
        folder = toy_folder(Path(name))
        put(folder, "buildings/inventory.csv", text.encode("utf-8", "surrogatepass"))
        must_only_raise_input_errors(folder)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda each: st.one_of(
        st.lists(each, max_size=4),
        st.dictionaries(
            st.sampled_from(["type", "coordinates", "geometry", "properties", "name", "id"]), each, max_size=4
        ),
    ),
    max_leaves=12,
)
NUMBER = st.floats(width=32) | st.sampled_from([105.8, 105.81, 21.0, 21.01, 0.0])
GEOMETRY = st.builds(
    lambda kind, coordinates: {"type": kind, "coordinates": coordinates},
    st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", ""]),
    st.one_of(JSON, st.lists(st.lists(st.lists(NUMBER, min_size=2, max_size=3), min_size=4, max_size=5), max_size=2)),
)


@fuzz
@given(
    geometry=GEOMETRY | JSON,
    properties=JSON,
    crs=st.one_of(st.none(), JSON, st.builds(lambda n: {"properties": {"name": f"EPSG:{n}"}}, st.integers(0, 40000))),
    name=st.sampled_from(["communes", "units", "districts"]),
)
def test_random_features(geometry: object, properties: object, crs: object, name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = toy_folder(Path(place))
        path = folder / "boundaries" / f"{name}.geojson"
        source = path if path.exists() else folder / "boundaries" / "communes.geojson"
        document = json.loads(source.read_text(encoding="utf-8"))
        document["features"][0]["geometry"] = geometry
        document["features"][-1]["properties"] = properties
        if crs is not None:
            document["crs"] = crs
        put(folder, f"boundaries/{name}.geojson", json.dumps(document).encode())
        must_only_raise_input_errors(folder)


@pytest.fixture(scope="module")
def real_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the communes in every binary format, and the inventory as a workbook."""
    place = tmp_path_factory.mktemp("binary")
    frame = gpd.read_file(toy_folder(place / "toy") / "boundaries" / "communes.geojson")
    frame.to_file(place / "communes.gpkg")
    write_shapefile(place / "communes.shp", frame)
    with zipfile.ZipFile(place / "communes.zip", "w") as archive:
        for path in sorted(place.glob("communes.[sdpc][hbpr]*")):
            archive.write(path, path.name)
    return {path.name: path.read_bytes() for path in sorted(place.glob("communes.*"))}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_in_binary_files(data: st.DataObject, real_files: dict[str, bytes]) -> None:
    name = data.draw(st.sampled_from(["communes.gpkg", "communes.zip", "communes.shp", "communes.dbf", "communes.shx"]))
    content = bytearray(real_files[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as place:
        folder = toy_folder(Path(place))
        put(folder, "boundaries/communes.geojson", b"")
        (folder / "boundaries" / "communes.geojson").unlink()
        if name not in ("communes.gpkg", "communes.zip"):
            for part in ("shp", "shx", "dbf", "prj", "cpg"):
                (folder / "boundaries" / f"communes.{part}").write_bytes(real_files[f"communes.{part}"])
        (folder / "boundaries" / name).write_bytes(bytes(content))
        must_only_raise_input_errors(folder)


def test_a_header_that_hides_the_texts_of_a_dbf_is_an_input_error(tmp_path: Path, real_files: dict[str, bytes]) -> None:
    folder = toy_folder(tmp_path / "toy")
    (folder / "boundaries" / "communes.geojson").unlink()
    for part in ("shp", "shx", "dbf", "prj", "cpg"):
        (folder / "boundaries" / f"communes.{part}").write_bytes(real_files[f"communes.{part}"])
    damaged = bytearray(real_files["communes.dbf"])
    damaged[0], damaged[8] = 128, 0
    (folder / "boundaries" / "communes.dbf").write_bytes(bytes(damaged))
    must_only_raise_input_errors(folder)
