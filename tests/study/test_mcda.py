import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo.city import City
from geo.params import Params
from geo.plan import make_plan
from geo.settings import Settings
from geo.study.mcda import METHODS, PREFERENCE, best_option, compare_methods

figures = st.integers(2, 6).flatmap(lambda n: arrays(float, (n, 4), elements=st.integers(0, 20).map(lambda i: i / 20)))
four_weights = arrays(float, 4, elements=st.integers(1, 10).map(lambda i: i / 10))


def topsis_by_hand(rows: list[list[float]], weights: list[float]) -> list[float]:
    weighted = [[w * x for w, x in zip(weights, row, strict=True)] for row in rows]
    best, worst = [max(c) for c in zip(*weighted, strict=True)], [min(c) for c in zip(*weighted, strict=True)]
    values = []
    for row in weighted:
        to_best, to_worst = math.dist(row, best), math.dist(row, worst)
        values.append(to_worst / (to_best + to_worst) if to_best + to_worst > 0 else 0.0)
    return values


def promethee_by_hand(rows: list[list[float]], weights: list[float]) -> list[float]:
    def preferred(a: list[float], b: list[float]) -> float:
        return sum(w * min(1.0, max(0.0, x - y) / PREFERENCE) for w, x, y in zip(weights, a, b, strict=True))

    return [sum(preferred(a, b) - preferred(b, a) for b in rows) / (len(rows) - 1) for a in rows]


def sum_by_hand(rows: list[list[float]], weights: list[float]) -> list[float]:
    return [sum(w * x for w, x in zip(weights, row, strict=True)) for row in rows]


BY_HAND = {"weighted_sum": sum_by_hand, "topsis": topsis_by_hand, "promethee": promethee_by_hand}


@pytest.mark.parametrize("method", list(METHODS))
@given(rows=figures, weights=four_weights)
def test_each_method_puts_first_what_its_formula_puts_first(method: str, rows: np.ndarray, weights: np.ndarray) -> None:
    values = np.round(BY_HAND[method](rows.tolist(), (weights / weights.sum()).tolist()), 8)
    found = best_option(method, rows, weights)
    assert values[found] == pytest.approx(values.max(), abs=1e-7)


@pytest.mark.parametrize("method", list(METHODS))
def test_what_is_best_in_everything_is_first_and_of_equal_ones_the_first(method: str) -> None:
    rows = np.array([[0.4, 0.4, 0.4, 0.4], [0.5, 0.9, 0.5, 0.5], [0.5, 0.9, 0.5, 0.5]])
    assert best_option(method, rows, np.full(4, 0.25)) == 1
    assert best_option(method, rows[1:], np.full(4, 0.25)) == 0


def test_the_methods_can_disagree() -> None:
    """One option leads by far in one criterion, the other by a little in two: only the sum is carried away."""
    rows = np.array([[1.0, 0.5, 0.5], [0.2, 0.7, 0.7], [0.1, 0.5, 0.5]])
    assert best_option("weighted_sum", rows, np.array([1.0, 1.0, 1.0])) == 0
    assert best_option("promethee", rows, np.array([1.0, 1.0, 1.0])) == 1


def test_the_weighted_sum_is_the_plan(embedded_city: City, shared_settings: Settings) -> None:
    plan = make_plan(embedded_city, Params(), settings=shared_settings)
    units, sites = compare_methods(plan, settings=shared_settings)
    assert units["weighted_sum"].tolist() == units["chosen"].tolist(), "pymcdm's sum chooses what we choose"
    assert (units["weighted_sum_loses"] == 0).all()
    assert (units[["topsis_loses", "promethee_loses"]] >= 0).all(axis=None)
    assert units["n_choices"].between(1, 3).all()
    assert (units["agree"] == (units["n_choices"] == 1)).all()
    assert set(sites["unit_id"]) == set(units.index[~units["agree"]])
    for name in METHODS:
        assert units[name].str.count(r"\+").add(1).tolist() == units["n_sites"].tolist()
