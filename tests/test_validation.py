"""Whatever is wrong with a parameter is told in the language of the reader, with its place and what mends it."""

from __future__ import annotations

import pytest

from geo.errors import Fault, ParamsError
from geo.params import parse_params
from geo.text import LANGUAGES, describe_fault

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
    told = [describe_fault(fault, lang=lang) for lang in LANGUAGES]
    assert len(set(told)) == len(LANGUAGES)
    for words in told:
        assert column in words
        assert "nput should" not in words, "no sentence of pydantic's"


def test_a_long_value_is_cut_and_a_table_is_not_repeated() -> None:
    (fault,) = faults(f'[weights]\nsize = "{"x" * 500}"')
    assert fault.value == "x" * 80
    (fault,) = faults("[[access.scenario.restrictions]]\nname = 'x'")
    assert fault.value is None
