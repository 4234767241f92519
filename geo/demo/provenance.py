"""Where every file of the data folder comes from: ``sources.toml``."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import osmium
import pandas as pd
import tomlkit

from geo.errors import GeoError

#: What people wrote down about the facts tables and the built parts of the folder.
PROVENANCE_FILE = "provenance.toml"


def write_sources(folder: Path) -> None:
    """Write ``sources.toml`` about all data files in `folder`: one table per file, in the order of their paths.

    Every table has ``path``, ``sha256``, ``rows`` (of a table, features of a layer, ways of a network), ``producer``,
    ``licence``, ``attribution``, ``date``, ``url`` where there is one, and ``changes`` (what was done).

    Raises
    ------
    GeoError
        ``facts/provenance.toml`` says nothing about a file.
    """
    known = tomllib.loads((folder / "facts" / PROVENANCE_FILE).read_text(encoding="utf-8"))
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `truso build-demo`. One table per file of this folder."))
    entries = tomlkit.aot()
    for path in sorted(data_files(folder), key=lambda p: p.relative_to(folder).as_posix()):
        entries.append(tomlkit.item(_describe(path, folder, known)))
    document.add("file", entries)
    (folder / "sources.toml").write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")


def data_files(folder: Path) -> list[Path]:
    """Return the files that need a source: all but the descriptions themselves."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".toml") and not path.name.startswith(".")
    ]


def _describe(path: Path, folder: Path, known: dict[str, dict[str, str]]) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    about = known.get(name, known.get(name.split("/")[0]))
    if about is None:
        raise GeoError(f"{PROVENANCE_FILE} does not say where {name} comes from")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": name, "sha256": digest, "rows": count_rows(path), **about}


def count_rows(path: Path) -> int:
    """Return the rows of a table, the features of a GeoJSON layer or the ways of an OSM file."""
    if path.name.endswith(".osm.pbf"):
        return sum(1 for _ in osmium.FileProcessor(str(path), osmium.osm.WAY))
    if path.suffix == ".geojson":
        return len(json.loads(path.read_text(encoding="utf-8"))["features"])
    return len(pd.read_csv(path, dtype=str))
