"""Whatever is wrong with a parameter is told in the language of the reader, with its place and what mends it."""

from __future__ import annotations

import pytest

from geo.errors import Fault, ParamsError
from geo.params import parse_params
from geo.profile import Restriction, Scenario
from geo.text import LANGUAGES

#: What stands in a file, the key of the fault, its column and what is allowed.
WRONG = [
    ("[weights]\nsize = 7", "params_value", "weights.size", "≤ 1"),
    ("[weights]\nsize = -1", "params_value", "weights.size", "≥ 0"),
    ("[access]\nsnap_limit_m = 0", "params_value", "access.snap_limit_m", "> 0"),
    ("[robustness]\nfigure_spread = 1", "params_value", "robustness.figure_spread", "< 1"),
    ('[access]\nmode = "tram"', "params_value", "access.mode", "motorbike, car, walk"),
    ("[weights]\nheight = 1", "params_unknown", "weights.height", None),
    ('[weights]\nsize = "big"', "params_number", "weights.size", None),
    ("[weights]\nsize = nan", "params_number", "weights.size", None),
    ('[choice]\nmax_sites = "many"', "params_whole_number", "choice.max_sites", None),
    ("[choice]\nmax_sites = 1.5", "params_whole_number", "choice.max_sites", None),
    ('[service]\ncount_points = "perhaps"', "params_yes_no", "service.count_points", None),
    ("[constraints]\npinned_sites = [1]", "params_text", "constraints.pinned_sites.0", None),
    ('[constraints]\npinned_sites = "S1"', "params_list", "constraints.pinned_sites", None),
    ('[constraints]\npinned_pairs = [["S1"]]', "params_missing", "constraints.pinned_pairs.0.1", None),
    ("weights = 1", "params_table", "weights", None),
    ("[access.scenario]\non = 'soon'", "params_date", "access.scenario.on", None),
    (
        "[[access.scenario.restrictions]]\nlon = 1.0\nlat = 1.0",
        "params_missing", "access.scenario.restrictions.0.name", None,
    ),
    ("[[access.scenario.restrictions]]\nname = 'x'", "params_place", "access.scenario.restrictions.0", None),
    (
        "[[access.scenario.restrictions]]\nname = 'x'\nring = [[0, 0], [1, 1], [1, 0], [0, 1]]",
        "params_ring", "access.scenario.restrictions.0.ring", None,
    ),
    (
        "[access.scenario.speed_factors.car]\nprimary = 3",
        "params_value", "access.scenario.speed_factors.car.primary", "0 … 2",
    ),
    ("[access.speeds_kmh.car]\nprimary = 200", "params_value", "access.speeds_kmh.car.primary", "0 … 130"),
    ("[access.speeds_kmh.boat]\nprimary = 20", "params_value", "access.speeds_kmh", "motorbike, car, walk"),
    ("[weights]\nlocation = 0\nsize = 0\naccess = 0\nconditions = 0", "params_weights", "weights", None),
    ("[service.points]\n1 = [200, 0]", "params_value", "service.points.1", "-180 … 180, -90 … 90"),
    (
        "[[access.scenario.restrictions]]\nname = 'x'\nring = [[1e300, 0], [1, 1], [1, 0]]",
        "params_value", "access.scenario.restrictions.0.ring.0.0", "≤ 180",
    ),
    (
        "[[access.scenario.restrictions]]\nname = 'x'\nring = [[105, 21], [106, 95], [106, 21]]",
        "params_value", "access.scenario.restrictions.0.ring.1.1", "≤ 90",
    ),
    (
        f"[[access.scenario.restrictions]]\nname = 'x'\nring = {[[i / 10, i % 7] for i in range(1001)]}",
        "params_list_long", "access.scenario.restrictions.0.ring", "1000",
    ),
    (
        "[[access.scenario.restrictions]]\nname = 'x'\nlon = 1\nlat = 1\n" * 201,
        "params_list_long", "access.scenario.restrictions", "200",
    ),
    (f"[access]\nscenario = {['night'] * 21}", "params_list_long", "access.scenario", "20"),
    (f"x = {'[' * 3000}{']' * 3000}", "params_deep", None, "16"),
    (f"{'.'.join('a' * 5000)} = 1", "params_deep", None, "16"),
    (f"x = {'9' * 5000}", "params_integer", None, None),
    (f"x = [0x{'F' * 5000}]", "params_integer", None, None),
    ("[norms]\ncity_staff = 10\nstaff_leaving = 20", "params_staff_leaving", "norms.staff_leaving", None),
]  # fmt: skip


def faults(text: str) -> tuple[Fault, ...]:
    with pytest.raises(ParamsError) as error:
        parse_params(text.encode(), file="mine.toml")
    return error.value.faults


@pytest.mark.parametrize(("text", "key", "column", "allowed"), WRONG)
def test_what_is_wrong_has_a_key_a_place_and_words(text: str, key: str, column: str, allowed: str | None) -> None:
    (fault,) = faults(text)
    assert (fault.key, fault.column, fault.file) == (key, column, "mine.toml")
    assert fault.values.get("allowed") == allowed
    told = [fault.describe(lang=lang) for lang in LANGUAGES]
    assert len(set(told)) == len(LANGUAGES)
    for words in told:
        assert (column or "mine.toml") in words
        assert "nput should" not in words, "no sentence of pydantic's"


def test_a_long_value_is_cut_and_a_table_is_not_repeated() -> None:
    (fault,) = faults(f'[weights]\nsize = "{"x" * 500}"')
    assert fault.value == "x" * 80
    (fault,) = faults("[[access.scenario.restrictions]]\nname = 'x'")
    assert fault.value is None


@pytest.mark.parametrize("place", ['bridge = ["x"]', "zone = {a = 1}", "bridge = 1", "zone = []"])
def test_a_place_that_is_no_name_is_told_with_the_names_there_are(place: str) -> None:
    (fault,) = faults(f"[[access.scenario.restrictions]]\n{place}")
    assert (fault.key, fault.column) == ("params_value", f"access.scenario.restrictions.{place.split()[0]}")
    assert len(fault.values["allowed"]) > 10


def test_too_many_restrictions_of_two_profiles_together_are_told() -> None:
    part = Scenario(restrictions=tuple(Restriction(name=str(i), lon=i / 10, lat=0) for i in range(150)))
    other = Scenario(restrictions=tuple(Restriction(name=str(i), lon=i / 10, lat=1) for i in range(150)))
    with pytest.raises(ParamsError) as error:
        part.over(other)
    assert [fault.key for fault in error.value.faults] == ["params_list_long"]
