"""What a change of their ways means to the people of one unit, person by person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.plan import Plan
from geo.travel.weighted import weighted_mean

#: A change of at least so many minutes counts as one: what one notices.
NOTICED_MIN = 1.0
#: What :func:`minutes_changed` returns.
CHANGES = (
    "added_min", "worst_added_min", "slower_population", "faster_population", "lost_population",
    "regained_population", "arriving_population",
)  # fmt: skip


def reception_sites(plan: Plan, unit_id: str) -> tuple[str, ...]:
    """Return the sites where the citizens of a unit go; empty where it has none."""
    first, second = (str(plan.units[name][unit_id]) for name in ("site_id_1", "site_id_2"))
    both = plan.params.choice.reception == "both_sites" and bool(second)
    return (first, second) if both else (first,) if first else ()


def minutes_changed(
    people: NDArray[np.float64], was: NDArray[np.float64], now: NDArray[np.float64]
) -> dict[str, float]:
    """Return who loses and who gains.

    Parameters
    ----------
    people : ndarray of float64, shape (n_demand,)
    was, now : ndarray of float64, shape (n_demand,)
        Minutes of each before and after; infinite where they do not arrive.

    Returns
    -------
    dict
        ``added_min`` and ``worst_added_min`` (mean and most, of people who arrive both times; NaN where nobody does),
        ``slower_population`` and ``faster_population`` (by :data:`NOTICED_MIN` or more), ``lost_population`` (who
        arrive before only), ``regained_population`` (after only) and ``arriving_population`` (both times).
    """
    before, after = np.isfinite(was), np.isfinite(now)
    both = before & after & (people > 0)
    added = np.where(both, now, 0.0) - np.where(both, was, 0.0)
    return {
        "added_min": weighted_mean(added[both], people[both]),
        "worst_added_min": float(added[both].max()) if both.any() else np.nan,
        "slower_population": float(people[added >= NOTICED_MIN].sum()),
        "faster_population": float(people[added <= -NOTICED_MIN].sum()),
        "lost_population": float(people[before & ~after].sum()),
        "regained_population": float(people[after & ~before].sum()),
        "arriving_population": float(people[both].sum()),
    }
