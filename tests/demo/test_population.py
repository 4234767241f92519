from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.demo.boundaries import DemoBoundaries
from geo.demo.population import _fit, _round_to_sum, build_population, piece_areas, write_population
from geo.merge.population import population_shares
from tests.demo.extract import DATA

CITY = 8_807_523


@pytest.fixture(scope="module")
def boundaries() -> DemoBoundaries:
    layers = {
        name: gpd.read_file(DATA / "boundaries" / f"{name}.geojson") for name in ("communes", "districts", "units")
    }
    clauses = pd.read_csv(DATA / "boundaries" / "clauses.csv", dtype={"unit_id": str, "commune_id": str})
    return DemoBoundaries(clauses=clauses, **layers)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return pd.read_csv(DATA / "population" / "communes.csv", dtype={"commune_id": str})


def test_every_old_commune_has_people(people):
    assert len(people) == 526
    assert people["commune_id"].is_unique
    assert (people["population"] > 1000).all()
    assert set(people["data_source"]) == {"modelled"}


def test_the_city_has_as_many_people_as_its_units(people):
    units = pd.read_csv(DATA / "facts" / "units_2025.csv")
    assert people["population"].sum() == units["population"].sum() == CITY


def test_the_census_is_kept_beside_the_scaled_figure(people):
    census = pd.read_csv(DATA / "facts" / "communes_2024.csv", dtype={"code": str}).set_index("code")["population_2019"]
    assert (people.set_index("commune_id")["population_2019"] == census).all()


def test_the_units_get_their_official_figures_by_the_clauses(boundaries, people):
    pieces = piece_areas(boundaries)
    carried = population_shares(pieces) * pieces["commune_id"].map(people.set_index("commune_id")["population"])
    official = pd.read_csv(DATA / "facts" / "units_2025.csv", dtype={"code": str}).set_index("code")["population"]
    error = carried.groupby(pieces["unit_id"]).sum() / official - 1
    assert error.abs().max() < 1e-3


def test_a_rebuilt_table_equals_the_committed_one(boundaries, tmp_path):
    write_population(build_population(DATA / "facts", boundaries), tmp_path / "communes.csv")
    assert (tmp_path / "communes.csv").read_bytes() == (DATA / "population" / "communes.csv").read_bytes()


def test_fitting_a_toy_by_hand():
    # Commune 0 lies in unit 0, commune 1 in unit 1, commune 2 half in each.
    fitted = _fit(
        np.array([10.0, 10.0, 20.0]),
        np.array([40.0, 40.0]),
        share=np.array([1.0, 1.0, 0.5, 0.5]),
        unit=np.array([0, 1, 0, 1]),
        commune=np.array([0, 1, 2, 2]),
    )
    assert fitted == pytest.approx([20.0, 20.0, 40.0])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_rounding_keeps_the_sum_and_moves_nobody_by_more_than_one(values):
    numbers = np.array(values)
    total = round(float(numbers.sum()))
    whole = _round_to_sum(numbers, total)
    assert abs(int(whole.sum()) - total) == 0
    assert np.abs(whole - numbers).max() <= 1 + 1e-6
