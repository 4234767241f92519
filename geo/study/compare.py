"""Compare two plans of one city: what differs in their parameters, what changes, where, and for how many people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import Fault, GeoError, InputError
from geo.outcome import none_if_nan
from geo.params import MODES, ConstraintParams, Params
from geo.plan import Plan, prepare
from geo.settings import Settings
from geo.study.people import CHANGES, minutes_changed, reception_sites
from geo.travel.access import TravelTimes
from geo.travel.weighted import weighted_mean

_FIGURES = ("mean_time_min", "share_within_30min", "norm_met_pct")
_TOTALS = ("sites", "units_with_one", "units_with_two", *_FIGURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two plans side by side.

    Attributes
    ----------
    units : pandas.DataFrame
        Index unit_id, every unit, those with the most people times minutes changed first. Columns ``name``,
        ``population``, ``change`` (``"none"``; ``"roles"``: the same buildings, received elsewhere; ``"number"``: one
        instead of two or two instead of one; ``"buildings"``: as many, others), ``moved_m`` (straight line between the
        two places that receive the citizens; NaN where one plan has none), and for ``sites``, ``mean_time_min``,
        ``share_within_30min`` and ``norm_met_pct`` the columns ``<name>_before`` and ``<name>_after``; then those of
        :func:`geo.study.people.minutes_changed`, which follow each of the people (see ``paired``).
    totals : pandas.DataFrame
        Index: figures of ``Plan.totals`` and ``objective``. Columns ``before``, ``after``, ``difference``.
    agreement : dict
        ``units``, ``same_number`` and ``same_buildings`` (units), ``people_elsewhere`` (in units whose citizens are
        received at another place), ``mean_moved_m`` (weighted by people, over the units that have a place in both),
        ``added_min`` (mean of those who arrive both times), ``slower_population``, ``faster_population``,
        ``lost_population`` and ``regained_population``; None where not ``paired``.
    params : pandas.DataFrame
        What differs, from :func:`changed_params`.
    paired : bool
        Both plans put the same people at the same places, so that each can be followed. Another mode of travel or
        another grid puts them elsewhere: then ``added_min`` is the difference of the unit's two means, and the
        other columns about people are empty.
    """

    units: pd.DataFrame
    totals: pd.DataFrame
    agreement: dict[str, Any]
    params: pd.DataFrame
    paired: bool


def compare_plans(before: Plan, after: Plan, *, settings: Settings | None = None) -> Comparison:
    """Return what changes from one plan to another of the same city.

    Objectives are comparable only where both plans weigh alike; the other figures always are.

    Parameters
    ----------
    before, after : Plan
    settings : Settings, optional
        Those that the plans were made with.

    Raises
    ------
    GeoError
        The plans are of different cities.
    """
    if before.city.digest != after.city.digest:
        raise GeoError("the two plans are of different data; compare plans of one folder")
    old, new = before.units, after.units
    units = pd.DataFrame({"name": old["name"], "population": old["population"], "change": _changes(old, new)})
    units["moved_m"] = _moved_m(before, after)
    for label, table in (("before", old), ("after", new)):
        units[f"sites_{label}"] = table["site_id_1"].str.cat(table["site_id_2"], sep=" + ").str.removesuffix(" + ")
        for name in _FIGURES:
            units[f"{name}_{label}"] = table[name]
    changed, paired = _minutes(before, after, settings)
    units = units.join(changed)
    same_place = old["site_id_1"] == new["site_id_1"]
    agreement = {
        "units": len(units),
        "same_number": int((old["n_sites"] == new["n_sites"]).sum()),
        "same_buildings": int(units["change"].isin(("none", "roles")).sum()),
        "people_elsewhere": float(units["population"][~same_place].sum()),
        "mean_moved_m": none_if_nan(weighted_mean(units["moved_m"], units["population"])),
        **_sums(changed, paired=paired),
    }
    minutes = (units["mean_time_min_after"] - units["mean_time_min_before"]).abs().fillna(0.0)
    order = np.lexsort((np.arange(len(units)), -(minutes * units["population"]).to_numpy()))
    return Comparison(
        units=units.iloc[order],
        totals=_totals(before, after),
        agreement=agreement,
        params=changed_params(before.params, after.params),
        paired=paired,
    )


def changed_params(before: Params, after: Params) -> pd.DataFrame:
    """Return the parameters that differ.

    Returns
    -------
    pandas.DataFrame
        Index ``name``, dotted, in the order of a file of parameters. Columns ``before`` and ``after``: the values,
        None where one side has none. A network profile stands in a row of its own, ``access.scenario``, as
        :class:`~geo.profile.Scenario`, before the rows of what it holds; its words and its factors of modes that
        neither plan travels by are left out.
    """
    idle_modes = set(MODES) - {before.access.mode, after.access.mode}
    unused = (*_WORDS, *(f"access.scenario.speed_factors.{mode}." for mode in idle_modes))
    sides = [dict(_leaves(params)) for params in (before, after)]
    differing = (name for name in {**sides[0], **sides[1]} if sides[0].get(name) != sides[1].get(name))
    names = [name for name in differing if not name.startswith(unused)]
    rows = {side: [values.get(name) for name in names] for side, values in zip(("before", "after"), sides, strict=True)}
    return pd.DataFrame(rows, index=pd.Index(names, name="name", dtype=object), dtype=object)


#: Words of a profile: they change no number.
_WORDS = tuple(f"access.scenario.{name}" for name in ("title", "about", "source", "assumption"))


def _leaves(params: Params) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every parameter."""

    def walk(group: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
        for key, value in group.items():
            name = f"{path}{key}"
            if name == "access.scenario":
                yield name, params.access.scenario
            if isinstance(value, Mapping):
                yield from walk(value, f"{name}.")
            elif name != "access.scenario":
                yield name, None if value == () else value

    return walk(params.model_dump(), "")


def _minutes(before: Plan, after: Plan, settings: Settings | None) -> tuple[pd.DataFrame, bool]:
    """Return the minutes that the people of every unit lose or gain, and whether each of them was followed."""
    old, new = (prepare(plan.city, plan.params, settings=settings).served for plan in (before, after))
    index = before.units.index
    if not _same_people(old, new):
        table = pd.DataFrame(np.nan, index=index, columns=list(CHANGES))
        table["added_min"] = after.units["mean_time_min"] - before.units["mean_time_min"]
        return table, False
    rows = {
        unit_id: minutes_changed(unit.population, _to_nearest(before, old, unit_id), _to_nearest(after, new, unit_id))
        for unit_id, unit in old.units.items()
        if reception_sites(before, unit_id) and reception_sites(after, unit_id)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(CHANGES)).reindex(index), True


def _same_people(one: TravelTimes, other: TravelTimes) -> bool:
    if not one.demand.index.equals(other.demand.index) or list(one.units) != list(other.units):
        return False
    places = [shapely.get_coordinates(np.asarray(times.demand.geometry)) for times in (one, other)]
    people = [times.demand["population"].to_numpy() for times in (one, other)]
    return np.array_equal(*places) and np.allclose(*people)


def _to_nearest(plan: Plan, times: TravelTimes, unit_id: str) -> NDArray[np.float64]:
    """Return the minutes of the people of a unit to where the plan receives them."""
    unit = times.units[unit_id]
    columns = [unit.site_ids.index(site) for site in reception_sites(plan, unit_id)]
    return np.asarray(unit.minutes[:, columns].min(axis=1))


def _sums(changed: pd.DataFrame, *, paired: bool) -> dict[str, float | None]:
    counts = [name for name in CHANGES if name.endswith("_population") and name != "arriving_population"]
    if not paired:
        return dict.fromkeys(["added_min", *counts])
    mean = weighted_mean(changed["added_min"], changed["arriving_population"])
    return {"added_min": none_if_nan(mean), **{name: float(changed[name].sum()) for name in counts}}


def decided_params(decided: pd.DataFrame, plan: Plan) -> Params:
    """Return the parameters of `plan` with the sites of a decision pinned, so that its figures can be made alike.

    Every other constraint is dropped and the budget is what the decision takes: a decision is what it is. Units that
    the decision does not name are free. Which site of a pair receives the citizens follows the rule of pairs.

    Parameters
    ----------
    decided : pandas.DataFrame
        Index unit_id. Columns ``site_id_1`` and ``site_id_2`` (None or empty where there is one site).
    plan : Plan

    Raises
    ------
    InputError
        A site does not lie in the unit it is decided for (key ``decided_elsewhere``).
    """
    unit_of = plan.city.sites["unit_id"]
    faults, singles, pairs, ones = [], [], [], []
    for row in decided.fillna("").itertuples():
        sites = [str(site) for site in (row.site_id_1, row.site_id_2) if site]
        faults += [
            Fault(key="decided_elsewhere", value=site, values={"unit": str(row.Index), "found": str(unit_of[site])})
            for site in sites
            if unit_of[site] != row.Index
        ]
        if len(sites) == 2:
            pairs.append((sites[0], sites[1]))
        else:
            singles += sites
            ones.append(str(row.Index))
    if faults:
        raise InputError(faults)
    constraints = ConstraintParams(pinned_sites=tuple(singles), one_site_units=tuple(ones), pinned_pairs=tuple(pairs))
    data = plan.params.model_dump()
    costs = {name: value for name, value in data["constraints"].items() if name.startswith("cost")}
    data["constraints"] = constraints.model_dump() | costs
    free = len(plan.city.units) - len(decided)
    data["choice"]["max_sites"] = max(1, len(singles) + 2 * len(pairs) + free)
    return Params.model_validate(data)


def _changes(old: pd.DataFrame, new: pd.DataFrame) -> NDArray[np.object_]:
    first, second = ((old[name] == new[name]) for name in ("site_id_1", "site_id_2"))
    swapped = (old["site_id_1"] == new["site_id_2"]) & (old["site_id_2"] == new["site_id_1"])
    return np.select(
        [first & second, swapped, old["n_sites"] != new["n_sites"]], ["none", "roles", "number"], default="buildings"
    ).astype(object)


def _moved_m(before: Plan, after: Plan) -> NDArray[np.float64]:
    geometry = before.city.sites.geometry
    moved = np.full(len(before.units), np.nan)
    places = zip(before.units["site_id_1"], after.units["site_id_1"], strict=True)
    for number, (old, new) in enumerate(places):
        if old and new:
            moved[number] = geometry[old].distance(geometry[new])
    return moved


def _totals(before: Plan, after: Plan) -> pd.DataFrame:
    rows = {name: (before.totals[name], after.totals[name]) for name in _TOTALS}
    rows["objective"] = (before.optimality["objective"], after.optimality["objective"])
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["before", "after"]).astype(float)
    table["difference"] = table["after"] - table["before"]
    return table.rename_axis("figure")
