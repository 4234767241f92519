import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from geo.choice.choose import choose_sites
from geo.choice.robust import draw_weights, halton, try_weights, weight_ranges
from geo.choice.score import Options
from geo.city import City
from geo.errors import InfeasibleError
from geo.params import CRITERIA, ChoiceParams, ConstraintParams, RobustnessParams, Weights
from geo.plan import make_plan
from geo.settings import Settings
from tests.choices import SmallCity, small_city
from tests.test_plan import SMALL, streets_of

weights = st.builds(Weights, **{name: st.integers(1, 10).map(lambda n: n / 10) for name in CRITERIA})
cities = st.builds(
    lambda sizes, seed: with_criteria(small_city(sizes, np.random.default_rng(seed)), seed),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(0, 10_000),
)


def with_criteria(city: SmallCity, seed: int) -> SmallCity:
    """Return the city with criteria of one decimal, so that equal ones occur."""
    draw = np.random.default_rng(seed)
    n = len(city.options.unit)
    options = dataclasses.replace(
        city.options,
        criteria=draw.integers(0, 11, (n, 4)) / 10,
        penalty=np.where(city.options.is_pair, draw.integers(0, 3, n) / 20, 0.0),
    )
    return dataclasses.replace(city, options=options)


@given(cities, weights, st.integers(0, 3), st.sampled_from([None, 1]))
def test_many_weightings_at_once_choose_as_one_by_one(
    city: SmallCity, given_weights: Weights, extra: int, offices: int | None
) -> None:
    choice = ChoiceParams(max_sites=len(city.options.unit_ids) + extra)
    limits = city.limits(choice, ConstraintParams(max_district_offices=offices))
    wanted = RobustnessParams(n_weightings=20)
    options, people = city.options, city.population
    try:
        own = choose_sites(options, options.scores(given_weights), people, choice, limits=limits)
    except InfeasibleError:
        return
    found = try_weights(options, own.chosen, given_weights, people, choice, wanted, limits=limits)
    rows = []
    for drawn in draw_weights(given_weights, wanted):
        scores = options.scores(Weights(**dict(zip(CRITERIA, drawn.tolist(), strict=True))))
        rows.append(choose_sites(options, scores, people, choice, limits=limits).chosen)
    assert found.win_share == pytest.approx((np.array(rows) == own.chosen).mean(axis=0))
    pairs = options.is_pair[np.array(rows)]
    assert found.same_number_share == pytest.approx((pairs == options.is_pair[own.chosen]).mean(axis=0))
    assert found.site_share.sum() * found.n_draws == pytest.approx((1 + pairs).sum())
    assert found.firm.tolist() == (found.win_share >= 0.8).tolist()


def test_the_halton_sequence_is_that_of_scipy() -> None:
    np.testing.assert_array_equal(halton(3000, 4), qmc.Halton(d=4, scramble=False).random(3000))


def test_the_draws_stay_within_the_spread_and_are_always_the_same() -> None:
    own = Weights(location=0, size=0.4, access=0.4, conditions=0.2)
    drawn = draw_weights(own, RobustnessParams(n_weightings=500, spread=0.5))
    assert drawn.sum(axis=1) == pytest.approx(np.ones(500))
    assert (drawn[:, 0] == 0).all(), "what has no weight gets none"
    assert (drawn[:, 1] / drawn[:, 2]).min() > 1 / 3 - 1e-9
    assert (drawn[:, 1] / drawn[:, 2]).max() < 3 + 1e-9
    np.testing.assert_array_equal(drawn, draw_weights(own, RobustnessParams(n_weightings=500, spread=0.5)))


@given(cities, weights)
def test_the_choice_holds_inside_its_weight_range_and_falls_outside(city: SmallCity, given_weights: Weights) -> None:
    options = city.options
    rows = np.flatnonzero((options.unit == 0) & ~options.is_pair)
    best = int(rows[options.scores(given_weights)[rows].argmax()])
    for found in weight_ranges(options, best, rows[rows != best], given_weights):
        assert found.low <= found.now <= found.high

        def lead(value: float, name: str = found.criterion) -> float:
            scores = score_at(options, given_weights, name, value)
            return float(scores[best] - scores[rows].max())

        assert lead(max(found.low, 1e-9)) >= -1e-6
        assert lead(found.high) >= -1e-6
        for end, taker, step in ((found.low, found.below, -0.01), (found.high, found.above, 0.01)):
            if taker >= 0:
                scores = score_at(options, given_weights, found.criterion, end)
                assert scores[taker] == pytest.approx(scores[best], abs=1e-9), "the one that takes over ties there"
            if taker >= 0 and end + step >= 0:
                assert lead(end + step) < 0


def score_at(options: Options, own: Weights, name: str, value: float) -> np.ndarray:
    figures = np.array([value if name == other else getattr(own, other) for other in CRITERIA])
    return options.criteria @ figures / figures.sum() - options.penalty


def test_a_building_that_was_not_chosen_changes_nothing_when_it_goes(toy_city: City, settings: Settings) -> None:
    """No rank reversal: the order of the others does not hang on an irrelevant alternative."""
    city = dataclasses.replace(toy_city, network=streets_of(toy_city), digest="toy-with-streets")
    plan = make_plan(city, SMALL.with_values({"choice.max_sites": 2}), settings=settings)
    known = plan.sites["usable_area_m2"].notna() & plan.sites["conditions_0_1"].notna()
    idle = plan.sites.index[~plan.sites["chosen"] & known]
    assert len(idle)
    for site_id in idle:
        fewer = dataclasses.replace(city, sites=city.sites.drop(index=site_id), digest=f"without-{site_id}")
        again = make_plan(fewer, SMALL.with_values({"choice.max_sites": 2}), settings=settings)
        assert again.units["site_id_1"].tolist() == plan.units["site_id_1"].tolist()


def test_every_unit_of_a_plan_is_labelled(toy_city: City, settings: Settings) -> None:
    plan = make_plan(toy_city, SMALL, settings=settings)
    assert set(plan.units["firmness"]) <= {"firm", "contestable"}
    firm = plan.units["win_share"] >= SMALL.robustness.firm_share
    pd.testing.assert_series_equal(firm, plan.units["firmness"] == "firm", check_names=False)
    coupled = make_plan(toy_city, SMALL.with_values({"constraints.max_district_offices": 0}), settings=settings)
    assert (coupled.optimality["solver"] == "milp") == (coupled.units["firmness"] == "").all()


def test_of_buildings_that_are_equal_in_everything_the_first_wins_every_draw() -> None:
    city = small_city([3])
    options = dataclasses.replace(city.options, criteria=np.full((6, 4), 0.5), penalty=np.full(6, 0.1))
    choice, wanted = ChoiceParams(max_sites=1), RobustnessParams(n_weightings=10)
    own = choose_sites(options, options.scores(Weights()), city.population, choice)
    assert own.chosen.tolist() == [0]
    assert try_weights(options, own.chosen, Weights(), city.population, choice, wanted).win_share.tolist() == [1.0]


def test_a_cap_of_the_city_holds_in_every_draw() -> None:
    """Both units prefer their district office under any weights, and only one may be kept."""
    city = small_city([2, 2])
    city.sites["kind"] = ["district_office", "commune_office"] * 2
    good = np.array([0.9, 0.5, 0.1, 0.9, 0.5, 0.1])
    options = dataclasses.replace(city.options, criteria=np.repeat(good[:, None], 4, axis=1))
    choice, wanted = ChoiceParams(max_sites=2), RobustnessParams(n_weightings=10)
    limits = city.limits(choice, ConstraintParams(max_district_offices=1))
    own = choose_sites(options, options.scores(Weights()), city.population, choice, limits=limits)
    found = try_weights(options, own.chosen, Weights(), city.population, choice, wanted, limits=limits)
    assert found.site_share[[0, 2]].sum() == pytest.approx(1.0)
    assert found.win_share.tolist() == [1.0, 1.0]
