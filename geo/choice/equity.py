"""One figure for the travel times of many people: the mean, the worst-served, or the equally distributed equivalent.

With ``t_i`` the minutes of ``p_i`` people and ``P`` their sum:

* ``mean``: ``sum p_i t_i / P``.
* ``worst_5_percent``: the mean of the 5 % of the people who travel longest; the group at the edge counts in part
  (conditional value at risk).
* ``kolm_pollak``: the Kolm-Pollak equally distributed equivalent, the time that, were it everybody's, would be as good
  as the times are, to a society averse to inequality::

      K = 1/beta ln( sum p_i exp(beta t_i) / P ),     beta = epsilon * sum p_i t_i / sum p_i t_i^2

  ``epsilon`` is the aversion to inequality, a number without unit (0: the mean); ``beta`` has the unit 1/min, so that
  ``K`` is in minutes and does not depend on whether times are written in minutes or hours. Horton, Logan, Speakman and
  Skipper (arXiv 2401.15452) write ``kappa = alpha epsilon`` with ``epsilon < 0`` for what nobody wants; here
  ``beta = -kappa`` and ``epsilon > 0``. ``beta`` must be the same for all that is compared: it is computed once for the
  city, from the times to the nearest candidate.

All three give ``t`` where everybody travels ``t``, grow with every single time, and shift with a shift of all times.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

WORST_SHARE = 0.05


def mean_minutes(minutes: NDArray[np.float64], population: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each column.

    Parameters
    ----------
    minutes : ndarray of float64, shape (n_groups, k)
        Finite.
    population : ndarray of float64, shape (n_groups,)
        Its sum is above 0; so in the functions below.
    """
    return population @ minutes / population.sum()


def worst_minutes(
    minutes: NDArray[np.float64], population: NDArray[np.float64], *, share: float = WORST_SHARE
) -> NDArray[np.float64]:
    """Return, for each column, the mean of the `share` of the people who travel longest."""
    order = np.argsort(-minutes, axis=0, kind="stable")
    people = population[order]
    quota = share * population.sum()
    before = np.cumsum(people, axis=0) - people
    counted = np.clip(quota - before, 0, people)
    return (counted * np.take_along_axis(minutes, order, axis=0)).sum(axis=0) / quota


def kolm_pollak_minutes(
    minutes: NDArray[np.float64], population: NDArray[np.float64], beta: float
) -> NDArray[np.float64]:
    """Return the Kolm-Pollak equally distributed equivalent of each column; the mean where `beta` is 0."""
    if beta == 0:
        return mean_minutes(minutes, population)
    longest = minutes.max(axis=0)
    return longest + np.log(population @ np.exp(beta * (minutes - longest)) / population.sum()) / beta


def kolm_pollak_beta(groups: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]], *, aversion: float) -> float:
    """Return ``beta`` in 1/min for the minutes and people of all groups together; 0 where nobody travels at all.

    Parameters
    ----------
    groups : iterable of (ndarray, ndarray)
        Minutes and population of each unit, both of shape (n,).
    aversion : float
        ``epsilon``, at least 0.
    """
    first = second = 0.0
    for minutes, population in groups:
        first += float(population @ minutes)
        second += float(population @ minutes**2)
    return aversion * first / second if second > 0 else 0.0
