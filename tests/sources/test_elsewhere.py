"""A plan of another city says where it stands on figures of Hanoi."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo import Params
from geo.sources.elsewhere import KEYS, notes_elsewhere
from tests.toy import told

_OWN_STAFF = {"norms.city_staff": 300, "norms.staff_leaving": 0, "norms.staff_not_placed": 0}


def _units(*staff: float, first: int = 1900) -> pd.DataFrame:
    return pd.DataFrame({"staff": staff}, index=[f"{first + i:05d}" for i in range(len(staff))])


def test_staff_and_budget_of_hanoi_are_told_to_another_city() -> None:
    notes = notes_elsewhere(_units(np.nan, np.nan, np.nan, 13.0), Params())
    assert [note.key for note in notes] == list(KEYS)
    assert {note.severity for note in notes} == {"warning"}
    # 9,536 - 876 + 253 = 8,913; less the 13 that are given; shared by three.
    assert told(notes[0]) == {"n": "3", "units": "4", "left": "8900", "each": "2967"}
    assert told(notes[1]) == {"budget": "232", "units": "4", "most": "8"}


def test_who_gives_figures_of_the_own_city_is_told_nothing() -> None:
    units = _units(np.nan, np.nan)
    own = Params().with_values({**_OWN_STAFF, "choice.max_sites": 3})
    assert notes_elsewhere(units, own) == ()
    assert [note.key for note in notes_elsewhere(units, Params().with_values(_OWN_STAFF))] == ["budget_of_hanoi"]
    assert [note.key for note in notes_elsewhere(_units(20.0, 30.0), Params())] == ["budget_of_hanoi"]


def test_hanoi_is_told_nothing_and_a_code_that_coincides_makes_no_hanoi() -> None:
    ids = ["00004", "00008", "00025"]  # Ba Đình, Ngọc Hà, Giảng Võ
    units = pd.DataFrame({"staff": np.nan}, index=ids)
    assert notes_elsewhere(units, Params()) == ()
    units.index = [ids[0], "01002", "01003"]
    assert len(notes_elsewhere(units, Params())) == len(KEYS)
