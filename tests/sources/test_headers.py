"""Headers of other offices: French ones are understood, and those that are not are named where something is missing."""

from __future__ import annotations

from pathlib import Path

from geo.sources.columns import CLAUSES, COMMUNES, INVENTORY, UNITS, match_headers
from tests.toy import errors_in, faults_in, replace_in, told

_INVENTORY = "buildings/inventory.csv"
_FRENCH = {
    "Identifiant": "site_id",
    "Désignation": "name",
    "Nature": "kind",
    "Adresse": "address",
    "Code INSEE": "commune_id",
    "Longitude": "lon",
    "Latitude": "lat",
    "Surface de plancher (m²)": "floor_area_m2",
    "Surface utile (m²)": "usable_area_m2",
    "Surface du terrain (m²)": "land_area_m2",
    "Surface de stationnement (m²)": "parking_area_m2",
    "Places de la salle": "hall_seats",
    "Année de construction": "year_built",
    "État": "condition",
}


def test_an_inventory_with_french_headers_is_understood() -> None:
    found = match_headers(tuple(_FRENCH), INVENTORY)
    assert {list(_FRENCH)[position]: name for name, position in found.items()} == _FRENCH


def test_communes_units_and_clauses_with_french_headers_are_understood() -> None:
    admin_express = ("ID", "NOM", "INSEE_COM", "INSEE_CAN", "INSEE_ARR", "POPULATION")
    found = match_headers(admin_express, COMMUNES)
    assert {name: admin_express[position] for name, position in found.items()} == {
        "commune_id": "INSEE_COM",
        "name": "NOM",
        "district_id": "INSEE_ARR",
        "population": "POPULATION",
    }
    assert set(match_headers(("code INSEE", "nom", "effectif", "superficie (km²)"), UNITS)) == {
        "unit_id", "name", "staff", "area_km2",
    }  # fmt: skip
    clauses = ("article", "code nouvelle commune", "nom nouvelle commune", "code ancienne commune", "relation")
    assert set(match_headers(clauses, CLAUSES)) == {"clause", "unit_id", "unit_name", "commune_id", "relation"}


def test_french_words_for_relation_kind_and_condition_are_understood(folder: Path) -> None:
    clauses, inventory = folder / "boundaries" / "clauses.csv", folder / _INVENTORY
    for english, french in (("whole", "totalité"), ("remainder", "reste"), (",part,", ",partie,")):
        replace_in(clauses, english, french, count=-1)
    for english, french in (("commune_office", "Mairie"), (",good", ",Bon état"), (",poor", ",Vétuste")):
        replace_in(inventory, english, french, count=-1)
    assert errors_in(folder) == []


def test_a_header_that_is_not_understood_is_named_where_its_figures_would_be_lost(folder: Path) -> None:
    replace_in(folder / _INVENTORY, "floor_area_m2", "Diện tích sàn (ha)")
    (note,) = [fault for fault in faults_in(folder) if fault.key == "headers_unknown"]
    assert (note.severity, note.file, note.row) == ("warning", _INVENTORY, 1)
    assert told(note)["headers"] == "Diện tích sàn (ha)"
    assert told(note)["missing"].split(", ")[0] == "floor_area_m2"


def test_a_further_column_beside_all_that_is_needed_is_left_alone_in_silence(folder: Path) -> None:
    text = (folder / _INVENTORY).read_text(encoding="utf-8").splitlines()
    more = [
        f"{line},{tail}" for line, tail in zip(text, ("hall_seats,parking_area_m2,note", *["10,20,x"] * 4), strict=True)
    ]
    (folder / _INVENTORY).write_text("\n".join(more), encoding="utf-8")
    assert [fault for fault in faults_in(folder) if fault.key == "headers_unknown"] == []
