import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import Fault, InputError
from geo.merge.boundaries import merge_communes
from geo.text import LANGUAGES
from tests.merge.test_boundaries import NOT_DRAWN, box, clauses, communes, unit_facts
from tests.roads import CRS, ORIGIN
from tests.toy import told

# B is divided between W, which has A whole, and E, which has C and D whole.
#
#          line at x = 1300
#             |
#     +-----+-|---+-----+-----+
#     |  A  |  B  |  C  |  D  |
#     +-----+-|---+-----+-----+
#             |
#
#     in three (B between W, E and N, which has only its part of B):
#
#     +-----+-----+-----+-----+
#     |     | w|  |     |     |
#     |  A  +--+--+  C  |  D  |    the line at y = 500 parts N from the others
#     |     |  n  |     |     |
#     +-----+-----+-----+-----+


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(x + ORIGIN[0], y + ORIGIN[1]) for x, y in points])


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(x + ORIGIN[0], y + ORIGIN[1])


def upright(x: float) -> shapely.LineString:
    return line((x, -200), (x, 1200))


def drawn(*shapes: shapely.Geometry | tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    """Return a layer of lines, and of labels given as unit_id and shape; rows count from 1."""
    labelled = [shape if isinstance(shape, tuple) else (None, shape) for shape in shapes]
    return gpd.GeoDataFrame(
        {
            "unit_id": pd.Series([unit_id for unit_id, _ in labelled], dtype=object),
            "file": "boundaries/division_lines.geojson",
            "row": np.arange(len(labelled)) + 1,
        },
        geometry=[shape for _, shape in labelled],
        crs=CRS,
    )


THREE = [
    ("W", "A", "whole"), ("W", "B", "part"), ("N", "B", "part"), ("E", "B", "remainder"), ("E", "C", "whole"),
    ("E", "D", "whole"),
]  # fmt: skip
NONE_OF_THREE = {"W": None, "N": None, "E": None}


def faults_of(lines: gpd.GeoDataFrame, **options: object) -> list[Fault]:
    """Return the faults of a merge with `lines`, having told each in every language."""
    rows, facts = options.get("rows", clauses()), options.get("facts", unit_facts(NOT_DRAWN))
    with pytest.raises(InputError) as caught:
        merge_communes(communes(), rows, facts, lines=lines)
    for fault in caught.value.faults:
        assert all(len(fault.describe(lang=lang)) > 40 for lang in LANGUAGES)
    return list(caught.value.faults)


def test_a_drawn_line_cuts_and_each_side_goes_to_the_unit_it_borders_on() -> None:
    merge = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN), lines=drawn(upright(1300)))
    assert merge.pieces["method"].tolist() == ["whole", "drawn", "drawn", "whole", "whole"]
    assert merge.units.geometry["W"].symmetric_difference(box(0, 1300)).area < 1e-3
    assert set(merge.pieces["sureness"]) == {"sure"}, "lines are taken at their word"


def test_official_polygons_go_before_drawn_lines_and_the_audit_names_the_idle_line() -> None:
    facts = unit_facts({"W": box(0, 1400), "E": box(1400, 4000)})
    merge = merge_communes(communes(), clauses(), facts, lines=drawn(upright(1300)))
    assert "drawn" not in set(merge.pieces["method"])
    idle = merge.audit[merge.audit["check"] == "line_unused"]
    assert idle["value"].tolist() == [pytest.approx(1400)]
    assert idle["lon"].notna().all()


@pytest.mark.parametrize("label_x", [1150, 1350], ids=["beyond the rest", "in the rest"])
def test_the_line_and_the_label_of_a_unit_whose_polygon_came_since_are_idle(label_x: float) -> None:
    rows = [("W", "A", "whole"), ("W", "B", "part"), ("N", "B", "part"), ("E", "B", "remainder"), ("E", "C", "whole")]
    lines = drawn(upright(1200), upright(1700), ("W", point(label_x, 500)), ("N", point(1500, 500)))
    facts = unit_facts({"W": box(0, 1300), "N": None, "E": None})
    merge = merge_communes(communes().loc[["A", "B", "C"]], clauses(rows), facts, lines=lines)
    found = merge.pieces.set_index(["commune_id", "unit_id"]).loc["B"]
    assert found["method"].to_dict() == {"W": "official", "N": "drawn", "E": "drawn"}
    np.testing.assert_allclose(found.area[["W", "N", "E"]] / 1e6, [0.3, 0.4, 0.3])
    idle = merge.audit[merge.audit["check"] == "line_unused"]
    assert idle["value"].tolist() == [pytest.approx(1400)]


def test_what_no_line_cuts_is_still_modelled() -> None:
    rows = clauses([("W", "A", "whole"), ("W", "B", "part"), ("E", "B", "remainder"), ("W", "C", "part"),
                    ("E", "C", "remainder"), ("E", "D", "whole")])  # fmt: skip
    merge = merge_communes(communes(), rows, unit_facts(NOT_DRAWN), lines=drawn(upright(1300)))
    assert merge.pieces["method"].tolist() == ["whole", "drawn", "drawn", "modelled", "modelled", "whole"]


def test_what_lines_give_a_unit_counts_towards_its_area() -> None:
    rows = [("W", "A", "whole"), ("W", "B", "part"), ("E", "B", "remainder"), ("W", "C", "part"),
            ("E", "C", "remainder"), ("E", "D", "whole")]  # fmt: skip
    facts = unit_facts(NOT_DRAWN, area_km2=[2.2, 1.8])
    pieces = merge_communes(communes(), clauses(rows), facts, lines=drawn(upright(1700))).pieces
    of_west = pieces[pieces["unit_id"] == "W"].set_index("commune_id")
    assert of_west["method"].to_dict() == {"A": "whole", "B": "drawn", "C": "modelled"}
    assert of_west.area["B"] / 1e6 == pytest.approx(0.7)
    assert of_west.area["C"] / 1e6 == pytest.approx(0.5, abs=0.05)


def test_several_lines_together_may_cut_off_a_part() -> None:
    corner = drawn(line((900, 300), (1300, 300)), line((1300, 300), (1300, -100)))
    merge = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN), lines=corner)
    assert merge.units.geometry["W"].area == pytest.approx(1e6 + 300 * 300)


def test_the_last_part_goes_to_the_last_unit() -> None:
    """The lower part borders on whole communes of W and E alike; N, which has none, is the only one without land."""
    lines = drawn(line((900, 500), (2100, 500)), line((1500, 500), (1500, 1200)))
    merge = merge_communes(communes(), clauses(THREE), unit_facts(NONE_OF_THREE), lines=lines)
    shares = merge.pieces.set_index(["unit_id", "commune_id"])["area_share"]
    assert shares[[("W", "B"), ("N", "B"), ("E", "B")]].tolist() == pytest.approx([0.25, 0.5, 0.25], abs=1e-4)


def test_parts_that_border_on_two_units_alike_are_faults_with_the_candidates() -> None:
    upper, lower = faults_of(drawn(line((900, 500), (2100, 500))))
    assert upper.key == lower.key == "line_face_ambiguous"
    assert told(upper)["candidates"] == "E (E), W (W)"
    assert told(upper)["place"] != told(lower)["place"]
    assert upper.row == 1


@pytest.mark.parametrize("label", [("W", point(1500, 800)), ("W", box(1100, 1900, south=600, north=900))])
def test_a_label_settles_what_borders_cannot(label: tuple[str, shapely.Geometry]) -> None:
    lines = drawn(line((900, 500), (2100, 500)), label)
    merge = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN), lines=lines)
    assert merge.units.geometry["W"].symmetric_difference(box(0, 1000).union(box(1000, 2000, south=500))).area < 1e-3


def test_every_fault_of_the_lines_is_told_at_once() -> None:
    lines = drawn(line((1300, -100), (1300, 600)), upright(9000), ("W", point(20_000, 0)))
    assert sorted((fault.key, fault.row) for fault in faults_of(lines)) == [
        ("line_cuts_nothing", 1), ("line_outside", 2), ("line_outside", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (drawn(upright(1300), ("X", point(1100, 500))), "label_unit"),
        (drawn(upright(1300), ("W", point(1100, 500)), ("E", point(1200, 500))), "label_conflict"),
        (drawn(upright(1300), ("E", point(1100, 500)), ("E", point(1700, 500))), "line_unit_landless"),
    ],
)
def test_labels_that_contradict_the_clauses_or_one_another_are_faults(lines: gpd.GeoDataFrame, key: str) -> None:
    assert key in {fault.key for fault in faults_of(lines)}


def test_fewer_parts_than_units_is_a_fault() -> None:
    (fault,) = faults_of(drawn(upright(1500)), rows=clauses(THREE), facts=unit_facts(NONE_OF_THREE))
    assert fault.key == "line_faces_few"
    assert (told(fault)["faces"], told(fault)["units"]) == ("2", "3")


@given(st.lists(st.floats(1050, 1950), min_size=2, max_size=6), st.booleans())
def test_drawn_parts_make_up_the_commune_and_never_overlap(xs: list[float], turned: bool) -> None:
    ys = np.linspace(-100, 1100, len(xs))
    path = line(*zip(xs, ys, strict=True))
    lines = drawn(path.reverse() if turned else path, ("W", point(1001, 500)), ("E", point(1999, 500)))
    pieces = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN), lines=lines).pieces
    parts = pieces.geometry[pieces["commune_id"] == "B"]
    assert parts.area.sum() == pytest.approx(1e6, rel=1e-9)
    assert parts.union_all().symmetric_difference(box(1000, 2000)).area < 1e-3
    assert parts.iloc[0].intersection(parts.iloc[1]).area < 1e-3
