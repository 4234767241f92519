"""Where every file of the data folder comes from: ``sources.toml``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import osmium
import pandas as pd
import tomlkit

_OWN = {"producer": "truso build-demo", "licence": "CC-BY-4.0", "date": "2025-07-01"}
_OSM = "© OpenStreetMap contributors"
_NEEDS = {
    "boundaries": "Modelled from reference points, bounding boxes, official areas, area shares and the clauses; no official polygon was used.",
    "network": "Modelled: named roads by their rough course, other streets drawn by density; no surveyed road but ten bridges.",
    "buildings": "Modelled inventory: sizes, age and state are drawn at random; places are real where position_source says so.",
    "population": "Census 2019 by commune, scaled by iterative proportional fitting to the units' official figures.",
}
#: What is known of the tables that a person wrote or carried over.
_FACTS: dict[str, dict[str, str]] = {
    "admin_buildings_osm.csv": {
        "producer": "OpenStreetMap contributors", "licence": "ODbL-1.0", "attribution": _OSM, "date": "2025",
        "url": "https://www.openstreetmap.org/copyright",
        "changes": "119 administrative buildings placed by bus stops and points of interest named after them, with an error estimate",
    },
    "bridges.csv": {
        "producer": "OpenStreetMap contributors (ten bridges); general knowledge (the others)", "licence": "ODbL-1.0",
        "attribution": _OSM, "date": "2025", "url": "https://www.openstreetmap.org/copyright",
        "changes": "river bridges of the city; the column precision says how well each is placed",
    },
    "clauses_1656.csv": {
        "producer": "National Assembly Standing Committee of Viet Nam", "licence": "public act, not subject to copyright",
        "attribution": "Resolution 1656/NQ-UBTVQH15 of 16 June 2025", "date": "2025-06-16",
        "changes": "the 126 clauses of Article 1 as rows: one per old commune named in a clause",
    },
    "communes_2024.csv": {
        "producer": "vietnamadminunits; General Statistics Office of Viet Nam", "licence": "MIT",
        "attribution": "vietnamadminunits contributors; GSO codes and census of 2019", "date": "2024",
        "url": "https://pypi.org/project/vietnamadminunits/",
        "changes": "the communes of Hanoi until 30 June 2025: reference point, bounding box, census 2019, official area",
    },
    "crosswalk_area_shares.csv": {
        "producer": "the project's tables of facts", "licence": "CC-BY-4.0", "attribution": "the truso maintainers",
        "date": "2025", "changes": "estimated share of an old commune's land that went to each new unit",
    },
    "crossings.csv": {
        **_OWN, "producer": "the truso maintainers, from general knowledge", "attribution": "the truso maintainers",
        "changes": "crossings beyond bridges.csv; the column precision tells named from merely plausible ones",
    },
    "ferries.csv": {
        **_OWN, "producer": "the truso maintainers, from general knowledge", "attribution": "the truso maintainers",
        "changes": "the ferry of the island commune Minh Châu, landing within 1 km",
    },
    "oddities.csv": {
        **_OWN, "producer": "the truso maintainers", "attribution": "the truso maintainers",
        "changes": "an islet without a bridge and a one-way trap, put into the modelled network on purpose",
    },
    "rivers.csv": {
        **_OWN, "producer": "the truso maintainers, from general knowledge", "attribution": "the truso maintainers",
        "changes": "approximate courses of rivers; the column precision says how well each is placed",
    },
    "roads.csv": {
        **_OWN, "producer": "the truso maintainers, from general knowledge", "attribution": "the truso maintainers",
        "changes": "names, classes and rough courses of roads; not surveyed, off by several hundred metres in places",
    },
    "service_branches.csv": {
        "producer": "Hanoi Public Administration Service Centre, by press reports", "licence": "facts, not subject to copyright",
        "attribution": f"Decision 255/QĐ-TTPVHCC and press reports named in the table; positions {_OSM} (ODbL)",
        "date": "2025-04-01", "changes": "the 12 branches; three with an address and a place",
    },
    "units_2025.csv": {
        "producer": "City of Hanoi; General Statistics Office of Viet Nam", "licence": "public act, not subject to copyright",
        "attribution": "official reference figures of the 126 units", "date": "2025-07-01",
        "changes": "code, name, clause, official area and population; eight populations with a lost zero mended, see the notes",
    },
}  # fmt: skip
_UNKNOWN = {"producer": "not recorded", "licence": "not recorded", "attribution": "", "date": "", "changes": ""}


def write_sources(folder: Path) -> None:
    """Write ``sources.toml`` about all data files in `folder`: one table per file, in the order of their paths.

    Every table has ``path``, ``sha256``, ``rows`` (of a table, features of a layer, ways of a network), ``producer``,
    ``licence``, ``attribution``, ``date``, ``url`` where there is one, and ``changes`` (what was done).
    """
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `truso build-demo`. One table per file of this folder."))
    entries = tomlkit.aot()
    for path in sorted(data_files(folder), key=lambda p: p.relative_to(folder).as_posix()):
        entries.append(tomlkit.item(describe_file(path, folder)))
    document.add("file", entries)
    (folder / "sources.toml").write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")


def data_files(folder: Path) -> list[Path]:
    """Return the files that need a source: all but the descriptions themselves."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".md", ".toml") and not path.name.startswith(".")
    ]


def describe_file(path: Path, folder: Path) -> dict[str, Any]:
    """Return the entry of one file."""
    name = path.relative_to(folder).as_posix()
    part = name.split("/")[0]
    known: dict[str, str]
    if part == "facts":
        known = _FACTS.get(path.name, _UNKNOWN)
    else:
        known = {**_OWN, "attribution": _credit(part), "changes": _NEEDS.get(part, "")}
        if part in ("buildings", "network"):
            known["licence"] = "ODbL-1.0"
    entry: dict[str, Any] = {
        "path": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "rows": count_rows(path), **known
    }  # fmt: skip
    return entry


def _credit(part: str) -> str:
    makers = "the truso maintainers; facts: Resolution 1656/NQ-UBTVQH15, GSO, vietnamadminunits (MIT)"
    return f"{makers}, {_OSM} (ODbL)" if part in ("buildings", "network") else makers


def count_rows(path: Path) -> int:
    """Return the rows of a table, the features of a GeoJSON layer or the ways of an OSM file."""
    if path.name.endswith(".osm.pbf"):
        return sum(1 for _ in osmium.FileProcessor(str(path), osmium.osm.WAY))
    if path.suffix == ".geojson":
        return len(json.loads(path.read_text(encoding="utf-8"))["features"])
    return len(pd.read_csv(path, dtype=str))
