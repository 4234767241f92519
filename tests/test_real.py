"""The whole chain on real files: official units, real communes and roads, with the embedded inventory."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from geo import Params, Plan, Settings, load_city, make_plan

REAL = Path(__file__).parents[2] / "shared" / "data" / "hanoi"
EMBEDDED = Path(__file__).parents[1] / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason="real files of Hanoi are not here (shared/data/hanoi)"),
]


def real_folder(folder: Path) -> Path:
    """Write the real files, with the embedded clauses and inventory, into `folder`."""
    for name in ("boundaries", "buildings", "network"):
        (folder / name).mkdir()
    shutil.copy(REAL / "communes_pre2025.geojson", folder / "boundaries" / "communes.geojson")
    shutil.copy(REAL / "units_2025.geojson", folder / "boundaries" / "units.geojson")
    shutil.copy(EMBEDDED / "facts" / "clauses_1656.csv", folder / "boundaries" / "clauses.csv")
    shutil.copy(EMBEDDED / "buildings" / "inventory.csv", folder / "buildings")
    shutil.copy(REAL / "osm" / "hanoi_inner_roads.osm.pbf", folder / "network")
    return folder


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, shared_settings: Settings) -> Plan:
    folder = real_folder(tmp_path_factory.mktemp("real"))
    return make_plan(load_city(folder, settings=shared_settings), Params(), settings=shared_settings)


def test_the_official_polygons_are_the_units_and_nothing_overlaps(plan: Plan) -> None:
    audit = plan.city.audit.set_index("check")
    assert audit.loc[["overlap_km2", "gap_km2", "population_lost_share"], "passed"].all()
    assert set(plan.city.pieces["method"]) == {"whole", "official"}
    assert plan.city.modelled == ("buildings",), "only the inventory is"


def test_every_unit_is_planned_and_those_without_roads_are_named(plan: Plan) -> None:
    assert (plan.units["n_sites"] >= 1).all()
    coverage = pd.read_csv(REAL / "osm" / "coverage_by_unit.csv").set_index("name")["km_per_km2"]
    names = plan.units.loc[plan.totals["units_without_network"], "name"]
    assert 60 <= len(names) <= 77
    assert coverage.reindex(names).max() < 6, "a unit with a dense network has travel times"
    listed = next(note for note in plan.notes if note.key == "units_without_network").values["units"]  # noqa: PD011
    assert all(name in listed for name in names)


def test_where_roads_are_whole_nearly_everybody_has_a_travel_time(plan: Plan) -> None:
    coverage = pd.read_csv(REAL / "osm" / "coverage_by_unit.csv").set_index("name")["km_per_km2"]
    dense = plan.units[plan.units["name"].map(coverage) > 9]
    assert len(dense) > 40
    assert (dense["unreachable_population"] / dense["population"]).max() < 0.1
    assert dense["mean_time_min"].between(0.5, 15).all()
