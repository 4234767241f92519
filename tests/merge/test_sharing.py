"""The other ways to share people, and the pooling that judges them, in ``benchmarks``."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.population import misplaced_pct, pool_communes
from benchmarks.sharing import (
    Classes,
    Grid,
    Streets,
    _expect,
    _krige,
    _level_out,
    by_distance,
    by_neighbours,
    evenly,
    land,
)
from geo import Settings, load_city
from geo.merge.population import Homes, find_homes, share_population
from tests.merge.test_population import PEOPLE, homes_at, row_of_pieces
from tests.roads import CRS, ORIGIN
from tests.test_real import REAL, real_folder

# The row of tests.merge.test_population: A, 400 people; B, 1000, divided at its middle; C, 4000.

#: A street of 8 km in A, in each half of B and in C, so that all are mapped.
STREETS = homes_at((500, 550, 8.0), (1250, 550, 8.0), (1750, 550, 8.0), (2500, 550, 8.0))
WAYS = {
    "evenly": evenly(land),
    "neighbours": by_neighbours(Streets(STREETS)),
    "distance": by_distance(Streets(STREETS)),
    "grid": Grid(STREETS),
    "classes": by_neighbours(Classes({"all": STREETS})),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("second", ["remainder", "part_area_only"])
def test_each_way_hands_out_all_people_and_none_to_empty_land(name: str, second: str) -> None:
    pieces = row_of_pieces(("whole", "part", second, "whole"))
    share = WAYS[name](pieces, PEOPLE)
    assert share.groupby(pieces["commune_id"]).sum().to_numpy() == pytest.approx(1)
    assert share.index.equals(pieces.index)
    if second == "part_area_only":
        assert share[2] == 0


@pytest.mark.parametrize("name", ["neighbours", "distance", "grid"])
def test_the_part_towards_the_dense_neighbour_is_the_denser(name: str) -> None:
    share = WAYS[name](row_of_pieces(), PEOPLE)
    assert share[2] > 0.52 > share[1]


def test_people_follow_streets_where_density_is_the_same() -> None:
    homes = homes_at((1250, 500, 12.0), (1750, 500, 2.0))
    share = evenly(Streets(homes))(row_of_pieces(), PEOPLE)
    assert share[1] == pytest.approx((12 + 2) / (14 + 4)), "4 km unseen on each km2, and half a km2 on each side"


@given(
    st.lists(st.floats(10, 5000), min_size=2, max_size=2),
    st.lists(st.tuples(st.floats(1, 20), st.floats(1, 20)), min_size=4, max_size=12, unique=True),
)
def test_the_likeliest_densities_explain_people_that_have_such(
    densities: list[float], amounts: list[tuple[float, float]]
) -> None:
    people = np.array(amounts) @ densities
    found = np.array(amounts) @ _expect(np.array(amounts), people)
    assert found.sum() == pytest.approx(people.sum())
    assert found == pytest.approx(people, rel=0.25)


def test_kriging_meets_the_known_means_and_forgets_them_far_away() -> None:
    xy = np.array([[0.0, 0.0], [1000.0, 0.0], [500.0, 0.0], [90_000.0, 0.0]])
    weight = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    level = _krige(xy, weight, np.array([1.0, 3.0]))
    assert level[2] == pytest.approx(2)
    assert level[3] == pytest.approx(2, abs=1e-6)
    assert 1 < level[0] < 1.4 < 2.6 < level[1] < 3


def test_a_surface_on_a_grid_keeps_the_people_of_each_owner() -> None:
    owner = np.repeat([[0, 0, 0, 1, 1, 1]], 3, axis=0)
    follow = np.where(np.arange(18).reshape(3, 6) == 17, 0.0, 1.0)
    density = _level_out(follow, owner, np.array([90.0, 9000.0, 0.0]))
    west, east = (density * follow)[:, :3], (density * follow)[:, 3:]
    assert (west.sum(), east.sum()) == pytest.approx((90, 9000))
    assert (np.diff(west.sum(axis=0)) > 0).all(), "people thin out away from the dense side"
    assert density[2, 5] == 0, "nobody where there is nothing to follow"


def row_of_communes(people: list[float], *, districts: str) -> gpd.GeoDataFrame:
    """Return squares of 1 km2 in a row, each in a district named by a letter."""
    x, y = ORIGIN
    shapes = [shapely.box(x + 1000 * i, y, x + 1000 * (i + 1), y + 1000) for i in range(len(people))]
    index = [f"{i}" for i in range(len(people))]
    return gpd.GeoDataFrame(
        {"district_id": list(districts), "population": people}, geometry=shapes, crs=CRS, index=index
    )


@given(st.text("ab", min_size=1, max_size=9), st.integers(0, 99))
def test_only_neighbours_of_one_district_are_pooled_and_only_two(districts: str, seed: int) -> None:
    communes = row_of_communes([100.0] * len(districts), districts=districts)
    pieces = pool_communes(communes, seed=seed)
    for name, pool in pieces.groupby("commune_id"):
        assert len(pool) <= 2
        assert str(name) in communes.index[pool.index]
        assert (pool["relation"] == ("part" if len(pool) == 2 else "whole")).all()
        assert pool.index.max() - pool.index.min() == len(pool) - 1, "neighbours in the row"
        assert len({districts[i] for i in pool.index}) == 1


def test_misplaced_people_are_counted_once() -> None:
    pieces = pool_communes(row_of_communes([100.0, 300.0, 50.0], districts="aab"), seed=0)
    assert pieces["commune_id"].nunique() == 2

    def truth(pieces: gpd.GeoDataFrame, people: pd.Series) -> pd.Series:
        return pieces["people"] / people.reindex(pieces["commune_id"]).to_numpy()

    assert misplaced_pct(truth, [pieces]) == 0
    assert misplaced_pct(evenly(land), [pieces]) == pytest.approx(25), "100 of 400 people stand in the wrong half"


def test_no_streets_at_all_leave_the_land() -> None:
    nowhere = Homes(xy=np.empty((0, 2)), km=np.empty(0))
    assert evenly(Streets(nowhere))(row_of_pieces(), PEOPLE)[1:3].tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="real files of Hanoi are not here (shared/data/hanoi)")
def test_the_census_itself_finds_the_density_around_better_than_land_and_no_other_way_much_better(
    tmp_path: Path, shared_settings: Settings
) -> None:
    city = load_city(real_folder(tmp_path), settings=shared_settings)
    assert city.network is not None
    homes = find_homes(city.network, crs=city.crs)
    pools = [pool_communes(city.communes, seed=seed) for seed in range(2)]

    def ours(pieces: gpd.GeoDataFrame, people: pd.Series) -> pd.Series:
        return share_population(pieces, people, homes=homes)["population_share"]

    found = misplaced_pct(ours, pools)
    assert found < misplaced_pct(evenly(land), pools) - 0.5
    assert found < misplaced_pct(by_distance(Streets(homes)), pools) + 0.8
