from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.sources.pins import polygon_digest, read_pins

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hanoi" / "units_2025.geojson"

#   a square with a hole, and a square apart
SHELL = [(105.8, 21.0), (105.81, 21.0), (105.81, 21.01), (105.8, 21.01)]
HOLE = [(105.802, 21.002), (105.802, 21.004), (105.804, 21.003)]
APART = [(105.9, 21.0), (105.91, 21.0), (105.905, 21.012)]


def draw(shell: list, hole: list, apart: list) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.Polygon(shell, [hole]), shapely.Polygon(apart)])


DRAWN = polygon_digest(draw(SHELL, HOLE, APART))


@st.composite
def retellings(draw: st.DrawFn, ring: list) -> list:
    """A ring that begins elsewhere, may run the other way, and says one of its corners more than once."""
    start, again = draw(st.integers(0, len(ring) - 1)), draw(st.integers(0, len(ring) - 1))
    told = ring[start:] + ring[:start]
    told[again:again] = [told[again]] * draw(st.integers(0, 2))
    return told[::-1] if draw(st.booleans()) else told


@given(shell=retellings(SHELL), hole=retellings(HOLE), apart=retellings(APART), order=st.sampled_from([1, -1]))
def test_the_digest_is_that_of_the_land_however_it_is_told(shell: list, hole: list, apart: list, order: int) -> None:
    told = draw(shell, hole, apart)
    assert polygon_digest(shapely.MultiPolygon(told.geoms[::order])) == DRAWN


@given(
    corner=st.integers(0, 3),
    axis=st.integers(0, 1),
    micro=st.sampled_from([-1, 1, 5, 400]),
)
def test_a_corner_moved_by_a_millionth_of_a_degree_is_another_polygon(corner: int, axis: int, micro: int) -> None:
    moved = [list(point) for point in SHELL]
    moved[corner][axis] += micro * 1e-6
    assert polygon_digest(draw(moved, HOLE, APART)) != DRAWN


def test_a_hole_or_a_part_less_is_another_polygon() -> None:
    whole = draw(SHELL, HOLE, APART)
    filled = shapely.MultiPolygon([shapely.Polygon(SHELL), whole.geoms[1]])
    assert len({DRAWN, polygon_digest(filled), polygon_digest(whole.geoms[0]), polygon_digest(shapely.Polygon())}) == 4


def test_a_corner_on_a_meridian_or_the_equator_has_one_digest_on_either_side_of_zero() -> None:
    negative, positive = (shapely.Polygon([(zero, zero), (1, 0), (0, 1)]) for zero in (-0.0, 0.0))
    assert polygon_digest(negative) == polygon_digest(positive)


def test_the_126_pins_are_the_units_of_the_facts() -> None:
    facts = Path(__file__).parents[2] / "data" / "facts" / "units_2025.csv"
    rows = csv.DictReader(facts.read_text(encoding="utf-8").splitlines())
    pins = read_pins()
    assert [(pin.unit_id, pin.name, pin.area_km2) for pin in pins] == [
        (row["code"], row["name"], float(row["area_km2"])) for row in rows
    ]
    assert len({pin.polygon_sha256 for pin in pins}) == 126


@pytest.mark.skipif(not SHARED.is_file(), reason="the official polygons are not here (../shared/data/hanoi)")
def test_every_pin_is_the_digest_of_the_official_polygon() -> None:
    drawn = json.loads(SHARED.read_bytes())["features"]
    digests = {f["properties"]["code"]: polygon_digest(shapely.geometry.shape(f["geometry"])) for f in drawn}
    assert digests == {pin.unit_id: pin.polygon_sha256 for pin in read_pins()}
