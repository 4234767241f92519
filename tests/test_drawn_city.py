"""A drawn city of Hanoi's proportions, merged here and by geopandas; ``benchmarks.merge`` draws larger ones alike."""

import geopandas as gpd
import numpy as np
import pytest

from benchmarks.merge import DIVIDED, Case, draw_case
from geo.merge.audit import breaches
from geo.merge.boundaries import Merge, merge_communes

N = 80


@pytest.fixture(scope="module")
def case() -> Case:
    return draw_case(N)


@pytest.fixture(scope="module")
def merged(case: Case) -> Merge:
    return merge_communes(case.communes, case.clauses, case.units)


def test_as_many_communes_are_divided_as_in_hanoi(case: Case) -> None:
    divided = case.clauses["commune_id"].duplicated(keep=False)
    assert case.clauses.loc[divided, "commune_id"].nunique() / N == pytest.approx(DIVIDED, abs=0.05)


def test_geopandas_finds_the_same_pieces(case: Case, merged: Merge) -> None:
    peer = gpd.overlay(
        case.communes.reset_index(), case.units[["geometry"]].reset_index(), how="intersection", keep_geom_type=True
    )
    peer = peer.assign(km2=peer.area / 1e6).set_index(["commune_id", "unit_id"])["km2"]
    pieces = merged.pieces.assign(km2=merged.pieces.area / 1e6).set_index(["commune_id", "unit_id"])["km2"]
    assert peer.reindex(pieces.index).to_numpy() == pytest.approx(pieces.to_numpy(), abs=1e-6)
    assert peer.drop(pieces.index).sum() < 1e-6, "what the law does not name cannot be there"


def test_nothing_is_lost_and_nothing_breaks(case: Case, merged: Merge) -> None:
    assert merged.pieces["population"].sum() == pytest.approx(case.communes["population"].sum(), rel=1e-9)
    assert merged.pieces.area.sum() == pytest.approx(case.communes.area.sum(), rel=1e-9)
    assert breaches(merged.audit).empty


def test_the_order_of_rows_changes_no_share(case: Case, merged: Merge) -> None:
    order = np.random.default_rng(1).permutation(len(case.clauses))
    clauses = case.clauses.iloc[order].reset_index(drop=True)
    shuffled = merge_communes(case.communes.iloc[::-1], clauses, case.units.iloc[::-1]).pieces
    keys, columns = ["commune_id", "unit_id"], ["area_share", "population_share", "population"]
    ours, theirs = (frame.set_index(keys)[columns].sort_index() for frame in (merged.pieces, shuffled))
    assert theirs.to_numpy() == pytest.approx(ours.to_numpy(), rel=1e-9)
