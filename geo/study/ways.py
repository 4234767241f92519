"""The ways of a city in kilometres, kept on disk, and the share of people near enough to each option."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.cache import cached, digest_of_text
from geo.city import City
from geo.params import AccessParams, Params, digest_of
from geo.plan import Prepared, cut_blocks, graph_of, join_blocks, point_minutes, travel_times
from geo.progress import Progress
from geo.settings import Settings
from geo.travel.access import TravelTimes
from geo.travel.branches import points_as_sites
from geo.travel.distances import compute_distances

#: The city's own target: a public service point within 30 minutes or 5 km (data/facts/case.md).
TARGET_MIN, TARGET_KM = 30.0, 5.0
#: Goes into the name of cached distances; raise it when the same input gives other lengths.
_VERSION = "1"


def travel_distances(
    city: City,
    params: AccessParams,
    *,
    times: TravelTimes | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Return the length in km of the shortest way by road from every demand point to every candidate of its unit.

    By unit_id, in the shape of ``times.units[unit_id].minutes``, infinite where those are; see
    :func:`geo.travel.distances.compute_distances`. From the disk if they were computed before. `times` are those of
    :func:`geo.plan.travel_times`, looked up if left out.
    """
    settings = settings or Settings()
    times = times or travel_times(city, params, settings=settings, progress=progress)

    minutes = {unit_id: unit.minutes for unit_id, unit in times.units.items()}

    def compute() -> dict[str, NDArray[np.float64]]:
        return compute_distances(
            times.demand, city.sites, minutes, graph_of(city, params), city.network, params,
            cache_dir=settings.cache_dir, progress=progress,
        )  # fmt: skip

    return _kept(f"distances-{_VERSION}-{_digest(city, params, times)}", settings, compute, minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointWays:
    """The ways of all people to every service point of the city.

    Attributes
    ----------
    names : tuple of str
        The points, in the order of the columns.
    minutes, km : dict of str to ndarray of float64, shape (n_demand, n_points)
        By unit_id; infinite where a point is not reached.
    """

    names: tuple[str, ...]
    minutes: dict[str, NDArray[np.float64]]
    km: dict[str, NDArray[np.float64]]


def point_ways(
    city: City,
    params: Params,
    *,
    times: TravelTimes | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> PointWays | None:
    """Return the ways to the service points, from the disk if they were computed before; None where none counts.

    `times` are those of :func:`geo.plan.travel_times`, looked up if left out.
    """
    points, settings = params.service.points, settings or Settings()
    if not params.service.count_points or not points:
        return None
    times = times or travel_times(city, params.access, settings=settings, progress=progress)
    minutes = point_minutes(city, params, times, settings=settings, progress=progress)

    def compute() -> dict[str, NDArray[np.float64]]:
        return compute_distances(
            times.demand, points_as_sites(times, points), minutes, graph_of(city, params.access), city.network,
            params.access, cache_dir=settings.cache_dir, progress=progress,
        )  # fmt: skip

    digest = digest_of_text(_digest(city, params.access, times), digest_of(params.service))
    km = _kept(f"point-distances-{_VERSION}-{digest}", settings, compute, minutes)
    return PointWays(names=tuple(points), minutes=minutes, km=km)


def _kept(
    name: str,
    settings: Settings,
    compute: Callable[[], dict[str, NDArray[np.float64]]],
    like: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Return kilometres in the shapes of `like`, from the disk if they were computed before."""
    return cached(
        settings.cache_dir,
        name,
        make=compute,
        pack=lambda blocks: {"km": join_blocks(blocks.values())},
        unpack=lambda arrays: dict(zip(like, cut_blocks(arrays["km"], [b.shape for b in like.values()]), strict=True)),
    )


def _digest(city: City, params: AccessParams, times: TravelTimes) -> str:
    """Return the digest of everything that ways depend on: data, parameters, and where the people stand."""
    content = hashlib.sha256(f"{city.digest} {city.crs} {digest_of(params)}".encode())
    content.update(times.demand["node"].to_numpy().tobytes())
    for unit in times.units.values():
        content.update(unit.minutes.tobytes())
    if city.network is not None:
        content.update(city.network.length_m.tobytes())
    return content.hexdigest()[:16]


def served_distances(
    city: City, params: Params, *, settings: Settings | None = None, progress: Progress | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return :func:`travel_distances`; where service points count, those to the nearer of each site and a point.

    Parameters are those of :func:`geo.plan.prepare`.
    """
    times = travel_times(city, params.access, settings=settings, progress=progress)
    distances = travel_distances(city, params.access, times=times, settings=settings, progress=progress)
    points = point_ways(city, params, times=times, settings=settings, progress=progress)
    if points is None:
        return distances
    return {name: np.minimum(km, points.km[name].min(axis=1)[:, None]) for name, km in distances.items()}


def option_shares(
    prepared: Prepared,
    distances: Mapping[str, NDArray[np.float64]],
    *,
    both: bool,
    within_km: float = TARGET_KM,
    within_min: float | None = None,
) -> NDArray[np.float64]:
    """Return, for every option, the share of its unit's people who live near enough to where they are received.

    The figure of a whole city for any choice ``chosen`` (a row of the options for each unit) is
    ``np.average(option_shares(...)[chosen], weights=population)`` over the units that have a figure.

    Parameters
    ----------
    prepared : Prepared
        From :func:`geo.plan.prepare`.
    distances : mapping of str to ndarray
        From :func:`served_distances`.
    both : bool
        A pair receives in both its buildings; else in the first one alone.
    within_km : float
        Longest way by road.
    within_min : float, optional
        Or so many minutes: who meets one of the two counts.

    Returns
    -------
    ndarray of float64, shape (n_options,)
        0..1; NaN where the unit has no network or no people.
    """
    options, times = prepared.options, prepared.served
    shares = np.full(len(options.unit), np.nan)
    starts = np.searchsorted(options.unit, np.arange(len(options.unit_ids) + 1))
    for number, unit_id in enumerate(options.unit_ids):
        rows, unit = slice(starts[number], starts[number + 1]), times.units.get(str(unit_id))
        if unit is None or not unit.has_network or unit.population.sum() <= 0:
            continue
        near = distances[str(unit_id)] <= within_km
        if within_min is not None:
            near = near | (unit.minutes <= within_min)
        column = pd.Index(unit.site_ids).get_indexer(options.site_ids)
        first, second = column[options.first[rows]], column[options.second[rows]]
        second = np.where(options.is_pair[rows] & both, second, first)
        shares[rows] = unit.population @ (near[:, first] | near[:, second]) / unit.population.sum()
    return shares
