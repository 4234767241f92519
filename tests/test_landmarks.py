import csv
from pathlib import Path

import pytest

from geo.landmarks import LANDMARKS, Places, read_bridges, read_zones
from geo.profile import Restriction
from geo.settings import EMBEDDED_DATA


def facts(name: str) -> list[dict[str, str]]:
    with Path(EMBEDDED_DATA / "facts" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_bridge_is_told_from_the_banks_by_its_class_or_where_it_is_small_by_being_near() -> None:
    rows = facts("bridges.csv")
    assert [row["name"] for row in rows] == list(read_bridges())
    for row in rows:
        found = Restriction(name="x", **read_bridges()[row["name"]])
        assert (found.lon, found.lat) == (float(row["lon"]), float(row["lat"]))
        main = row["road_class"] in found.classes
        assert main or (not found.classes and found.radius_m < Restriction(name="x", lon=0, lat=0).radius_m)


def test_a_zone_goes_through_its_corners_in_their_order() -> None:
    for zone, place in read_zones().items():
        rows = sorted((row for row in facts("zones.csv") if row["zone"] == zone), key=lambda row: int(row["seq"]))
        assert place["ring"] == [(float(row["lon"]), float(row["lat"])) for row in rows]


@pytest.mark.parametrize("places", [read() for read in LANDMARKS.values()], ids=list(LANDMARKS))
def test_every_landmark_is_a_restriction(places: Places) -> None:
    assert places
    assert all(Restriction(name=name, **place).name == name for name, place in places.items())
