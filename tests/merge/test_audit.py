import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.audit import CHECKS, audit_merge, breaches, highlights, worst
from geo.merge.boundaries import merge_communes
from geo.merge.coverage import examine_coverage, overlay, unite
from geo.text import LANGUAGES, catalogue
from tests.merge.test_boundaries import NOT_DRAWN, box, clauses, communes, unit_facts
from tests.roads import CRS

# The four communes of tests/merge/test_boundaries.py, 1 km2 each:   A | B | C | D


def findings(audit: pd.DataFrame, check: str) -> pd.DataFrame:
    return audit[(audit["check"] == check) & ~audit["passed"]]


def audit_of(shapes: dict[str, shapely.Geometry | None], **options: object) -> pd.DataFrame:
    facts = unit_facts(shapes, **options.get("figures", {}))
    return merge_communes(options.get("communes", communes()), options.get("rows", clauses()), facts).audit


def test_a_sound_merge_has_nothing_to_mend() -> None:
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)})
    assert audit["passed"].all()
    assert set(audit["remedy"]) == {""}
    assert worst(audit).empty


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_check_has_its_words(lang: str) -> None:
    words = catalogue(lang)
    for group in ("check", "finding"):
        told = {key.removeprefix(f"audit.{group}.") for key in words if key.startswith(f"audit.{group}.")}
        assert told == set(CHECKS)
    assert {check.unit for check in CHECKS.values()} <= {key.removeprefix("audit.amount.") for key in words}


#     +-----+-----+-----+-----+
#     |  A  |##B  |  C [ ] D  |    A reaches 100 m into B; between C and D lies a hole of 200 m by 400 m
#     +-----+-----+-----+-----+
SPOILT = {
    "A": box(0, 1100),
    "B": box(1000, 2000),
    "C": box(2000, 3000).difference(box(2900, 3000, south=300, north=700)),
    "D": box(3000, 4000).difference(box(3000, 3100, south=300, north=700)),
}


def test_gaps_and_overlaps_of_the_input_have_place_area_and_neighbours() -> None:
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, communes=communes(SPOILT))
    (spot,) = findings(audit, "commune_overlap").itertuples()
    assert {spot.subject, spot.other} == {"A", "B"}
    assert spot.value == pytest.approx(0.1)
    at = gpd.GeoSeries(gpd.points_from_xy([spot.lon], [spot.lat]), crs="EPSG:4326").to_crs(CRS)[0]
    assert box(1000, 1100).contains(at)
    (hole,) = findings(audit, "commune_gap").itertuples()
    assert (hole.subject, hole.other) == ("C", "D")
    assert hole.value == pytest.approx(0.08)
    assert hole.remedy == "settled_by_units"
    assert breaches(audit).empty, "the official polygons settle what the communes leave open"


def test_without_official_polygons_narrow_faults_of_the_input_are_settled_but_told() -> None:
    audit = audit_of(NOT_DRAWN, communes=communes(SPOILT))
    assert breaches(audit).empty
    assert len(findings(audit, "commune_overlap")) == len(findings(audit, "commune_gap")) == 1


def test_without_official_polygons_a_wide_gap_of_the_input_is_a_breach_of_the_output() -> None:
    shapes = {**SPOILT, "A": box(0, 1000), "D": box(3000, 4000).difference(box(3000, 3400, south=300, north=700))}
    audit = audit_of(NOT_DRAWN, communes=communes(shapes))
    assert set(breaches(audit)["check"]) == {"gap_km2"}
    assert findings(audit, "unit_gap")["remedy"].tolist() == ["mend_communes"]


def test_an_overlap_of_two_drawn_units_is_theirs_to_mend_though_a_third_is_not_drawn() -> None:
    rows = clauses([("W", "A", "whole"), ("E", "B", "whole"), ("N", "C", "whole"), ("N", "D", "whole")])
    audit = audit_of({"W": box(0, 1100), "E": box(1000, 2000), "N": None}, rows=rows)
    (row,) = breaches(audit).itertuples()
    assert (row.check, row.remedy) == ("overlap_km2", "mend_units")
    assert findings(audit, "unit_overlap")["remedy"].tolist() == ["mend_units"]


def test_land_is_compared_with_that_of_the_communes_as_found() -> None:
    """A gap of 150 m by 800 m inside B and C is filled: 0.12 km2 that no commune brought."""
    hole = box(1850, 2000, south=100, north=900)
    shapes = {"A": box(0, 1000), "B": box(1000, 2000).difference(hole), "C": box(2000, 3000), "D": box(3000, 4000)}
    audit = audit_of(NOT_DRAWN, communes=communes(shapes))
    (row,) = audit[audit["check"] == "area_lost_share"].itertuples()
    assert row.passed
    assert json.loads(row.figures) == {"added_km2": 0.12, "after_km2": 4.0, "before_km2": 3.88}
    (grown,) = findings(audit, "commune_change_pct").itertuples()
    assert (grown.subject, grown.remedy) == ("B", "mend_communes")
    assert grown.value == pytest.approx(100 * 0.12 / 0.88)
    assert grown.at_stake_km2 == pytest.approx(0.12)


@pytest.mark.parametrize("shapes", [NOT_DRAWN, {"W": box(0, 1300), "E": None}], ids=["none drawn", "one drawn"])
def test_land_of_the_communes_that_no_unit_has_is_lost(shapes: dict[str, shapely.Geometry | None]) -> None:
    case = merge_communes(communes(), clauses(), unit_facts(shapes))
    short = case.units.assign(geometry=case.units.difference(box(3500, 4000)))
    pieces = case.pieces.assign(geometry=case.pieces.difference(box(3500, 4000)))
    audit = audit_merge(
        communes=communes(),
        unit_facts=unit_facts(shapes),
        units=short,
        pieces=pieces,
        overlay=overlay(communes().geometry, unit_facts(shapes).geometry),
        districts=case.districts.geometry,
    )
    assert findings(audit, "area_lost_share")["value"].tolist() == [pytest.approx(0.125)]


def test_land_beyond_official_polygons_is_not_lost() -> None:
    """The official polygon of E ends 500 m before D does, and nobody else has a clause there."""
    rows = clauses([("W", "A", "whole"), ("W", "B", "whole"), ("E", "C", "whole"), ("E", "D", "whole")])
    audit = audit_of({"W": None, "E": box(2000, 3500)}, rows=rows)
    assert breaches(audit).empty
    (row,) = findings(audit, "commune_outside").itertuples()
    assert (row.subject, row.value) == ("D", pytest.approx(0.5))


def test_narrow_spots_are_slivers() -> None:
    shapes = {**SPOILT, "A": box(0, 1010), "C": box(2000, 3000), "D": box(3000, 4000)}
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, communes=communes(shapes))
    assert findings(audit, "commune_overlap").empty
    assert findings(audit, "commune_sliver")["value"].tolist() == [pytest.approx(0.01)]


def test_land_of_a_whole_commune_in_another_unit_is_found_from_the_commune() -> None:
    """The official line of W runs 200 m into C, which E has whole."""
    audit = audit_of({"W": box(0, 2200), "E": box(2200, 4000)})
    (row,) = findings(audit, "whole_outside").itertuples()
    assert (row.subject, row.other, row.remedy) == ("C", "W", "check_relation")
    assert row.value == pytest.approx(20)
    assert row.at_stake_km2 == pytest.approx(0.2)


def test_land_of_a_divided_commune_in_a_unit_that_no_clause_names_is_found_from_the_unit() -> None:
    rows = clauses([("W", "A", "whole"), ("W", "B", "part"), ("E", "B", "remainder"), ("E", "C", "whole"),
                    ("N", "D", "whole")])  # fmt: skip
    shapes = {
        "W": box(0, 1300),
        "E": box(1300, 1900).union(box(2000, 3000)),
        "N": box(1900, 2000).union(box(3000, 4000)),
    }
    audit = audit_of(shapes, rows=rows)
    (row,) = findings(audit, "unnamed_land").itertuples()
    assert (row.subject, row.other) == ("N", "B")
    assert row.remedy == "coarse_line", "100 m of land along 1 km is the width of a coarse line"
    (apart,) = findings(audit, "unit_apart").query("subject == 'N'").itertuples()
    assert json.loads(apart.figures) == {"land_km2": 0.1, "distance_m": 1000}
    assert apart.remedy == "confirm_apart"


def test_clauses_that_the_land_contradicts_are_named() -> None:
    rows = clauses([("W", "A", "part_area_only"), ("E", "A", "remainder"), ("W", "B", "part_area_whole_population"),
                    ("E", "B", "remainder"), ("E", "C", "whole"), ("E", "D", "whole")])  # fmt: skip
    audit = audit_of({"W": box(0, 900).union(box(1000, 1020)), "E": box(900, 1000).union(box(1020, 4000))}, rows=rows)
    (most,) = findings(audit, "land_without_people_most").itertuples()
    assert (most.subject, most.other) == ("W", "A")
    assert most.value == pytest.approx(90, abs=0.1)
    assert findings(audit, "people_on_little_land")["value"].tolist() == [pytest.approx(2, abs=0.1)]
    none = audit_of({"W": box(0, 1000), "E": box(1000, 4000)})
    assert findings(none, "clause_without_land")[["subject", "other"]].to_numpy().tolist() == [["W", "B"]]
    tiny = audit_of({"W": box(0, 1005), "E": box(1005, 4000)})
    assert findings(tiny, "part_tiny")["value"].tolist() == [pytest.approx(5000, rel=1e-2)]


def test_opposite_errors_of_neighbours_point_at_their_line() -> None:
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, figures={"area_km2": [1.6, 2.4]})
    rows = breaches(audit).set_index("subject")
    assert rows.loc["W", ["other", "remedy"]].tolist() == ["E", "check_shared_line"]
    alone = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, figures={"area_km2": [1.6, 2.7]})
    assert breaches(alone)["remedy"].tolist() == ["check_official_area"]
    modelled = audit_of(NOT_DRAWN, figures={"area_km2": [0.5, 3.5]})
    assert set(breaches(modelled)["remedy"]) <= {"draw_line", "check_shared_line"}


@pytest.mark.parametrize(("factor", "size"), [(100, "large"), (1e6, "large"), (0.01, "small")])
def test_official_areas_in_another_unit_of_measure_are_one_finding(factor: float, size: str) -> None:
    figures = {"area_km2": [1.3 * factor, 2.7 * factor]}
    source = communes().assign(area_km2=factor)
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, communes=source, figures=figures)
    (row,) = breaches(audit).itertuples()
    assert (row.check, row.value, row.remedy) == ("area_measure", max(factor, 1 / factor), "check_measure")
    assert json.loads(row.figures) == {"size": size}
    assert audit["check"][~audit["passed"]].tolist() == ["area_measure", "commune_area_measure"]


def test_two_figures_that_are_wrong_each_its_own_way_are_no_other_unit_of_measure() -> None:
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, figures={"area_km2": [4.5, 70]})
    assert breaches(audit)["check"].tolist() == ["area_error_pct", "area_error_pct"]


def test_a_neighbour_that_passes_is_not_accused() -> None:
    """W lacks 0.1 of 1.4 km2, E has 0.1 of 2.6 km2 too much: less than 5 %."""
    audit = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, figures={"area_km2": [1.4, 2.6]})
    (row,) = breaches(audit).itertuples()
    assert (row.subject, row.other, row.remedy) == ("W", "", "check_official_area")


def test_an_unsure_share_names_all_units_that_take_part_the_least_sure_first() -> None:
    """The given area share of E is kept by its line; W and N share the rest of B, nobody knows how."""
    rows = clauses([("W", "A", "whole"), ("W", "B", "part"), ("N", "B", "part"), ("E", "B", "remainder"),
                    ("E", "C", "whole"), ("N", "D", "whole")])  # fmt: skip
    audit = audit_of({"W": None, "E": box(1800, 3000), "N": None}, rows=rows)
    (row,) = findings(audit, "share_unsure").itertuples()
    assert sorted(row.other.split()) == ["E", "N", "W"]
    assert row.other.split()[-1] == "E"
    assert row.at_stake_km2 == pytest.approx(0.4, abs=0.01), "half of what W and N share, 0.8 km2"


@pytest.mark.parametrize(("shares", "told"), [([0.9, 0.9], [80]), ([0.3, 0.3], [-40]), ([0.4, 0.6001], []),
                                              ([0.4, np.nan], [])])  # fmt: skip
def test_given_shares_that_do_not_make_the_commune_are_told(shares: list[float], told: list[float]) -> None:
    audit = audit_of(NOT_DRAWN, rows=clauses(shares=[1, *shares, 1, 1]))
    found = findings(audit, "given_shares_pct")
    assert found["value"].tolist() == pytest.approx(told)
    assert set(found["subject"]) <= {"B"}
    settled = audit_of({"W": box(0, 1300), "E": box(1300, 4000)}, rows=clauses(shares=[1, *shares, 1, 1]))
    assert findings(settled, "given_shares_pct").empty, "the polygons rule, nobody reads the shares"


def test_the_polygon_of_a_commune_is_its_own_whatever_land_is_fitted() -> None:
    """B lacks 0.12 km2 that is filled as a gap: its polygon falls short of its official area all the same."""
    hole = box(1850, 2000, south=100, north=900)
    shapes = {"A": box(0, 1000), "B": box(1000, 2000).difference(hole), "C": box(2000, 3000), "D": box(3000, 4000)}
    audit = audit_of(NOT_DRAWN, communes=communes(shapes).assign(area_km2=1.05))
    (row,) = findings(audit, "commune_area_error_pct").itertuples()
    assert (row.subject, json.loads(row.figures)["area_km2"]) == ("B", pytest.approx(0.88, abs=0.003))


def test_a_lost_zero_is_told_from_a_wrong_count() -> None:
    audit = audit_of({"W": box(0, 1500), "E": box(1500, 4000)}, figures={"population": [150, 2500]})
    found = findings(audit, "population_error_pct").set_index("subject")
    assert found["remedy"]["W"] == "check_zero"
    # Of the 4,000 people 2,650 are left: 994 should be in W, which has 150, and 1,656 in E, which has 2,500.
    assert found["at_stake_km2"].to_dict() == pytest.approx({"W": 1.5, "E": 2.5 * (1 - 1656.25 / 2500)}, rel=1e-3)


def test_the_worst_come_by_the_land_they_leave_in_doubt() -> None:
    audit = audit_of({"W": box(0, 2200), "E": box(2200, 4000)}, communes=communes(SPOILT), figures={"area_km2": [3, 2]})
    bad = worst(audit, n=3)
    assert bad["at_stake_km2"].is_monotonic_decreasing
    assert len(bad) == 3
    assert not bad["passed"].any()
    assert audit["at_stake_km2"][audit["passed"]].isna().all()


def test_a_lost_zero_and_a_clause_without_land_are_read_first_however_small_their_unit() -> None:
    """B and C, half of it, are tiny beside A: their land would never bring them among the worst."""
    shapes = {"A": box(0, 1000), "B": box(1000, 1010), "C": box(1010, 1020), "D": box(1020, 2000)}
    rows = clauses([("W", "A", "whole"), ("E", "B", "whole"), ("E", "C", "part"), ("N", "C", "remainder"),
                    ("N", "D", "whole")])  # fmt: skip
    drawn = {"W": box(0, 1000), "E": box(1000, 1010), "N": box(1010, 2000)}
    audit = audit_of(
        drawn,
        communes=communes(shapes),
        rows=rows,
        figures={"population": [2000, 150, 1500], "area_km2": [1.5, 0.01, 1]},
    )
    first = highlights(audit, n=2)
    assert first["certain"][["check", "subject"]].to_numpy().tolist() == [
        ["population_error_pct", "E"],
        ["clause_without_land", "E"],
    ]
    assert first["certain"]["remedy"].iloc[0] == "check_zero"
    assert len(first["worst"]) == 2


def test_a_broken_sum_is_followed_by_its_largest_places() -> None:
    rows = clauses([("W", "A", "whole"), ("W", "B", "whole"), ("E", "C", "whole"), ("E", "D", "whole")])
    holes = shapely.union_all([box(3000, 3020, south=400, north=420), box(3500, 3600, south=300, north=600)])
    drawn = {"W": box(0, 2100), "E": box(2000, 4000).difference(holes)}
    listed = highlights(audit_of(drawn, rows=rows))["breaches"]
    assert listed["check"].tolist() == ["overlap_km2", "unit_overlap", "gap_km2", "unit_gap", "unit_sliver"]
    assert listed["lon"].notna().tolist() == [False, True, False, True, True]


def metres(least: int, most: int) -> st.SearchStrategy[float]:
    """Draw a length to the decimetre: finer than any map, and no coordinate of 1e-200 m."""
    return st.integers(10 * least, 10 * most).map(lambda decimetres: decimetres / 10)


@given(st.lists(st.tuples(metres(0, 900), metres(0, 900), metres(50, 400)), min_size=2, max_size=6))
def test_spots_add_up_to_what_a_raster_counts(squares: list[tuple[float, float, float]]) -> None:
    """The oracle counts points of a grid by the number of squares over them."""
    shapes = gpd.GeoSeries(
        [shapely.box(x, y, x + s, y + s) for x, y, s in squares], index=list("ABCDEF")[: len(squares)]
    )
    (union,) = unite(shapes)
    coverage = examine_coverage(shapes, union=union, outline=shapely.box(0, 0, 1300, 1300))
    step = 10.0
    x, y = (axis.ravel() + step / 2 for axis in np.meshgrid(np.arange(0, 1300, step), np.arange(0, 1300, step)))
    count = sum(shapely.contains_xy(shape, x, y).astype(int) for shape in shapes)
    edge = 2 * step * sum(shapely.length(np.asarray(shapes)))
    assert abs(coverage.gaps.total_m2 - step**2 * (count == 0).sum()) < edge
    assert abs(coverage.overlaps.total_m2 - step**2 * np.maximum(count - 1, 0).sum()) < edge
    shared = overlay(shapes, shapes)
    own = shared[shared["old_id"] == shared["new_id"]]
    assert own["area_m2"].to_numpy() == pytest.approx(shapely.area(np.asarray(shapes)))


def test_the_page_on_the_method_lists_every_check_with_its_gravity() -> None:
    page = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    told = {
        name: gravity
        for names, gravity in re.findall(r"^\| (`[^|]*`) \| (breach|notice) \|", page, flags=re.M)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert told == {name: "breach" if check.must_hold else "notice" for name, check in CHECKS.items()}
