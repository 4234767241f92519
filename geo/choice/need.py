"""Who is to be housed, and the floor area that the norms allow them: by unit and, in a pair of sites, by role.

Staff are whole people. The staff of the city are shared out among the units whose table gives none::

    staff_u = base_staff + r * people_u * (ward_factor if u is a ward, else 1)

with ``r`` such that they add up; the largest remainders are rounded up, so that the total is met to the last person.

Titles are filled from the top: a secretary, then deputies and chairs, heads of departments, specialists. In a pair the
secretary and a share of each other title (``norms.party_*_share``) sit with the Party committee and the People's
Council, the rest with the People's Committee and the one-stop service. What one role needs and what the other needs
add up to what the unit needs, in people and in m2.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.params import Norms

#: Columns of :func:`needs_of`.
COLUMNS = ("staff", "need_m2", "committee_staff", "committee_need_m2", "party_staff", "party_need_m2")
_WARDS = ("ward", "phường", "phuong", "quartier")


class UnitNeed(NamedTuple):
    """Staff and floor area of the two roles of one unit."""

    committee_staff: float
    committee_m2: float
    party_staff: float
    party_m2: float

    @property
    def staff(self) -> float:
        """Of both."""
        return self.committee_staff + self.party_staff

    @property
    def m2(self) -> float:
        """Of both."""
        return self.committee_m2 + self.party_m2

    @property
    def committee_share(self) -> float:
        """Share of the staff that works where the citizens are received; a half where nobody works."""
        return self.committee_staff / self.staff if self.staff > 0 else 0.5


def needs_of(units: pd.DataFrame, norms: Norms) -> pd.DataFrame:
    """Return staff and floor area of every unit, and of its two roles if it has two sites.

    Parameters
    ----------
    units : pandas.DataFrame
        Index unit_id. Columns ``population``, ``kind`` and ``staff`` (missing where not known).
    norms : Norms

    Returns
    -------
    pandas.DataFrame
        Index unit_id. Columns :data:`COLUMNS`: people and m2 of the unit, of the committee's role and of the Party's.
    """
    staff = staff_needed(units, norms)
    titles = titles_of(staff, norms)
    party = _party_titles(titles, norms)
    own = {"committee": titles - party, "party": party}
    needs = pd.DataFrame(
        {
            f"{role}_{name}": figure
            for role, table in own.items()
            for name, figure in (("staff", table.sum(axis=1)), ("need_m2", area_of_titles_m2(table, norms)))
        }
    )
    needs["staff"] = staff
    needs["need_m2"] = needs["committee_need_m2"] + needs["party_need_m2"]
    return needs[list(COLUMNS)]


def unit_needs(needs: pd.DataFrame) -> dict[str, UnitNeed]:
    """Return the rows of :func:`needs_of` by unit_id."""
    rows = needs[list(COLUMNS[2:])].to_numpy(float).tolist()
    return {str(unit_id): UnitNeed(*row) for unit_id, row in zip(needs.index, rows, strict=True)}


def staff_needed(units: pd.DataFrame, norms: Norms) -> pd.Series:
    """Return the staff of each unit: from the table, else estimated by population and type, in whole people.

    Units without a figure share ``norms.staff_to_house`` less the figures given, to the last person. If even the base
    exceeds what is left for them, it is shared equally.

    Parameters
    ----------
    units : pandas.DataFrame
        Columns ``population``, ``kind`` and ``staff`` (missing where not known).
    norms : Norms
    """
    staff = units["staff"].astype(float)
    open_units = staff.isna().to_numpy()
    n_open = int(open_units.sum())
    left = max(0.0, norms.staff_to_house - float(staff.sum()))
    base = min(norms.base_staff, left / max(1, n_open))
    people = units["population"].to_numpy(float) * np.where(is_ward(units["kind"]), norms.ward_factor, 1.0)
    people = np.where(open_units, people, 0.0)
    share = people / people.sum() if people.sum() > 0 else open_units / max(1, n_open)
    estimate = _whole(np.where(open_units, base, 0.0) + share * (left - base * n_open))
    return staff.where(~open_units, estimate)


def is_ward(kind: pd.Series) -> NDArray[np.bool_]:
    """Return whether each unit is a ward, by the word for its type in Vietnamese, English or French."""
    words = [unicodedata.normalize("NFC", word).casefold() if isinstance(word, str) else "" for word in kind]
    return np.array([word.startswith(_WARDS) for word in words], bool)


def _whole(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return whole figures with the same rounded sum: the largest remainders go up, of equal ones the first."""
    lower = np.floor(figures + 1e-9)
    n_up = round(float(figures.sum() - lower.sum()))
    up = np.argsort(-np.round(figures - lower, 9), kind="stable")[: max(0, n_up)]
    lower[up] += 1
    return lower


def titles_of(staff: pd.Series, norms: Norms) -> pd.DataFrame:
    """Return how many of each title a staff has: secretary, deputies and chairs, heads of departments, specialists."""
    above_heads = 1 + norms.n_deputies_and_chairs
    return pd.DataFrame(
        {
            "secretary": staff.clip(0, 1),
            "deputy_or_chair": (staff - 1).clip(0, norms.n_deputies_and_chairs),
            "department_head": (staff - above_heads).clip(0, norms.n_department_heads),
            "specialist": (staff - above_heads - norms.n_department_heads).clip(0),
        }
    )


def _party_titles(titles: pd.DataFrame, norms: Norms) -> pd.DataFrame:
    """Return how many of each title work for the Party committee and the council, in whole people."""
    shares = {
        "deputy_or_chair": norms.party_deputies_share,
        "department_head": norms.party_heads_share,
        "specialist": norms.party_specialists_share,
    }
    # A half is rounded up, whatever the parity of what is before it.
    return titles.assign(**{name: np.floor(titles[name] * share + 0.5 + 1e-9) for name, share in shares.items()}).clip(
        upper=titles
    )


def area_of_titles_m2(titles: pd.DataFrame, norms: Norms) -> pd.Series:
    """Return the floor area that the norm allows: the titles' areas and the common area on top."""
    own = titles.mul(pd.Series({name: getattr(norms, f"{name}_m2") for name in titles})).sum(axis=1)
    return own * (1 + norms.common_area_share)


def area_needed_m2(staff: pd.Series, norms: Norms) -> pd.Series:
    """Return the floor area that the norm allows a staff of each size."""
    return area_of_titles_m2(titles_of(staff, norms), norms)
