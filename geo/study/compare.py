"""Compare two plans of one city: what changes, where, and for how many people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import Fault, GeoError, InputError
from geo.params import ConstraintParams, Params
from geo.plan import Plan

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
        ``share_within_30min`` and ``norm_met_pct`` the columns ``<name>_before`` and ``<name>_after``.
    totals : pandas.DataFrame
        Index: figures of ``Plan.totals`` and ``objective``. Columns ``before``, ``after``, ``difference``.
    agreement : dict
        ``units``, ``same_number`` and ``same_buildings`` (units), ``people_elsewhere`` (in units whose citizens are
        received at another place), ``mean_moved_m`` (weighted by people, over the units that have a place in both).
    """

    units: pd.DataFrame
    totals: pd.DataFrame
    agreement: dict[str, Any]


def compare_plans(before: Plan, after: Plan) -> Comparison:
    """Return what changes from one plan to another of the same city.

    Objectives are comparable only where both plans weigh alike; the other figures always are.

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
    same_place = old["site_id_1"] == new["site_id_1"]
    has_both = units["moved_m"].notna()
    people = units["population"][has_both]
    agreement = {
        "units": len(units),
        "same_number": int((old["n_sites"] == new["n_sites"]).sum()),
        "same_buildings": int(units["change"].isin(("none", "roles")).sum()),
        "people_elsewhere": float(units["population"][~same_place].sum()),
        "mean_moved_m": float(np.average(units["moved_m"][has_both], weights=people)) if people.sum() > 0 else None,
    }
    minutes = (units["mean_time_min_after"] - units["mean_time_min_before"]).abs().fillna(0.0)
    order = np.lexsort((np.arange(len(units)), -(minutes * units["population"]).to_numpy()))
    return Comparison(units=units.iloc[order], totals=_totals(before, after), agreement=agreement)


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
