from pathlib import Path
from random import Random

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import Settings, load_city
from geo.merge.population import (
    Homes,
    _street_km,
    explain_errors,
    find_homes,
    population_shares,
    registered_people,
    share_population,
)
from tests.roads import CRS, ORIGIN, road_network
from tests.test_real import EMBEDDED, REAL, real_folder

# Three communes of 1 km2 in a row, 400, 1000 and 4000 people; B is divided at its middle.
#
#     +-------+---+---+-------+
#     |   A   | B : B |   C   |
#     |  400  | 1:000 |  4000 |
#     +-------+---+---+-------+
#       0      1  2     3          <- row of the table

PEOPLE = pd.Series({"A": 400.0, "B": 1000.0, "C": 4000.0})
BOUNDS = [("A", 0, 1000), ("B", 1000, 1500), ("B", 1500, 2000), ("C", 2000, 3000)]


def row_of_pieces(relations: tuple[str, ...] = ("whole", "part", "remainder", "whole")) -> gpd.GeoDataFrame:
    x, y = ORIGIN
    shapes = [shapely.box(x + west, y, x + east, y + 1000) for _, west, east in BOUNDS]
    return gpd.GeoDataFrame(
        {
            "commune_id": [name for name, *_ in BOUNDS],
            "unit_id": ["W", "W", "E", "E"],
            "relation": relations,
            "area_km2": shapely.area(shapes) / 1e6,
        },
        geometry=shapes,
        crs=CRS,
    )


def homes_at(*places: tuple[float, float, float]) -> Homes:
    """Return streets at x, y (m) of so many km."""
    x, y, km = np.array(places, float).T
    return Homes(xy=np.column_stack([x, y]) + ORIGIN, km=km)


def test_the_part_towards_the_dense_neighbour_is_the_denser() -> None:
    result = share_population(row_of_pieces(), PEOPLE)
    assert result["population_method"].tolist() == ["whole", "land", "land", "whole"]
    west, east = result["population_share"][1:3]
    assert west + east == pytest.approx(1)
    assert east > 0.6 > 0.4 > west


def test_the_density_is_in_balance_with_its_neighbours() -> None:
    """By hand: w + e = 2000 and w : e = (400 + e) : (4000 + w), all borders being 1 km; so 8400 w = 4,800,000."""
    share = share_population(row_of_pieces(), PEOPLE)["population_share"]
    assert share[1] == pytest.approx(4_800_000 / 8400 / 2000, abs=0.005)


def test_equal_neighbours_leave_the_land_to_decide() -> None:
    share = share_population(row_of_pieces(), pd.Series(1000.0, PEOPLE.index))["population_share"]
    assert share[1:3].tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("width", "south"), [(10, 0), (100, 1200)], ids=["narrow strip", "island"])
def test_a_part_that_borders_on_nothing_is_as_dense_as_the_rest_of_its_commune(width: float, south: float) -> None:
    pieces = row_of_pieces()
    x, y = ORIGIN
    part = shapely.box(x + 1000, y + south, x + 1000 + width, y + south + 1000)
    pieces.loc[[1, 2], "geometry"] = [part, shapely.difference(shapely.box(x + 1000, y, x + 2000, y + 1000), part)]
    pieces["area_km2"] = pieces.area / 1e6
    share = share_population(pieces, pd.Series({"A": 4.0, "B": 20_000.0, "C": 4.0}))["population_share"]
    land = pieces.area[[1, 2]] / pieces.area[[1, 2]].sum()
    np.testing.assert_allclose(share[[1, 2]], land, rtol=1e-9)


def test_people_follow_the_streets_where_there_are_enough() -> None:
    alike = pd.Series(1000.0, PEOPLE.index)
    result = share_population(row_of_pieces(), alike, homes=homes_at((1200, 500, 9), (1800, 500, 3)))
    assert result["population_method"][1:3].tolist() == ["streets", "streets"]
    assert result["population_share"][1] == pytest.approx((9 + 2) / (9 + 2 + 3 + 2), rel=1e-3), "2 km no map shows"


def test_thin_streets_do_not_distort() -> None:
    thin = share_population(row_of_pieces(), PEOPLE, homes=homes_at((1200, 500, 3.9)))
    assert thin.equals(share_population(row_of_pieces(), PEOPLE))


def test_people_at_points_count_alone() -> None:
    places = [(1200, 500), (1800, 500), (1500, 200), (100, 100)]
    shapes = gpd.GeoSeries(gpd.points_from_xy(*np.transpose(places)), crs=CRS).translate(*ORIGIN)
    points = gpd.GeoDataFrame({"population": [60.0, 20.0, 20.0, 5.0]}, geometry=shapes)
    result = share_population(row_of_pieces(), PEOPLE, points=points, homes=homes_at((1800, 500, 9)))
    assert result["population_method"][1:3].tolist() == ["points", "points"]
    assert result["population_share"][1:3].tolist() == pytest.approx([0.7, 0.3]), "a point on the line counts half"


def test_the_clauses_rule_before_streets() -> None:
    homes = homes_at((1200, 500, 9), (1800, 500, 1))
    bare = share_population(row_of_pieces(("whole", "part_area_only", "remainder", "whole")), PEOPLE, homes=homes)
    assert bare["population_share"].tolist() == [1, 0, 1, 1]
    full = row_of_pieces(("whole", "remainder", "part_area_whole_population", "whole"))
    assert share_population(full, PEOPLE, homes=homes)["population_share"].tolist() == [1, 0, 1, 1]
    assert bare["population_method"].tolist() == ["whole", "clause", "clause", "whole"]


def test_all_the_people_go_with_their_part_even_where_it_has_no_land() -> None:
    pieces = pd.DataFrame(
        {"commune_id": ["B", "B"], "relation": ["part_area_whole_population", "remainder"], "area_km2": [0.0, 3.0]}
    )
    assert population_shares(pieces).tolist() == [1, 0]


@pytest.mark.parametrize("people", [np.nan, 0.0])
def test_a_silent_census_still_shares_everything(people: float) -> None:
    result = share_population(row_of_pieces(), pd.Series(people, PEOPLE.index))
    assert result["population_share"][1:3].tolist() == pytest.approx([0.5, 0.5])


def test_houses_stand_along_streets_not_motorways() -> None:
    nodes = {"a": (0, 0), "b": (1000, 0), "c": (0, 500), "d": (1000, 500), "e": (0, 900), "f": (1000, 900)}
    network = road_network(nodes, [("a", "b", "residential"), ("c", "d", "motorway"), ("e", "f", "footway")])
    homes = find_homes(network, crs=CRS)
    assert homes.km.tolist() == pytest.approx([1.0, 0.2])
    assert homes.xy == pytest.approx(np.array([[500, 0], [500, 900]]) + ORIGIN, abs=0.01)


@st.composite
def cities(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, pd.Series, Homes]:
    """Return communes in a row, each cut into up to four pieces of any relation, with people and streets."""
    relation = st.sampled_from(["part", "remainder", "part_area_only", "part_area_whole_population", "whole"])
    rows, people, west = [], {}, 0.0
    for name in "ABCD"[: draw(st.integers(1, 4))]:
        people[name] = draw(st.one_of(st.floats(0, 1e6), st.just(np.nan)))
        for _ in range(draw(st.integers(1, 4))):
            width = draw(st.floats(0, 3000))
            rows.append(
                (name, draw(relation), shapely.box(west, 0, west + width, 1000) if width else shapely.Polygon())
            )
            west += width
    shapes = gpd.GeoSeries([row[2] for row in rows], crs=CRS).translate(*ORIGIN)
    pieces = gpd.GeoDataFrame(
        {"commune_id": [row[0] for row in rows], "relation": [row[1] for row in rows], "area_km2": shapes.area / 1e6},
        geometry=shapes,
    )
    x = draw(st.lists(st.floats(0, 12_000), max_size=6))
    return pieces, pd.Series(people), homes_at(*[(place, 500, 4) for place in x] or [(-1, -1, 0)])


@given(cities(), st.randoms(use_true_random=False))
def test_nobody_is_lost_and_the_order_of_rows_changes_nothing(case, random) -> None:
    pieces, people, homes = case
    share = share_population(pieces, people, homes=homes)["population_share"]
    assert share.groupby(pieces["commune_id"]).sum().to_numpy() == pytest.approx(1, rel=1e-9)
    assert share.between(0, 1).all()
    order = random.sample(range(len(pieces)), len(pieces))
    shuffled = share_population(pieces.iloc[order], people, homes=homes)["population_share"]
    assert shuffled.sort_index().to_numpy() == pytest.approx(share.to_numpy(), rel=1e-9, abs=1e-12)


def test_an_error_is_put_down_to_growth_or_sharing() -> None:
    pieces = row_of_pieces().assign(
        area_share=[1, 0.5, 0.5, 1], population_share=[1, 0.5, 0.5, 1],
        population_method=["whole", "land", "land", "whole"],
    )  # fmt: skip
    shared = explain_errors(pieces, PEOPLE, pd.Series({"W": 1300.0, "E": 4100.0}))
    assert shared.loc["W", ["expected_people", "least_people", "most_people"]].tolist() == [900, 400, 1400]
    assert shared.loc["W", "around_pct"] == pytest.approx(0)
    assert shared["cause"].tolist() == ["sharing", "sharing"]
    grown = explain_errors(pieces, PEOPLE, pd.Series({"W": 3900.0, "E": 1500.0}))
    assert grown.loc["W", "growth_pct"] == pytest.approx(100 * (1400 / 3900 - 1)), "more than all of B is missing"
    assert grown.index.tolist() == ["E", "W"], "the largest error first"
    assert grown["cause"].tolist() == ["growth", "growth"]


def test_an_error_is_put_down_to_a_clause() -> None:
    pieces = row_of_pieces(("whole", "part_area_only", "remainder", "whole")).assign(area_share=[1, 0.5, 0.5, 1])
    pieces = pieces.join(share_population(pieces, PEOPLE))
    found = explain_errors(pieces, PEOPLE, pd.Series({"W": 900.0, "E": 4500.0}))
    assert found["cause"].tolist() == ["clause", "clause"]
    assert found.loc["W", "clause_pct"] == pytest.approx(-100 * 500 / 900)


def test_a_unit_of_unknown_people_is_left_out() -> None:
    pieces = row_of_pieces().assign(area_share=1.0, population_share=1.0, population_method="whole")
    assert explain_errors(pieces, PEOPLE.drop("A"), pd.Series({"W": 1.0, "E": 2.0})).index.tolist() == ["E"]


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="real files of Hanoi are not here (shared/data/hanoi)")
def test_people_of_the_census_meet_the_official_figures_better_than_by_land(
    tmp_path: Path, shared_settings: Settings
) -> None:
    city = load_city(real_folder(tmp_path), settings=shared_settings)
    table = pd.read_csv(EMBEDDED / "facts" / "units_2025.csv", dtype={"code": str}).set_index("code")
    official, census = table["population"].astype(float), city.communes["population"]

    def mean_error_pct(share: pd.Series) -> float:
        pieces = city.pieces.assign(population_share=share)
        return float(explain_errors(pieces, census, official)["error_pct"].abs().mean())

    assert mean_error_pct(city.pieces["area_share"]) == pytest.approx(11.0, abs=0.1)
    assert mean_error_pct(population_shares(city.pieces)) == pytest.approx(9.5, abs=0.1)
    assert mean_error_pct(share_population(city.pieces, census)["population_share"]) < 8.9
    assert mean_error_pct(city.pieces["population_share"]) < 8.3
    whole = city.pieces.groupby("unit_id")["method"].agg(lambda ways: (ways == "whole").all())
    found = explain_errors(city.pieces, census, official)
    assert found["error_pct"][whole[whole].index].abs().mean() == pytest.approx(4.0, abs=0.05)
    found = explain_errors(city.pieces, registered_people(census, city.communes["population_earlier"]), official)
    assert found["error_pct"].abs().mean() < 7
    assert found["error_pct"][whole[whole].index].abs().mean() < 2.5
    assert table["name"][found.index[:5]].str.removeprefix("Phường ").str.removeprefix("Xã ").tolist() == [
        "Xuân Phương", "Tây Mỗ", "Vĩnh Thanh", "Phú Diễn", "Cửa Nam",
    ]  # fmt: skip


def test_where_many_came_of_late_fewer_of_those_counted_are_registered() -> None:
    census, before = pd.Series({"old": 1000.0, "new": 1000.0}), pd.Series({"new": 500.0, "old": 1000.0})
    registered = registered_people(census, before)
    assert registered["new"] / registered["old"] == pytest.approx(0.5**0.3)
    assert registered.sum() == pytest.approx(2000)


def test_a_commune_without_an_earlier_figure_has_changed_as_all_others_together() -> None:
    census = pd.Series({"A": 600.0, "B": 900.0, "C": 300.0, "D": 300.0, "silent": np.nan})
    before = pd.Series({"A": 400.0, "B": 600.0, "C": 0.0, "silent": 100.0})  # of D nothing is known
    registered = registered_people(census, before)
    assert registered.dropna().tolist() == pytest.approx([600, 900, 300, 300])
    assert registered.isna().tolist() == [False, False, False, False, True]


@pytest.mark.parametrize("before", [None, pd.Series({"A": np.nan, "B": 0.0})])
def test_without_an_earlier_count_people_are_those_that_were_counted(before: pd.Series | None) -> None:
    census = pd.Series({"A": 600.0, "B": 0.0})
    assert registered_people(census, before).tolist() == census.tolist()


COUNTS = st.just(0.0) | st.floats(1e-3, 1e6)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=8), st.randoms())
def test_a_register_holds_as_many_as_were_counted_in_any_order_and_none_is_beyond_belief(
    people: list[tuple[float, float]], random: Random
) -> None:
    table = pd.DataFrame(people, columns=["now", "before"], dtype=float)
    registered = registered_people(table["now"], table["before"])
    assert registered.sum() == pytest.approx(table["now"].sum())
    counted = table["now"] > 0
    ratio = registered[counted] / table["now"][counted]
    assert counted.sum() == 0 or ratio.max() / ratio.min() < 4**0.3 + 1e-9
    order = random.sample(range(len(table)), len(table))
    shuffled = registered_people(table["now"].iloc[order], table["before"])
    assert shuffled.sort_index().tolist() == pytest.approx(registered.tolist())


@given(st.lists(st.tuples(st.integers(-2, 32), st.integers(-2, 12)), min_size=1, max_size=40), st.booleans())
def test_streets_are_gathered_as_a_tree_of_points_would_gather_them(grid: list[tuple[int, int]], some: bool) -> None:
    pieces = row_of_pieces()
    free = np.array([False, True, True, some])
    homes = homes_at(*((100.0 * x, 100.0 * y, 1.0 + x % 3) for x, y in grid))
    piece, place = shapely.STRtree(shapely.points(homes.xy)).query(np.asarray(pieces.geometry)[free], "intersects")
    part = homes.km[place] / np.bincount(place, minlength=len(grid))[place]
    expected = np.bincount(np.flatnonzero(free)[piece], part, minlength=len(pieces))
    assert _street_km(pieces.geometry, homes, free) == pytest.approx(expected)
