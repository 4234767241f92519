from itertools import pairwise, product

import numpy as np
import pulp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spopt.locate import PMedian

from geo.choice.choose import _Task, choose_sites, sites_only
from geo.choice.milp import TIE, Columns, least_excess, least_use, solve, undominated
from geo.errors import InfeasibleError
from geo.params import ChoiceParams, ConstraintParams
from tests.choices import SmallCity, best_by_trying, small_cities, small_city


@st.composite
def problems(draw: st.DrawFn) -> Columns:
    """Return columns with few different values, so that ties are common."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    n = sum(sizes)
    figures = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    return Columns(
        unit=np.repeat(np.arange(len(sizes)), sizes),
        value=np.array(draw(figures)) / 10,
        rank=np.concatenate([np.arange(size) for size in sizes]),
        use=np.array([draw(figures), draw(figures)], float),
        limit=np.array([draw(st.integers(0, 8)), draw(st.integers(0, 8))], float),
    )


def all_choices(columns: Columns) -> list[tuple[int, ...]]:
    rows = [np.flatnonzero(columns.unit == unit).tolist() for unit in range(int(columns.unit[-1]) + 1)]
    return list(product(*rows))


def kept(columns: Columns, picked: tuple[int, ...]) -> bool:
    return bool((columns.use[:, list(picked)].sum(axis=1) <= columns.limit + 1e-9).all())


@given(problems())
def test_the_solution_is_the_first_of_the_best_by_trying_all(columns: Columns) -> None:
    feasible = [picked for picked in all_choices(columns) if kept(columns, picked)]
    solution = solve(columns)
    if not feasible:
        assert solution is None
        return
    best = max(columns.value[list(picked)].sum() for picked in feasible)
    tied = [picked for picked in feasible if columns.value[list(picked)].sum() >= best - TIE]
    assert solution is not None
    assert tuple(solution.picked) == min(tied, key=lambda picked: tuple(columns.rank[list(picked)]))
    assert solution.gap == 0.0


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_columns_of_a_unit_does_not_matter(columns: Columns, random: object) -> None:
    order = list(range(len(columns.unit)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = np.array(sorted(order, key=lambda row: columns.unit[row]))
    first, second = solve(columns), solve(columns.take(shuffled))
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert sorted(shuffled[second.picked]) == sorted(first.picked)


@given(problems())
def test_no_optimum_is_lost_with_the_dominated_columns(columns: Columns) -> None:
    fewer = columns.take(undominated(columns.unit, columns.value, columns.use))
    whole, part = solve(columns), solve(fewer)
    assert (whole is None) == (part is None)
    if whole is not None and part is not None:
        assert part.value == pytest.approx(whole.value, abs=1e-9)


@given(problems())
def test_the_least_use_of_a_cap_is_that_of_the_best_by_trying_all(columns: Columns) -> None:
    within = [p for p in all_choices(columns) if columns.use[1, list(p)].sum() <= columns.limit[1] + 1e-9]
    expected = min((columns.use[0, list(p)].sum() for p in within), default=None)
    assert least_use(columns, 0) == (None if expected is None else pytest.approx(expected))
    uses = least_excess(columns)
    assert uses is not None
    scale = np.maximum(columns.limit, columns.use.max(axis=1)).clip(1e-12)

    def excess(use: np.ndarray) -> float:
        return float((np.maximum(0, use - columns.limit) / scale).sum())

    assert excess(uses) == pytest.approx(min(excess(columns.use[:, list(p)].sum(axis=1)) for p in all_choices(columns)))


@given(small_cities, st.integers(0, 4), st.sampled_from([0.0, 0.1]))
def test_the_integer_programme_and_the_greedy_order_choose_the_same(
    city: SmallCity, extra: int, min_gain: float
) -> None:
    choice = ChoiceParams(max_sites=len(city.options.unit_ids) + extra, min_gain=min_gain)
    greedy = choose_sites(city.options, city.scores, city.population, choice)
    task = _Task(city.options, city.scores, city.population, choice, sites_only(city.options, choice))
    solution, chosen = task.solve()
    assert greedy.method == "greedy"
    assert solution is not None
    assert solution.value == pytest.approx(greedy.objective, abs=1e-9)
    assert chosen.tolist() == greedy.chosen.tolist(), "ties too"


@pytest.mark.slow
@given(small_cities, st.integers(0, 3), st.integers(0, 3))
def test_more_of_any_budget_never_lowers_the_optimum(city: SmallCity, extra: int, n_district: int) -> None:
    n = len(city.options.unit_ids)

    def optimum(n_sites: int, offices: int, money: float) -> float:
        wanted = ConstraintParams(max_district_offices=offices, max_cost=money, cost_per_site=0, cost_per_m2=1)
        choice = ChoiceParams(max_sites=n_sites)
        value = best_by_trying(city, choice, wanted)
        if value is None:
            return -np.inf
        limits = city.limits(choice, wanted)
        return choose_sites(city.options, city.scores, city.population, choice, limits=limits).objective

    values = [optimum(n + extra, n_district, 3000)]
    values += [optimum(n + extra + 1, n_district, 3000), optimum(n + extra + 1, n_district + 1, 3000)]
    values += [optimum(n + extra + 1, n_district + 1, 5000)]
    assert all(later >= sooner - 1e-9 for sooner, later in pairwise(values))


@given(small_cities, st.integers(0, 50), st.integers(1, 20), st.integers(0, 3))
def test_a_chosen_building_that_becomes_better_stays_chosen(
    city: SmallCity, pick: int, points: int, n_district: int
) -> None:
    choice = ChoiceParams(max_sites=len(city.options.unit_ids) + 1)
    limits = city.limits(choice, ConstraintParams(max_district_offices=n_district))
    try:
        before = choose_sites(city.options, city.scores, city.population, choice, limits=limits)
    except InfeasibleError:
        return
    places = [p for row in before.chosen for p in (city.options.first[row], city.options.second[row]) if p >= 0]
    better = places[pick % len(places)]
    has_it = (city.options.first == better) | (city.options.second == better)
    scores = city.scores + np.where(has_it, points / 100, 0.0)
    after = choose_sites(city.options, scores, city.population, choice, limits=limits)
    assert has_it[after.chosen].any()
    assert after.objective >= before.objective - 1e-9


@given(small_cities, st.floats(0.01, 1000))
def test_scaling_the_weights_of_the_units_changes_nothing(city: SmallCity, factor: float) -> None:
    choice = ChoiceParams(max_sites=len(city.options.unit_ids) + 2)
    one, other = (choose_sites(city.options, city.scores, city.population * scale, choice) for scale in (1.0, factor))
    assert one.chosen.tolist() == other.chosen.tolist()


@pytest.mark.filterwarnings("ignore:.*PuLP 4.0:DeprecationWarning")
@pytest.mark.parametrize("seed", range(5))
def test_where_the_problem_is_the_p_median_spopt_finds_the_same(seed: int) -> None:
    """Access alone, as a mean, nobody beyond the limit: the best one and the best two sites of p-median."""
    draw = np.random.default_rng(seed)
    minutes, people = draw.uniform(1, 29, (12, 5)), draw.integers(1, 90, 12).astype(float)
    city = small_city([5])
    of_site = [minutes[:, p] for p in range(5)]
    nearest = [
        np.minimum(of_site[i], of_site[j] if j >= 0 else np.inf)
        for i, j in zip(city.options.first, city.options.second, strict=True)
    ]
    scores = np.array([1 - people @ time / people.sum() / 30 for time in nearest])
    for n_sites in (1, 2):
        limits = city.limits(ChoiceParams(), ConstraintParams(one_site_units=["U0"] if n_sites == 1 else []))
        made = choose_sites(city.options, scores, people[:1], ChoiceParams(), limits=limits)
        model = PMedian.from_cost_matrix(minutes, people, p_facilities=n_sites)
        model.solve(pulp.PULP_CBC_CMD(msg=False))
        opened = [p for p, sites in enumerate(model.fac2cli) if sites]
        row = made.chosen[0]
        assert sorted(p for p in (city.options.first[row], city.options.second[row]) if p >= 0) == opened
        assert model.problem.objective.value() == pytest.approx((1 - scores[row]) * 30 * people.sum())


def test_of_units_that_gain_alike_the_first_gets_its_second_site() -> None:
    """Three equal units and a budget for one pair: greedy and integer programme agree on the first."""
    city = small_city([2, 2, 2], scores=[0.5, 0.4, 0.7] * 3)
    choice = ChoiceParams(max_sites=4, unit_weight="equal")
    task = _Task(city.options, city.scores, city.population, choice, sites_only(city.options, choice))
    greedy = choose_sites(city.options, city.scores, city.population, choice)
    assert task.solve()[1].tolist() == greedy.chosen.tolist() == [2, 3, 6]


def test_a_feasible_problem_at_the_edge_of_the_tolerance_is_not_called_infeasible() -> None:
    """HiGHS did so for these figures while its presolve was on and the caps were widened by its own tolerance."""
    columns = Columns(
        unit=np.array([0, 0, 1, 2, 2, 3, 3]),
        value=np.array([0.10213121, 0.11766199, 0.27848177, 0.10617356, 0.16068341, 0.0759502, 0.11842612]),
        rank=np.array([1, 0, 0, 1, 0, 1, 0]),
        use=np.array([[1, 2, 1, 1, 2, 1, 1], [0, 1, 0, 0, 1, 0, 1]], float),
        limit=np.array([6.0, 1.0]),
    )
    solution = solve(columns)
    assert solution is not None
    assert solution.picked.tolist() == [0, 2, 4, 5]
