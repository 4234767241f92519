"""Read vector files (GeoJSON, GeoPackage, shapefile plain or zipped) with their declared CRS.

GDAL guesses a file's format from its content, and some of its formats read other files. So it sees only what was
recognised here first: a GeoPackage by its tables, a shapefile by its header. GeoJSON never reaches it.
"""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from geo.schemas import WGS84
from geo.sources.coordinates import build_polygons
from geo.sources.crs import parse_crs
from geo.sources.encodings import (
    OF_BYTES,
    TCVN3,
    WINDOWS_1252,
    Encoding,
    declared_encoding,
    is_shown_tcvn3,
    tell_encoding,
)
from geo.sources.files import FolderFiles
from geo.sources.tables import RawTable

# Read by GDAL when pyogrio is first imported, which the functions below do.
os.environ.setdefault("GDAL_SKIP", "OGR_VRT")

VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".zip")
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_NEEDED_PARTS = (".shp", ".shx", ".dbf")
_DBF_NAME_WIDTH = 10


def read_vector(files: FolderFiles, path: Path, *, attributes_only: bool = False) -> RawTable | None:
    """Read a vector file; None where it cannot be read, with the reason in the log.

    Parameters
    ----------
    files : FolderFiles
    path : pathlib.Path
    attributes_only : bool
        The geometry of a GeoJSON file is not wanted.

    Returns
    -------
    RawTable or None
        Geometry as the file has it, in 2D; `crs` is what the file declares (GeoJSON declares WGS 84 by its norm), None
        where it declares none. Rows count features from 1. Texts that are TCVN3 or windows-1258 are read as such.
    """
    content = files.read(path)
    if content is None:
        return None
    suffix = path.suffix.lower()
    if suffix in (".geojson", ".json"):
        raw = _read_geojson(files, path, content, attributes_only=attributes_only)
    elif suffix == ".gpkg":
        raw = _read_geopackage(files, path, content)
    else:
        raw = _read_shapefile(files, path, content)
    return _recoded(files, raw, TCVN3) if raw is not None and is_shown_tcvn3(_texts_of(raw)) else raw


def _texts_of(raw: RawTable) -> set[str]:
    """Return every text of a table once, its headers too."""
    return {*raw.headers, *(cell for cells in raw.cells for cell in cells if isinstance(cell, str))}


def _recoded(files: FolderFiles, raw: RawTable, encoding: Encoding) -> RawTable:
    """Return a table with its texts read in `encoding`, and note how many changed."""
    read: dict[str, str] = {}
    for text in sorted(_texts_of(raw)):
        try:
            read[text] = encoding.read(text)
        except UnicodeError:
            read[text] = text
            files.log.add("text_undecodable", file=raw.file, value=text, encoding=encoding.name)
    cells = [[read.get(cell, cell) if isinstance(cell, str) else cell for cell in cells] for cells in raw.cells]
    n = sum(
        old != new
        for before, after in zip(raw.cells, cells, strict=True)
        for old, new in zip(before, after, strict=True)
    )
    example = next((text for text in read if read[text] != text), None)
    if example is not None:
        files.log.warn("text_recoded", file=raw.file, encoding=encoding.name, n=n, before=example, after=read[example])
    return replace(raw, headers=tuple(read[header] for header in raw.headers), cells=cells)


def _read_geojson(files: FolderFiles, path: Path, content: bytes, *, attributes_only: bool) -> RawTable | None:
    document = _parse_json(files, path, content)
    if document is None:
        return None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        files.log.add("format_mismatch", file=files.name(path), expected="GeoJSON FeatureCollection")
        return None
    if not _right_number(files, path, len(features)):
        return None
    records, geometry = [], []
    for row, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(feature, dict) or not isinstance(properties, dict | None):
            files.log.add("feature_broken", file=files.name(path), row=row)
            feature, properties = {}, {}
        identifier = {"id": feature["id"]} if isinstance(feature.get("id"), str | int) else {}
        records.append({**identifier, **(properties or {})})
        geometry.append(feature.get("geometry"))
    headers = tuple(dict.fromkeys(name for record in records for name in record))
    crs = _crs_of_geojson(files, path, document)
    return RawTable(
        file=files.name(path),
        headers=headers,
        cells=[[record.get(name) for record in records] for name in headers],
        rows=list(range(1, len(records) + 1)),
        geometry=None if attributes_only else _geometries_of(files, path, geometry),
        crs=crs,
        placed=crs is not None,
    )


def _parse_json(files: FolderFiles, path: Path, content: bytes) -> Any:
    name = files.name(path)
    try:
        with _no_collection():
            return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        files.log.add("not_utf8", file=name, row=row, value=f"0x{content[error.start]:02x}")
    except json.JSONDecodeError as error:
        files.log.add("json_broken", file=name, row=error.lineno, detail=error)
    except (ValueError, RecursionError) as error:
        files.log.add("json_broken", file=name, detail=error)
    return None


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hold off the garbage collector, which looks in vain through every new list for half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _geometries_of(files: FolderFiles, path: Path, geometry: list[Any]) -> np.ndarray:
    built = build_polygons(geometry)
    if built is not None:
        return built
    texts = [None if each is None else json.dumps(each) for each in geometry]
    parsed = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    for i in np.flatnonzero(shapely.is_missing(parsed)):
        if texts[i] is not None:
            _note_unreadable(files, path, int(i) + 1, texts[i])
            parsed[i] = None
    return _flat(parsed)


def _note_unreadable(files: FolderFiles, path: Path, row: int, text: str | None) -> None:
    try:
        shapely.from_geojson(text)
        detail = "-"
    except shapely.errors.GEOSException as error:
        detail = str(error)
    files.log.add("geometry_unreadable", file=files.name(path), row=row, column="geometry", detail=detail)


def _flat(geometry: np.ndarray) -> np.ndarray:
    flat: np.ndarray = shapely.force_2d(geometry)
    return flat


def _crs_of_geojson(files: FolderFiles, path: Path, document: dict[str, Any]) -> pyproj.CRS | None:
    declared = document.get("crs")
    if declared is None:
        return pyproj.CRS(WGS84)
    properties = declared.get("properties") if isinstance(declared, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return parse_crs(files, path, name if isinstance(name, str) else json.dumps(declared))


def _right_number(files: FolderFiles, path: Path, n: int) -> bool:
    if n == 0:
        files.log.add("no_rows", file=files.name(path))
    elif n > files.settings.max_rows:
        files.log.add("too_many_rows", file=files.name(path), row=n, allowed=files.settings.max_rows)
    return 0 < n <= files.settings.max_rows


def _read_geopackage(files: FolderFiles, path: Path, content: bytes) -> RawTable | None:
    if not content.startswith(b"SQLite format 3\0"):
        files.log.add("format_mismatch", file=files.name(path), expected="GeoPackage")
        return None
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "layer.gpkg"  # what was checked is what is read
        copy.write_bytes(content)
        layers = _layers_of_geopackage(files, path, copy)
        if layers is None:
            return None
        layer = _pick_layer(files, path, layers)
        return None if layer is None else _read_with_gdal(files, path, copy, layer=layer)


def _layers_of_geopackage(files: FolderFiles, path: Path, copy: Path) -> list[str] | None:
    """Return the layers of an undamaged GeoPackage that holds no table of another engine."""
    try:
        connection = sqlite3.connect(f"file:{copy.as_posix()}?mode=ro", uri=True)
        try:
            state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            virtual = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%' AND sql NOT LIKE '%USING rtree%'"
            ).fetchall()
            layers = connection.execute(
                "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes') ORDER BY 1"
            ).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        files.log.add("file_unreadable", file=files.name(path), detail=error)
        return None
    if state != "ok" or virtual:
        files.log.add("file_unreadable", file=files.name(path), detail=state if state != "ok" else virtual[0][0])
        return None
    return [str(layer) for (layer,) in layers]


def _pick_layer(files: FolderFiles, path: Path, layers: list[str]) -> str | None:
    if not layers:
        files.log.add("no_rows", file=files.name(path))
        return None
    named = [layer for layer in layers if layer.lower() == path.stem.lower()]
    if len(layers) > 1 and not named:
        files.log.add("several_layers", file=files.name(path), found=", ".join(layers), expected=path.stem)
        return None
    return named[0] if named else layers[0]


def _read_shapefile(files: FolderFiles, path: Path, content: bytes) -> RawTable | None:
    zipped = path.suffix.lower() == ".zip"
    parts = _parts_from_zip(files, path, content) if zipped else _parts_beside(files, path, content)
    if parts is None or not _complete(files, path, parts):
        return None
    is_utf8 = _is_utf8(parts[".dbf"])
    # GDAL refuses some of the .prj files that Vietnamese offices write; PROJ mends them.
    declared = parts.pop(".prj", b"").decode("utf-8-sig", "replace").strip()
    with tempfile.TemporaryDirectory() as folder:
        for suffix, part in parts.items():
            (Path(folder) / f"layer{suffix}").write_bytes(part)
        # As ISO 8859-1 every byte is a letter, so what it means can be told later.
        encoding = "UTF-8" if is_utf8 else "ISO-8859-1"
        copy = Path(folder) / "layer.shp"
        raw = _read_with_gdal(files, path, copy, encoding=encoding, name_width=_DBF_NAME_WIDTH)
    if raw is not None and declared and "undefined" not in declared.lower():
        crs = parse_crs(files, path, declared)
        raw = replace(raw, crs=crs, placed=crs is not None)
    # A damaged header can hide every text that is not ASCII: then there is nothing to decode.
    if raw is None or is_utf8 or all(text.isascii() for text in _texts_of(raw)):
        return raw
    told = _tell_encoding(files, raw, parts.get(".cpg", b"").decode("ascii", "replace"))
    return None if told is None else _recoded(files, raw, told)


def _parts_from_zip(files: FolderFiles, path: Path, content: bytes) -> dict[str, bytes] | None:
    members = files.unzip(path, content, suffixes=_SHAPEFILE_PARTS)
    if members is None:
        return None
    shapes = sorted(name for name in members if name.lower().endswith(".shp") and "__MACOSX" not in name)
    if len(shapes) != 1:
        key = "several_layers" if shapes else "format_mismatch"
        files.log.add(key, file=files.name(path), found=", ".join(shapes), expected=f"{path.stem}.shp")
        return None
    stem = shapes[0][:-4]
    return {name[-4:].lower(): part for name, part in members.items() if name[:-4] == stem}


def _parts_beside(files: FolderFiles, path: Path, content: bytes) -> dict[str, bytes] | None:
    parts = {".shp": content}
    for other in sorted(path.parent.iterdir()):
        suffix = other.suffix.lower()
        if other.stem == path.stem and suffix in _SHAPEFILE_PARTS and suffix != ".shp":
            part = files.read(other)
            if part is not None:
                parts[suffix] = part
    return parts


def _complete(files: FolderFiles, path: Path, parts: dict[str, bytes]) -> bool:
    """Say whether a shapefile has its parts, and each the length that its header gives."""
    for suffix in (".shp", ".shx"):
        part = parts.get(suffix)
        if part is not None and not part.startswith(b"\x00\x00\x27\x0a"):
            files.log.add("format_mismatch", file=files.name(path), expected=f"shapefile ({suffix})")
            return False
    missing = [suffix for suffix in _NEEDED_PARTS if suffix not in parts]
    if missing:
        files.log.add("sidecar_missing", file=files.name(path), value=", ".join(missing))
        return False
    for suffix in (".shp", ".shx"):
        declared = 2 * int.from_bytes(parts[suffix][24:28], "big")
        if declared > len(parts[suffix]):
            _note_truncated(files, path, suffix, declared, len(parts[suffix]))
            return False
    return _complete_dbf(files, path, parts[".dbf"])


def _complete_dbf(files: FolderFiles, path: Path, dbf: bytes) -> bool:
    n, header, record = (int.from_bytes(dbf[start:stop], "little") for start, stop in ((4, 8), (8, 10), (10, 12)))
    if len(dbf) < 32 or len(dbf) < header + n * record:
        _note_truncated(files, path, ".dbf", header + n * record, len(dbf))
        return False
    return _right_number(files, path, n)


def _note_truncated(files: FolderFiles, path: Path, suffix: str, declared: int, found: int) -> None:
    files.log.add("file_truncated", file=files.name(path), value=suffix, declared=declared, found=found)


def _is_utf8(dbf: bytes) -> bool:
    try:
        dbf[int.from_bytes(dbf[8:10], "little") :].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _tell_encoding(files: FolderFiles, raw: RawTable, declared: str) -> Encoding | None:
    """Return the encoding of texts that are not UTF-8; a fault and None where it cannot be told.

    A declared TCVN3 is obeyed, since nobody writes that by accident; a declared windows-1258 must bear out or be the
    only one that may; a declared windows-1252, which many tools write unasked, holds where nothing is Vietnamese.
    """
    said = declared_encoding(declared)
    if said is TCVN3:
        return said
    told = tell_encoding(_texts_of(raw))
    if isinstance(told, Encoding):
        return told
    if said in told or (said is WINDOWS_1252 and not told):
        return said
    example = next(text for text in sorted(_texts_of(raw)) if not text.isascii())
    candidates = ", ".join(f"{each.name} (“{_read_or_mark(example, each)}”)" for each in told)
    key = "text_ambiguous" if candidates else "not_utf8"
    allowed = ", ".join(each.name for each in OF_BYTES)
    files.log.add(key, file=raw.file, value=example, candidates=candidates, allowed=allowed)
    return None


def _read_or_mark(text: str, encoding: Encoding) -> str:
    try:
        return encoding.read(text)
    except UnicodeError:
        return "?"


def _read_with_gdal(
    files: FolderFiles,
    path: Path,
    copy: Path,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    name_width: int | None = None,
) -> RawTable | None:
    options: dict[str, Any] = {"layer": layer, "max_features": files.settings.max_rows + 1}
    if encoding is not None:
        options["encoding"] = encoding
    try:
        meta, wkb, fields = _gdal_read(copy, options)
    except (RuntimeError, ValueError, OSError, TypeError, AttributeError, pyproj.exceptions.CRSError) as error:
        files.log.add("file_unreadable", file=files.name(path), detail=error)
        return None
    n = len(wkb) if wkb is not None else (len(fields[0]) if fields else 0)
    if not _right_number(files, path, n):
        return None
    crs = None if _is_undefined(meta["crs"]) else parse_crs(files, path, meta["crs"])
    return RawTable(
        file=files.name(path),
        headers=tuple(meta["fields"]),
        cells=[list(values) for values in fields],
        rows=list(range(1, n + 1)),
        geometry=None if wkb is None else _from_wkb(files, path, wkb),
        crs=crs,
        placed=crs is not None or _is_undefined(meta["crs"]),
        name_width=name_width,
    )


def _gdal_read(copy: Path, options: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray | None, list[np.ndarray]]:
    """Return what GDAL says of a file, its geometry as WKB, and its fields."""
    import pyogrio.raw

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what GDAL warns of is checked again, row by row
        for last in (False, True):
            try:
                meta, _, wkb, fields = pyogrio.raw.read(copy, force_2d=True, datetime_as_string=True, **options)
            except RuntimeError as error:
                # PROJ mends seven parameters with the signs that Vietnam publishes, and remarks on it once.
                if last or "Auto-correcting" not in str(error):
                    raise
            else:
                break
    return meta, wkb, fields


def _is_undefined(crs: str | None) -> bool:
    """Say whether a file leaves its CRS open; a GeoPackage does so by a system with that name."""
    return not crs or "undefined" in crs.lower()


def _from_wkb(files: FolderFiles, path: Path, wkb: np.ndarray) -> np.ndarray:
    parsed = shapely.from_wkb(wkb, on_invalid="ignore")
    for i in np.flatnonzero(shapely.is_missing(parsed)):
        if wkb[i] is not None:
            files.log.add("geometry_unreadable", file=files.name(path), row=int(i) + 1, column="geometry", detail="WKB")
    return _flat(parsed)
