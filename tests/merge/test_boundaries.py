import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.merge.audit import breaches
from geo.merge.boundaries import merge_communes
from geo.merge.population import population_shares
from tests.roads import CRS, ORIGIN

# Four communes of 1 km2 in a row; A whole and the west of B make W; the rest of B, C and D make E.
#
#     +-----+-----+-----+-----+
#     |  A  |  B  |  C  |  D  |
#     +-----+-----+-----+-----+
#     W W W W W E E E E E E E E


def box(west: float, east: float, *, south: float = 0, north: float = 1000) -> shapely.Polygon:
    x, y = ORIGIN
    return shapely.box(west + x, south + y, east + x, north + y)


def communes(shapes: dict[str, shapely.Geometry] | None = None) -> gpd.GeoDataFrame:
    shapes = shapes or {name: box(1000 * i, 1000 * i + 1000) for i, name in enumerate("ABCD")}
    return gpd.GeoDataFrame(
        {
            "name": [f"Xã {name}" for name in shapes],
            "kind": "Xã",
            "district_id": ["1", "1", "2", "2", "2", "2"][: len(shapes)],
            "district_name": ["Một", "Một", "Hai", "Hai", "Hai", "Hai"][: len(shapes)],
            "population": 1000.0,
            "area_km2": 1.0,
            "data_source": "official",
        },
        geometry=list(shapes.values()),
        index=pd.Index(list(shapes), name="commune_id"),
        crs=CRS,
    )


def clauses(rows: list[tuple[str, str, str]] | None = None, shares: list[float] | None = None) -> pd.DataFrame:
    rows = rows or [
        ("W", "A", "whole"),
        ("W", "B", "part"),
        ("E", "B", "remainder"),
        ("E", "C", "whole"),
        ("E", "D", "whole"),
    ]
    table = pd.DataFrame(rows, columns=["unit_id", "commune_id", "relation"])
    table["clause"] = pd.factorize(table["unit_id"])[0] + 1
    table["unit_name"], table["commune_name"] = table["unit_id"], table["commune_id"]
    table["area_share"] = np.nan if shares is None else shares
    return table


def unit_facts(shapes: dict[str, shapely.Geometry | None], **columns: list[float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "name": [f"Đơn vị {name}" for name in shapes],
            "kind": "ward",
            **{name: columns.get(name, np.nan) for name in ("area_km2", "population", "staff", "lon", "lat")},
            "data_source": "official",
        },
        geometry=list(shapes.values()),
        index=pd.Index(list(shapes), name="unit_id"),
        crs=CRS,
    )


NOT_DRAWN = {"W": None, "E": None}


@st.composite
def ragged_communes(draw: st.DrawFn) -> gpd.GeoDataFrame:
    """Return communes that gap and overlap, as sources do."""
    offset = st.floats(-120, 120)
    shapes = {}
    for i, name in enumerate("ABCD"):
        west, east = 1000 * i + draw(offset), 1000 * i + 1000 + draw(offset)
        shapes[name] = box(west, east, south=draw(offset), north=1000 + draw(offset))
    return communes(shapes)


def test_whole_communes_join_and_a_divided_one_is_cut_by_the_official_line() -> None:
    merge = merge_communes(communes(), clauses(), unit_facts({"W": box(0, 1300), "E": box(1300, 4000)}))
    assert merge.pieces["method"].tolist() == ["whole", "official", "official", "whole", "whole"]
    assert merge.pieces["area_share"].tolist() == pytest.approx([1, 0.3, 0.7, 1, 1], abs=1e-6)
    assert merge.units["area_km2"].tolist() == pytest.approx([1.3, 2.7], rel=2e-3)


def test_what_the_law_does_not_name_cannot_be_there() -> None:
    """The official line of W runs 40 m into C, which no clause gives to W: B, which borders it, takes the strip."""
    merge = merge_communes(communes(), clauses(), unit_facts({"W": box(0, 2040), "E": box(2040, 4000)}))
    west = merge.pieces[merge.pieces["unit_id"] == "W"]
    assert set(west["commune_id"]) == {"A", "B"}
    assert west.geometry.area.sum() == pytest.approx(2040 * 1000)
    assert west.set_index("commune_id").geometry["B"].equals(box(1000, 2040))


def test_without_official_lines_the_given_share_is_cut_on_the_side_of_the_unit() -> None:
    merge = merge_communes(communes(), clauses(shares=[1, 0.4, 0.6, 1, 1]), unit_facts(NOT_DRAWN))
    assert merge.pieces["method"].tolist() == ["whole", "modelled", "modelled", "whole", "whole"]
    assert merge.pieces["area_share"].tolist() == pytest.approx([1, 0.4, 0.6, 1, 1], abs=1e-4)
    assert merge.units.geometry["W"].symmetric_difference(box(0, 1400)).area < 0.03e6


@pytest.mark.parametrize("given", [0.2, 0.6])
def test_a_given_share_stands_and_the_missing_one_is_the_rest(given: float) -> None:
    facts = unit_facts(NOT_DRAWN, area_km2=[1.9, 2.1])
    merge = merge_communes(communes(), clauses(shares=[1, given, np.nan, 1, 1]), facts)
    assert merge.pieces["area_share"].tolist() == pytest.approx([1, given, 1 - given, 1, 1], abs=1e-4)


def test_without_shares_the_cut_is_steered_to_the_official_areas() -> None:
    merge = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN, area_km2=[1.8, 2.2]))
    assert merge.units["area_km2"].tolist() == pytest.approx([1.8, 2.2], rel=1e-2)


@given(ragged_communes(), st.permutations(range(5)), st.floats(1.1, 2.9))
def test_a_modelled_cut_keeps_all_land_and_people_and_minds_no_order(
    source: gpd.GeoDataFrame, order: list[int], west_km2: float
) -> None:
    """Overlaps and narrow gaps of the communes are settled first: what is left is their union, and all of it stays."""
    facts = unit_facts(NOT_DRAWN, area_km2=[west_km2, 4 - west_km2])
    merge = merge_communes(source, clauses(), facts)
    land = source.geometry.union_all()
    assert merge.pieces.area.sum() == pytest.approx(merge.pieces.geometry.union_all().area, rel=1e-9)
    assert land.difference(merge.units.geometry.union_all()).area < 1e-6 * land.area
    assert merge.pieces["population"].sum() == pytest.approx(source["population"].sum(), rel=1e-9)
    shuffled = merge_communes(source.iloc[::-1], clauses().iloc[order].reset_index(drop=True), facts.iloc[::-1])
    both = [m.pieces.set_index(["commune_id", "unit_id"])["area_km2"].sort_index() for m in (merge, shuffled)]
    assert both[0].tolist() == pytest.approx(both[1].tolist(), rel=1e-9)


def test_a_unit_may_be_drawn_while_its_neighbour_is_not() -> None:
    merge = merge_communes(communes(), clauses(), unit_facts({"W": box(0, 1300), "E": None}))
    assert merge.units.geometry["E"].symmetric_difference(box(1300, 4000)).area < 1


def test_land_of_a_drawn_unit_is_cut_from_the_whole_communes_of_one_that_is_not() -> None:
    """E's polygon begins 100 m inside B, which goes to W whole."""
    rows = clauses([("W", "A", "whole"), ("W", "B", "whole"), ("E", "C", "whole"), ("E", "D", "whole")])
    merge = merge_communes(communes(), rows, unit_facts({"W": None, "E": box(1900, 4000)}))
    assert merge.units.geometry["W"].symmetric_difference(box(0, 1900)).area < 1e-3
    assert breaches(merge.audit).empty


@pytest.mark.parametrize(("line", "west"), [(2300, 2300), (2900, 2000)])
def test_land_beside_a_drawn_unit_goes_to_one_that_is_not_unless_more_of_its_edge_is_nobodys(
    line: int, west: int
) -> None:
    """E has C and D whole, but its polygon begins inside C: the strip borders on W for 1 km, on nobody twice its width.

    A narrow one is a coarse line between the two; for a wide one the clauses, which give it to E, are all there is.
    """
    rows = clauses([("W", "A", "whole"), ("W", "B", "whole"), ("E", "C", "whole"), ("E", "D", "whole")])
    merge = merge_communes(communes(), rows, unit_facts({"W": None, "E": box(line, 4000)}))
    assert merge.units.geometry["W"].symmetric_difference(box(0, west)).area < 1e-3


#: Six communes in a row and three units; B and D are divided, the units' official lines run near those of the law.
ROW_OF_SIX = [("W", "A", "whole"), ("W", "B", "part"), ("M", "B", "remainder"), ("M", "C", "whole"),
              ("M", "D", "part"), ("E", "D", "remainder"), ("E", "E", "whole"), ("E", "F", "whole")]  # fmt: skip


@given(st.data())
def test_with_any_of_the_units_drawn_the_merge_is_a_partition(data: st.DataObject) -> None:
    offset = st.floats(-120, 120)
    edges = [(1000 * i + data.draw(offset), 1000 * i + 1000 + data.draw(offset)) for i in range(6)]
    source = communes(
        {
            n: box(*edge, south=data.draw(offset), north=1000 + data.draw(offset))
            for n, edge in zip("ABCDEF", edges, strict=True)
        }
    )
    first, second = data.draw(st.floats(900, 2100)), data.draw(st.floats(2900, 4100))
    lines = {"W": box(-20, first, south=-30), "M": box(first, second), "E": box(second, 6050, north=1040)}
    drawn = data.draw(st.sets(st.sampled_from("WME")))
    facts = unit_facts({name: shape if name in drawn else None for name, shape in lines.items()})
    merge = merge_communes(source, clauses(ROW_OF_SIX), facts)
    units = merge.units.geometry
    union = units.union_all()
    assert units.area.sum() == pytest.approx(union.area, rel=1e-9)
    assert all(units[name].equals(lines[name]) for name in drawn)
    for unit_id, unit in units.items():
        parts = merge.pieces.geometry[merge.pieces["unit_id"] == unit_id]
        assert parts.area.sum() == pytest.approx(unit.area, rel=1e-9), unit_id
    official = shapely.union_all([lines[name] for name in drawn])
    known = shapely.union_all([*source.geometry, official])
    known = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(known)])
    assert union.difference(known).area < 1e-6 * union.area, "nothing lies outside"
    open_ids = [commune for unit, commune, _ in ROW_OF_SIX if unit not in drawn]
    assert source.geometry[open_ids].union_all().difference(union).area < 1e-6 * union.area, "nothing of it is lost"


@pytest.mark.parametrize("small", ["A", "B"])
@pytest.mark.parametrize("shapes", [NOT_DRAWN, {"W": box(0, 900), "E": box(900, 4000)}], ids=["not drawn", "drawn"])
def test_land_under_two_communes_goes_to_the_smaller_whatever_their_ids(
    small: str, shapes: dict[str, shapely.Geometry | None]
) -> None:
    # The smaller has 0-1.1 km, the larger 0.7-2 km; the unit that has both is E where W is drawn to 0.9 km.
    large = "B" if small == "A" else "A"
    source = communes({small: box(0, 1100), large: box(700, 2000), "C": box(2000, 3000), "D": box(3000, 4000)})
    rows = [
        ("W", small, "part"),
        ("E", small, "remainder"),
        ("E", large, "whole"),
        ("E", "C", "whole"),
        ("E", "D", "whole"),
    ]
    pieces = merge_communes(source, clauses(rows), unit_facts(shapes)).pieces
    assert pieces.area.groupby(pieces["commune_id"]).sum()[large] == pytest.approx(0.9e6)


def test_a_unit_of_which_nothing_is_left_is_a_breach() -> None:
    twins = communes({"A": box(0, 1000), "B": box(0, 1000), "C": box(1000, 2000)})
    rows = [("E", "A", "whole"), ("W", "B", "whole"), ("E", "C", "whole")]
    audit = merge_communes(twins, clauses(rows), unit_facts(NOT_DRAWN)).audit
    broken = breaches(audit).set_index("check")
    assert broken.loc["unit_without_land", ["subject", "other"]].tolist() == ["W", "B"]
    landless = audit[(audit["check"] == "clause_without_land") & ~audit["passed"]]
    assert landless[["subject", "other"]].to_numpy().tolist() == [["W", "B"]]


def test_lines_drawn_by_a_model_are_not_called_official() -> None:
    facts = unit_facts({"W": box(0, 1300), "E": box(1300, 4000)}).assign(data_source="modelled")
    assert merge_communes(communes(), clauses(), facts).pieces["method"][1] == "modelled"


def test_districts_are_the_dissolve_of_their_communes() -> None:
    districts = merge_communes(communes(), clauses(), unit_facts(NOT_DRAWN)).districts
    assert districts.geometry["1"].equals(box(0, 2000))
    assert districts["population"].tolist() == [2000, 2000]


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        (["part", "remainder"], [0.25, 0.75]),
        (["part_area_only", "remainder"], [0, 1]),
        (["part_area_whole_population", "remainder"], [1, 0]),
    ],
)
def test_the_clauses_rule_the_people_then_the_land(relations: list[str], expected: list[float]) -> None:
    pieces = pd.DataFrame({"commune_id": ["A", "A"], "relation": relations, "area_km2": [1.0, 3.0]})
    assert population_shares(pieces).tolist() == expected


def test_people_without_land_follow_the_remainder() -> None:
    pieces = pd.DataFrame(
        {"commune_id": ["A", "A"], "relation": ["part_area_only", "remainder"], "area_km2": [1.0, 0.0]}
    )
    assert population_shares(pieces).tolist() == [0, 1]


def test_the_audit_names_an_overlap_a_gap_and_a_wrong_area() -> None:
    overlapping = unit_facts(
        {"W": box(0, 2100), "E": box(2000, 4000).difference(box(3000, 3100, south=400, north=500))},
        area_km2=[2.1, 4.0],
    )
    audit = merge_communes(communes(), clauses(), overlapping).audit
    broken = breaches(audit).set_index(["check", "subject"])["value"]
    assert broken[("overlap_km2", "city")] == pytest.approx(0.1, rel=1e-2)
    assert broken[("gap_km2", "city")] == pytest.approx(0.01, rel=1e-2)
    assert broken[("area_error_pct", "E")] == pytest.approx(-50, abs=1)
    assert len(broken) == 3


@given(ragged_communes(), st.permutations(range(5)), st.floats(1100, 1900))
def test_area_and_population_are_conserved_and_the_order_of_rows_changes_nothing(
    source: gpd.GeoDataFrame, order: list[int], line: float
) -> None:
    facts = unit_facts({"W": box(0, line), "E": box(line, 4000)})
    merge = merge_communes(source, clauses(), facts)
    assert merge.pieces["population"].sum() == pytest.approx(source["population"].sum(), rel=1e-9)
    for unit_id, unit in facts.geometry.items():
        parts = merge.pieces.geometry[merge.pieces["unit_id"] == unit_id]
        assert parts.area.sum() == pytest.approx(unit.area, rel=1e-9)
        assert parts.union_all().symmetric_difference(unit).area < 1e-6 * unit.area
    shuffled = merge_communes(source.iloc[::-1], clauses().iloc[order].reset_index(drop=True), facts.iloc[::-1])
    assert shuffled.units.geometry.loc[facts.index].area.tolist() == merge.units.geometry.area.tolist()
    both = [m.pieces.set_index(["commune_id", "unit_id"]).sort_index() for m in (merge, shuffled)]
    assert both[0]["population"].tolist() == pytest.approx(both[1]["population"].tolist(), rel=1e-9)
    assert both[0]["area_km2"].tolist() == pytest.approx(both[1]["area_km2"].tolist(), rel=1e-9)
