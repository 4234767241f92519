"""Say where a plan of another city stands on figures of Hanoi, because nobody gave it others."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files

import pandas as pd

from geo.errors import Fault
from geo.params import Params

#: A city is Hanoi if it has more than this share of its units from there: codes of other countries may coincide.
_SHARE = 0.5
#: Of the notes that :func:`notes_elsewhere` makes.
KEYS = ("staff_of_hanoi", "budget_of_hanoi")
_STAFF = ("city_staff", "staff_leaving", "staff_not_placed")


@lru_cache
def _units_of_hanoi() -> frozenset[str]:
    text = files("geo.sources").joinpath("hanoi_units.csv").read_text(encoding="utf-8")
    return frozenset(row["file"].partition("_")[0] for row in csv.DictReader(text.splitlines()))


def is_hanoi(units: pd.DataFrame) -> bool:
    """Say whether most of `units` are those of Hanoi, by their ids, which are the index."""
    return bool(units.index.isin(list(_units_of_hanoi())).mean() > _SHARE)


def notes_elsewhere(units: pd.DataFrame, params: Params) -> tuple[Fault, ...]:
    """Return notes on the parameters that have the value of Hanoi in a city that is another.

    Parameters
    ----------
    units : pandas.DataFrame
        Index unit_id. Column ``staff`` (missing where not known).
    params : Params

    Returns
    -------
    tuple of Fault
        Warnings, about the staff to house where a unit has no figure of its own, and about the budget of sites. None
        for Hanoi.
    """
    if is_hanoi(units):
        return ()
    default, n = Params(), len(units)
    notes: list[Fault] = []
    n_open = int(units["staff"].isna().sum())
    if n_open and all(getattr(params.norms, name) == getattr(default.norms, name) for name in _STAFF):
        left = max(0.0, params.norms.staff_to_house - float(units["staff"].sum()))
        shared = {"left": f"{left:.0f}", "each": f"{left / n_open:.0f}"}
        notes.append(_note("staff_of_hanoi", n=str(n_open), units=str(n), **shared))
    if params.choice.max_sites == default.choice.max_sites:
        budget = {"budget": str(params.choice.max_sites), "units": str(n), "most": str(2 * n)}
        notes.append(_note("budget_of_hanoi", **budget))
    return tuple(notes)


def _note(key: str, **values: str) -> Fault:
    return Fault(key=key, severity="warning", values=values)
