from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.travel.weighted import weighted_mean, weighted_quantile

KNOWN = st.integers(-1000, 1000).map(float)
UNKNOWN = st.sampled_from([np.nan, np.inf, -np.inf])
WEIGHT = st.integers(0, 1000).map(float) | st.just(np.nan)


@given(rows=st.lists(st.tuples(KNOWN | UNKNOWN, WEIGHT), max_size=20))
def test_a_mean_is_that_of_the_known_values_that_weigh_something(rows: list[tuple[float, float]]) -> None:
    counted = [(Fraction(value), Fraction(weight)) for value, weight in rows if np.isfinite(value) and weight > 0]
    values, weights = np.array(rows).reshape(-1, 2).T
    found = weighted_mean(values, weights)
    if not counted:
        assert np.isnan(found)
        return
    wanted = sum(value * weight for value, weight in counted) / sum(weight for _, weight in counted)
    assert found == pytest.approx(float(wanted), abs=1e-9)


def test_columns_are_joined_by_place_whatever_their_index() -> None:
    assert weighted_mean(pd.Series([True, False], ["a", "b"]), pd.Series([3.0, 1.0], ["b", "a"])) == 0.75


def test_a_quantile_is_the_least_value_that_enough_people_do_not_exceed() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([5.0, 90.0, 5.0])
    assert weighted_quantile(values, weights, 0.95) == 2
    assert weighted_quantile(values, weights, 0.951) == 3
    assert np.isnan(weighted_quantile(np.array([1.0, np.inf]), np.array([9.0, 1.0]), 0.95))
