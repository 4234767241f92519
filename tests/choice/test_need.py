import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.choice.need import area_needed_m2, is_ward, needs_of, staff_needed, titles_of, unit_needs
from geo.city import City
from geo.errors import ParamsError
from geo.params import Norms, Params
from geo.plan import make_plan
from geo.settings import Settings

NORMS = Norms()


@pytest.mark.parametrize(("staff", "m2"), [(40, 1267), (76, 2266), (152, 4375)])
def test_needed_area_is_that_of_the_worked_examples(staff: float, m2: float) -> None:
    """Decree 155/2025/ND-CP with 19 leaders and heads and 85 % common area."""
    assert area_needed_m2(pd.Series([float(staff)]), NORMS)[0] == pytest.approx(m2, abs=1)


def test_a_tiny_staff_needs_the_area_of_its_first_titles_only() -> None:
    assert area_needed_m2(pd.Series([3.0]), NORMS)[0] == pytest.approx((30 + 2 * 20) * 1.85)


def units_of(rows: list) -> pd.DataFrame:
    """Return units from (population, kind, staff)."""
    return pd.DataFrame(rows, columns=["population", "kind", "staff"]).astype({"population": float, "staff": float})


def test_the_staff_of_the_city_are_those_there_less_those_leaving_and_those_not_placed() -> None:
    assert NORMS.staff_to_house == 9536 - 876 + 253
    units = units_of([(1000, "ward", None)] * 126)
    assert staff_needed(units, NORMS).sum() == 8913
    assert set(staff_needed(units, NORMS)) == {70, 71}, "8,913 / 126 = 70.7: whole people"


def test_staff_follows_population_and_type_and_given_figures_stand() -> None:
    norms = Norms(city_staff=300, staff_leaving=20, staff_not_placed=10, base_staff=40, ward_factor=2)
    units = units_of([(3000, "ward", None), (4000, "commune", None), (5000, "ward", 110)])
    assert staff_needed(units, norms).tolist() == [40 + 60, 40 + 40, 110], "100 are left, at 6,000 : 4,000"


def test_a_ward_is_told_by_its_word_in_any_spelling() -> None:
    words = ["ward", "Phường", "PHƯỜNG", "Phu\u031bo\u031b\u0300ng", "phuong", "Xã", "commune", None, "Thị trấn"]
    assert is_ward(pd.Series(words)).tolist() == [True] * 5 + [False] * 4


def test_more_leaving_than_there_are_is_refused() -> None:
    with pytest.raises(ParamsError) as error:
        Params().with_values({"norms.city_staff": 200})
    assert "norms.staff_leaving" in str(error.value)


kinds = st.sampled_from(["ward", "commune", None])
some_units = st.lists(
    st.tuples(st.floats(0, 1e6), kinds, st.one_of(st.none(), st.integers(0, 500))), min_size=1, max_size=8
)


@given(some_units, st.integers(0, 3000), st.floats(0, 200), st.floats(0.1, 5))
def test_staff_is_whole_never_negative_and_meets_the_total(
    rows: list, total: int, base: float, ward_factor: float
) -> None:
    norms = Norms(city_staff=total + 1, staff_leaving=1, staff_not_placed=0, base_staff=base, ward_factor=ward_factor)
    units = units_of(rows)
    staff = staff_needed(units, norms)
    assert (staff >= 0).all()
    assert (staff == staff.round()).all()
    assert (staff[units["staff"].notna()] == units["staff"].dropna()).all()
    if units["staff"].isna().any():
        assert staff.sum() == max(total, units["staff"].sum())


@given(some_units, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 12), st.integers(0, 12))
def test_the_two_roles_add_up_to_the_unit(
    rows: list, deputies: float, heads: float, specialists: float, n_deputies: int, n_heads: int
) -> None:
    norms = Norms(
        party_deputies_share=deputies,
        party_heads_share=heads,
        party_specialists_share=specialists,
        n_deputies_and_chairs=n_deputies,
        n_department_heads=n_heads,
    )
    needs = needs_of(units_of(rows), norms)
    assert (needs >= 0).all(axis=None)
    for name in ("staff", "need_m2"):
        both = needs[f"committee_{name}"] + needs[f"party_{name}"]
        np.testing.assert_allclose(both, needs[name], rtol=1e-12)
    np.testing.assert_allclose(titles_of(needs["staff"], norms).sum(axis=1), needs["staff"])
    np.testing.assert_allclose(area_needed_m2(needs["staff"], norms), needs["need_m2"])


def test_the_secretary_and_five_of_eight_deputies_sit_with_the_party() -> None:
    """76 people: 1 + 8 + 10 + 57; with the Party 1 + 5 + 4 + 17 (30 % of 57)."""
    need = unit_needs(needs_of(units_of([(1000, "ward", 76)]).set_axis(["U"]), NORMS))["U"]
    assert (need.party_staff, need.committee_staff) == (27, 49)
    assert need.party_m2 == pytest.approx((30 + 5 * 20 + 4 * 18 + 17 * 15) * 1.85)
    assert need.m2 == pytest.approx(2266, abs=1)
    assert need.committee_share == pytest.approx(49 / 76)


@pytest.mark.slow
def test_staff_and_area_are_the_same_in_every_table_of_a_plan(embedded_city: City, shared_settings: Settings) -> None:
    for values in ({}, {"choice.max_sites": 126}, {"norms.decree": "152/2017", "norms.party_heads_share": 0.55}):
        params = Params().with_values(values)
        plan = make_plan(embedded_city, params, settings=shared_settings)
        assert plan.units["staff"].sum() == params.norms.staff_to_house
        chosen = plan.sites[plan.sites["chosen"]].groupby("unit_id")[["role_staff", "role_need_m2"]].sum()
        np.testing.assert_allclose(chosen["role_staff"], plan.units["staff"][chosen.index])
        np.testing.assert_allclose(chosen["role_need_m2"], plan.units["need_m2"][chosen.index])
        for number in ("1", "2"):
            ids = plan.units[f"site_id_{number}"]
            ids = ids[ids != ""]
            np.testing.assert_array_equal(
                plan.sites["norm_met_pct"][ids], plan.units[f"norm_met_pct_{number}"][ids.index]
            )
        assert (
            plan.sites.loc[~plan.sites["chosen"], ["role_staff", "role_need_m2", "norm_met_pct"]].isna().all(axis=None)
        )
        housed = plan.sites["norm_met_pct"] * plan.sites["role_need_m2"] / 100
        np.testing.assert_allclose(housed, plan.sites["usable_area_m2"].where(plan.sites["chosen"]))


def test_the_island_commune_is_shown_to_be_over_estimated(embedded_city: City, shared_settings: Settings) -> None:
    """Minh Châu needs three rooms; an estimate by population and type gives it the posts of any unit."""
    needs = needs_of(embedded_city.units, NORMS)
    island = needs.loc["09661"]
    assert island["staff"] == needs["staff"].min() == 23
    assert island["need_m2"] == pytest.approx(795, abs=1)
    assert needs["staff"].mean() == pytest.approx(70.7, abs=0.05)
