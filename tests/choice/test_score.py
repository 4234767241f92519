import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.choice.need import UnitNeed
from geo.choice.score import (
    CONDITION_COLUMNS,
    Options,
    build_options,
    fill_unknown,
    pair_criteria,
    site_criteria,
    weighted_score,
)
from geo.city import City
from geo.params import CRITERIA, ChoiceParams, Norms, Params, ScoreParams, Weights
from geo.plan import prepare
from geo.settings import Settings
from geo.travel.access import TravelTimes, UnitTimes

NORMS = Norms()


def test_the_score_is_the_weighted_mean_of_what_is_known() -> None:
    criteria = np.array([[1.0, 0.5, 0.0, 0.2], [1.0, 0.5, np.nan, np.nan], [np.nan] * 4])
    scores = weighted_score(criteria, Weights(location=0.4, size=0.2, access=0.2, conditions=0.2))
    assert scores[:2].tolist() == pytest.approx([0.54, (0.4 + 0.1) / 0.6])
    assert np.isnan(scores[2])


share = st.floats(0, 1)
row = st.lists(share, min_size=4, max_size=4)


@given(row, st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.floats(0.01, 1))
def test_scaling_all_weights_changes_nothing(criteria: list, weights: list, factor: float) -> None:
    names = dict(zip(CRITERIA, weights, strict=True))
    scaled = {name: value * factor for name, value in names.items()}
    one, other = (weighted_score(np.array([criteria]), Weights(**values))[0] for values in (names, scaled))
    assert one == pytest.approx(other, abs=2e-9)


@given(row, st.integers(0, 3), share)
def test_a_building_never_loses_by_being_better(criteria: list, which: int, gain: float) -> None:
    better = [min(1.0, value + gain) if place == which else value for place, value in enumerate(criteria)]
    scores = weighted_score(np.array([criteria, better]), Weights())
    assert scores[1] >= scores[0] - 1e-9


def test_every_criterion_of_every_building_lies_between_0_and_1(toy_city: City, settings: Settings) -> None:
    criteria = prepare(toy_city, Params(), settings=settings).criteria[[f"{name}_0_1" for name in CRITERIA]]
    assert ((criteria >= 0) & (criteria <= 1) | criteria.isna()).all(axis=None)
    assert criteria.loc["S4", ["size_0_1", "conditions_0_1"]].isna().all(), "what is not known is shown as such"


def test_an_unknown_figure_counts_as_a_fixed_low_one() -> None:
    criteria = pd.DataFrame(
        {
            "usable_area_m2": [100.0, np.nan],
            "conditions_0_1": np.nan,
            "size_0_1": np.nan,
            "state_0_1": [0.4, np.nan],
            "age_0_1": [0.8, 0.9],
            "hall_0_1": np.nan,
            "parking_0_1": [0.6, np.nan],
        },
        index=["a", "b"],
    )
    filled = fill_unknown(criteria, pd.Series({"a": 1000.0, "b": 800.0}), ScoreParams(unknown_0_1=0.3))
    names = ["usable_area_m2", "size_0_1", "state_0_1", "hall_0_1", "conditions_0_1"]
    assert filled.loc["a", names].tolist() == pytest.approx([100, 0.1, 0.4, 0.3, (0.4 + 0.8 + 0.3 + 0.6) / 4])
    assert filled.loc["b", names].tolist() == pytest.approx([240, 0.3, 0.3, 0.3, (0.3 + 0.9 + 0.3 + 0.3) / 4])


def test_size_is_the_share_of_the_norm_and_usable_area_is_estimated_from_the_floor(
    toy_city: City, settings: Settings
) -> None:
    prepared = prepare(toy_city, Params(), settings=settings)
    assert prepared.criteria.loc["S2", "usable_area_m2"] == pytest.approx(500 * 0.75)
    unit = toy_city.sites.loc["S2", "unit_id"]
    assert prepared.criteria.loc["S2", "size_0_1"] == pytest.approx(375 / prepared.needs.loc[unit, "need_m2"])


def test_the_pair_adds_the_areas_and_pays_for_working_in_two_houses(toy_city: City, settings: Settings) -> None:
    params = Params()
    options = prepare(toy_city, params, settings=settings).options
    pairs = np.flatnonzero(options.is_pair)
    assert len(pairs) == 6, "E has three buildings, W has one; either of a pair may receive"
    assert (options.penalty[pairs] >= params.choice.split_penalty).all()
    both = {"S2", "S3"}
    pair = next(p for p in pairs if {options.site_ids[options.first[p]], options.site_ids[options.second[p]]} == both)
    assert options.usable_area_m2[pair] == pytest.approx(375 + 1875)


#: 60 people need 1,000 m2: 40 of them, who need 600, work where the citizens are received.
TWO_ROLES = UnitNeed(committee_staff=40.0, committee_m2=600.0, party_staff=20.0, party_m2=400.0)
UNIT_NEED = ["committee_staff", "committee_need_m2", "party_staff", "party_need_m2"]


def two_houses(reception: str, between_min: float = 10.0) -> Options:
    """Return the options of a unit whose people live by the one or by the other of two houses."""
    unit = UnitTimes(
        site_ids=("a", "b"),
        population=np.array([60.0, 40.0]),
        minutes=np.array([[3.0, 15.0], [15.0, 3.0]]),
        reason=np.zeros((2, 2), np.uint8),
        between_min=np.array([[0.0, between_min], [between_min, 0.0]]),
    )
    sites = pd.Index(["a", "b"], name="site_id")
    half = pd.Series(0.5, index=sites)
    times = TravelTimes(demand=None, units={"U": unit}, frontage_0_1=half, centrality_0_1=half)
    criteria = pd.DataFrame(
        {
            "usable_area_m2": [300.0, 500.0],
            "location_0_1": [0.6, 0.8],
            "size_0_1": [0.3, 0.5],
            "access_0_1": [0.6 * 0.9 + 0.4 * 0.5, 0.6 * 0.5 + 0.4 * 0.9],
            "conditions_0_1": [0.75, 0.2],
            "state_0_1": [1.0, 0.2],
            "age_0_1": [1.0, 0.2],
            "hall_0_1": [0.6, 0.3],
            "parking_0_1": [0.4, 0.1],
        },
        index=sites,
    )
    return build_options(
        criteria,
        criteria["usable_area_m2"],
        pd.Index(["U"]),
        times,
        pd.DataFrame({"U": TWO_ROLES}, index=UNIT_NEED).T,
        score=ScoreParams(access_zero_min=30),
        choice=ChoiceParams(reception=reception),
        cutoff_min=180,
    )


def test_citizens_go_to_the_receiving_house_or_to_the_nearer_of_two() -> None:
    committee, both = two_houses("committee_site"), two_houses("both_sites")
    location, size, access, conditions = range(4)
    assert committee.site_ids[committee.first[2]] == "a", "it has the better access, so it receives"
    state = (2 * 1.0 + 0.2) / 3  # two of three people work in a
    assert committee.criteria[2].tolist() == pytest.approx([0.6, 0.7, 0.74, (state + state + 0.6 + 0.4 * 1.5) / 4])
    assert committee.site_ids[committee.first[3]] == "b", "the other way round is a choice too"
    state = (2 * 0.2 + 1.0) / 3
    assert committee.criteria[3].tolist() == pytest.approx([0.8, 0.8, 0.66, (state + state + 0.3 + 0.1 * 1.5) / 4])
    assert both.criteria[2, access] == pytest.approx(0.9), "everybody lives 3 minutes from one of them"
    assert both.criteria[2, location] == pytest.approx(0.8)
    assert both.criteria[2, size] == committee.criteria[2, size]
    state = (2 * 1.0 + 0.2) / 3
    assert both.criteria[2, conditions] == pytest.approx((state + state + 0.6 + 0.5) / 4), "the parking of both"
    for name in (location, access):
        assert both.criteria[3, name] == pytest.approx(both.criteria[2, name]), "whoever houses the committee"
    assert committee.buildings.tolist() == both.buildings.tolist()
    assert len(set(committee.buildings)) == 3


@pytest.mark.parametrize(
    ("areas", "shares"),
    [
        ((600, 400), (1.0, 0.8)),  # each fits one role; the other way round 400 of 600 and 400 of 400
        ((1000, 0), (0.6, 0.4)),  # a large house and an empty one are not two houses
        ((300, 2000), (0.7, 0.9)),  # 300 + 400; 600 + 300
        ((700, 500), (1.0, 0.9)),
    ],
)
def test_too_much_room_in_one_house_of_a_pair_does_not_fill_the_lack_in_the_other(
    areas: tuple[float, float], shares: tuple[float, float]
) -> None:
    area, ones = np.array(areas, float), np.ones((2, 4))
    pairs = pair_criteria(ones, area, ones, np.array([0, 1]), np.array([1, 0]), TWO_ROLES, both=False)
    assert pairs[:, CRITERIA.index("size")].tolist() == pytest.approx(shares)


def test_the_hall_and_the_parking_of_a_pair_are_those_of_the_committee() -> None:
    parts = np.array([[1.0, 1.0, 0.9, 0.5], [1.0, 1.0, 0.1, 1.0]])
    pairs = pair_criteria(
        np.ones((2, 4)), np.array([900.0, 900]), parts, np.array([0, 1]), np.array([1, 0]), TWO_ROLES, both=False
    )
    expected = [(1 + 1 + 0.9 + 0.75) / 4, (1 + 1 + 0.1 + 1) / 4]  # parking for 30 of 60 people is for 30 of the 40 here
    assert pairs[:, CRITERIA.index("conditions")].tolist() == pytest.approx(expected)


def test_houses_with_no_way_between_them_pay_more_than_distant_ones() -> None:
    near, far, apart = (two_houses("committee_site", minutes).penalty[2] for minutes in (5.0, 60.0, np.inf))
    assert near < far < apart
    assert near == pytest.approx(0.02 + 5 * 0.002)


def scored_unit(sites: pd.DataFrame, minutes: np.ndarray, score: ScoreParams, choice: ChoiceParams) -> Options:
    """Return the options of one unit of 60 staff, from the inventory on."""
    n_people, n = minutes.shape
    unit = UnitTimes(
        site_ids=tuple(sites.index),
        population=np.arange(1.0, n_people + 1),
        minutes=minutes,
        reason=np.zeros(minutes.shape, np.uint8),
        between_min=np.full((n, n), 4.0),
    )
    central = pd.Series(np.linspace(0.1, 0.9, n), index=sites.index)  # S0 lies worst
    times = TravelTimes(demand=None, units={"U": unit}, frontage_0_1=central, centrality_0_1=central)
    need, staff = pd.Series({"U": 1000.0}), pd.Series({"U": 60.0})
    criteria = site_criteria(sites, None, times, need, staff, score=score, norms=NORMS)
    filled = fill_unknown(criteria, pd.Series(1000.0, index=sites.index), score)
    index = pd.Index(["U"])
    needs = pd.DataFrame({"U": TWO_ROLES}, index=UNIT_NEED).T
    return build_options(
        filled, criteria["usable_area_m2"], index, times, needs, score=score, choice=choice, cutoff_min=180
    )


@pytest.mark.parametrize("reception", ["committee_site", "both_sites"])
@given(data=st.data())
def test_no_choice_with_a_building_loses_by_the_building_being_better(reception: str, data: st.DataObject) -> None:
    """From the inventory on, with gaps in it: more area, hall, parking, a better state, a later year, shorter ways."""
    n = data.draw(st.integers(1, 4))
    draw = np.random.default_rng(data.draw(st.integers(0, 9999)))
    sites = pd.DataFrame(
        {
            "unit_id": "U",
            "kind": "commune_office",
            "usable_area_m2": draw.integers(50, 900, n).astype(float),
            "floor_area_m2": np.nan,
            "condition": draw.choice(["poor", "fair", "good"], n),
            "year_built": draw.integers(1970, 2020, n).astype(float),
            "hall_seats": draw.integers(0, 120, n).astype(float),
            "parking_area_m2": draw.integers(0, 300, n).astype(float),
        },
        index=pd.Index([f"S{i}" for i in range(n)], name="site_id"),
    )
    minutes = draw.uniform(1, 40, (6, n))
    figure = data.draw(st.sampled_from([*CONDITION_COLUMNS, "usable_area_m2", "minutes"]))
    kept = sites[figure]["S0"] if figure in sites else None
    for name in (*CONDITION_COLUMNS, "usable_area_m2"):
        sites[name] = sites[name].mask(draw.random(n) < 0.4)
    if kept is not None:
        sites.loc["S0", figure] = kept
    better, shorter = sites.copy(), minutes.copy()
    if figure == "minutes":
        shorter[:, 0] *= 0.6
    elif figure == "condition":
        better.loc["S0", "condition"] = "good"
    else:
        better.loc["S0", figure] += data.draw(st.integers(1, 600))
    score = ScoreParams(access_of=data.draw(st.sampled_from(["mean", "worst_5_percent"])))
    weights = Weights(**{name: data.draw(st.integers(1, 9)) / 10 for name in CRITERIA})
    before, after = (
        best_by_buildings(scored_unit(table, times, score, ChoiceParams(reception=reception)), weights)
        for table, times in ((sites, minutes), (better, shorter))
    )
    for key, value in before.items():
        if 0 in key:
            assert after[key] >= value - 2e-9, key
        else:
            assert after[key] == pytest.approx(value, abs=2e-9), "the others stay as they are"


def best_by_buildings(options: Options, weights: Weights) -> dict[frozenset[int], float]:
    """Return the best score of each set of buildings, whoever of them receives the citizens."""
    best: dict[frozenset[int], float] = {}
    for first, second, value in zip(options.first, options.second, options.scores(weights), strict=True):
        key = frozenset({int(first), int(second)} - {-1})
        best[key] = max(best.get(key, -1.0), float(value))
    return best
