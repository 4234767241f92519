"""The tables of a plan: a choice on the units, the sites and the options of a city, and what they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.choice.choose import Choice
from geo.choice.robust import Robustness
from geo.choice.score import Options
from geo.city import City
from geo.errors import Fault
from geo.params import CRITERIA
from geo.schemas import WGS84
from geo.travel.access import AccessFigures, TravelTimes
from geo.travel.weighted import weighted_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a plan needs and the weights and the budget do not touch.

    Attributes
    ----------
    times : TravelTimes
        To the sites.
    served : TravelTimes
        As they are scored: the same, or to the nearer of each site and the nearest service point.
    needs : pandas.DataFrame
        Staff and floor area by unit_id, see :func:`geo.choice.need.needs_of`.
    criteria : pandas.DataFrame
        Of every building alone, see :func:`geo.choice.score.site_criteria`.
    filled : pandas.DataFrame
        The same with a cautious figure for what is not known, as it is scored.
    options : Options
    figures : tuple of AccessFigures
        Of every option.
    idle : tuple of str
        Names of restrictions of the network profile that touch no road.
    """

    times: TravelTimes
    served: TravelTimes
    needs: pd.DataFrame
    criteria: pd.DataFrame
    filled: pd.DataFrame
    options: Options
    figures: tuple[AccessFigures, ...]
    idle: tuple[str, ...] = ()


def units_table(
    city: City, prepared: Prepared, choice: Choice, scores: NDArray[np.float64], robustness: Robustness | None
) -> pd.DataFrame:
    """Return ``Plan.units``."""
    options, chosen = prepared.options, choice.chosen
    figures = [prepared.figures[row] if row >= 0 else None for row in chosen]
    need = prepared.needs["need_m2"].to_numpy()
    norm_1, norm_2 = _norms_met_pct(prepared, chosen)
    two = (chosen >= 0) & options.is_pair[chosen] if len(scores) else chosen >= 0
    people = city.units["population"].to_numpy()
    columns = _figure_columns(figures)
    unserved = city.units.index.isin(list(prepared.times.unserved))
    columns["share_within_30min"] = np.where(unserved, 0.0, columns["share_within_30min"]).tolist()
    return pd.DataFrame(
        {
            "name": city.units["name"],
            "n_sites": np.where(chosen < 0, 0, np.where(two, 2, 1)),
            "site_id_1": _site_ids(options, options.first, chosen),
            "site_id_2": _site_ids(options, options.second, chosen),
            "one_site_score": _taken(scores, choice.best_single),
            "two_site_score": _taken(scores, choice.best_pair),
            "second_site_gain": np.round(choice.gain, 9),
            **columns,
            "norm_met_pct": 100 * _ratio(_taken(options.usable_area_m2, chosen), need),
            "norm_met_pct_1": norm_1,
            "norm_met_pct_2": norm_2,
            "population": people,
            "staff": prepared.needs["staff"],
            "need_m2": need,
            "reason": choice.reason,
            "access_reason": [figure.reason if figure else "" for figure in figures],
            "unreachable_population": [
                figure.unreachable_population if figure and count > 0 else np.nan
                for figure, count in zip(figures, people, strict=True)
            ],
            "win_share": np.full(len(people), np.nan) if robustness is None else robustness.win_share,
            "firmness": _firmness(robustness, chosen),
        },
        index=city.units.index,
    )


def _norms_met_pct(prepared: Prepared, chosen: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the known area of the first and the second site of each unit over what its role needs."""
    options, needs = prepared.options, prepared.needs
    area = prepared.criteria["usable_area_m2"].to_numpy()
    first, second = np.full(len(chosen), np.nan), np.full(len(chosen), np.nan)
    housed = np.flatnonzero(chosen >= 0)
    pair = options.is_pair[chosen[housed]]
    for role, units in (("", housed[~pair]), ("committee_", housed[pair])):
        first[units] = _ratio(area[options.first[chosen[units]]], needs[f"{role}need_m2"].to_numpy()[units])
    units = housed[pair]
    second[units] = _ratio(area[options.second[chosen[units]]], needs["party_need_m2"].to_numpy()[units])
    return 100 * first, 100 * second


def _firmness(robustness: Robustness | None, chosen: NDArray[np.int64]) -> NDArray[np.object_]:
    if robustness is None:
        return np.full(len(chosen), "", dtype=object)
    named = np.where(robustness.firm, "firm", "contestable")
    return np.where(chosen >= 0, named, "").astype(object)


def sites_table(city: City, prepared: Prepared, choice: Choice, scores: NDArray[np.float64]) -> pd.DataFrame:
    """Return ``Plan.sites``."""
    options, sites = prepared.options, city.sites
    single = np.full(len(sites), -1, np.int64)
    alone = np.flatnonzero(~options.is_pair)
    single[options.first[alone]] = alone
    figures = [prepared.figures[row] if row >= 0 else None for row in single]
    degrees = sites.geometry.to_crs(WGS84)
    roles = _site_roles(prepared, choice)
    return pd.DataFrame(
        {
            "unit_id": sites["unit_id"],
            "name": sites["name"],
            "kind": sites["kind"],
            "lon": degrees.x,
            "lat": degrees.y,
            "score_0_1": _taken(scores, single),
            **{f"{name}_0_1": prepared.criteria[f"{name}_0_1"] for name in CRITERIA},
            "usable_area_m2": prepared.criteria["usable_area_m2"],
            **_figure_columns(figures),
            "access_reason": [figure.reason if figure else "" for figure in figures],
            "chosen": roles["role"] != "",
            **roles,
            "position_source": sites["position_source"],
            "data_source": sites["data_source"],
        },
        index=sites.index,
    )


def _site_roles(prepared: Prepared, choice: Choice) -> pd.DataFrame:
    """Return what each building is used for and what that needs, over the known area.

    Returns
    -------
    pandas.DataFrame
        Index site_id. Columns ``role`` (one of :data:`geo.schemas.ROLES`; empty where not chosen), ``role_staff``,
        ``role_need_m2`` and ``norm_met_pct`` (NaN where not chosen or not known).
    """
    options, needs = prepared.options, prepared.needs
    role = np.full(len(options.site_ids), "", dtype=object)
    figures = np.full((len(role), 2), np.nan)
    chosen = choice.chosen[choice.chosen >= 0]
    pair = options.is_pair[chosen]
    parts = {
        "all_functions": (chosen[~pair], options.first, ""),
        "committee_one_stop": (chosen[pair], options.first, "committee_"),
        "party_council": (chosen[pair], options.second, "party_"),
    }
    for name, (rows, position, part) in parts.items():
        role[position[rows]] = name
        wanted = needs[[f"{part}staff", f"{part}need_m2"]].to_numpy()
        figures[position[rows]] = wanted[options.unit[rows]]
    area = prepared.criteria["usable_area_m2"].to_numpy()
    return pd.DataFrame(
        {
            "role": role,
            "role_staff": figures[:, 0],
            "role_need_m2": figures[:, 1],
            "norm_met_pct": 100 * _ratio(area, figures[:, 1]),
        },
        index=options.site_ids,
    )


def options_table(city: City, prepared: Prepared, choice: Choice, scores: NDArray[np.float64]) -> pd.DataFrame:
    """Return ``Plan.options``."""
    options = prepared.options
    rows = np.stack([choice.best_single, choice.best_pair], axis=1).ravel()
    rows = rows[rows >= 0]
    unit = options.unit[rows]
    figures = [prepared.figures[row] for row in rows]
    criteria = {f"{name}_0_1": options.criteria[rows, column] for column, name in enumerate(CRITERIA)}
    return pd.DataFrame(
        {
            "unit_id": options.unit_ids[unit],
            "n_sites": np.where(options.is_pair[rows], 2, 1),
            "site_id_1": _site_ids(options, options.first, rows),
            "site_id_2": _site_ids(options, options.second, rows),
            "score": scores[rows],
            **criteria,
            "penalty": options.penalty[rows],
            "minutes_between": options.minutes_between[rows],
            **_figure_columns(figures),
            "usable_area_m2": options.usable_area_m2[rows],
            "norm_met_pct": 100 * _ratio(options.usable_area_m2[rows], prepared.needs["need_m2"].to_numpy()[unit]),
            "chosen": choice.chosen[unit] == rows,
        }
    )


def _figure_columns(figures: Sequence[AccessFigures | None]) -> dict[str, list[float]]:
    return {
        "mean_time_min": [figure.mean_min if figure else np.nan for figure in figures],
        "p95_time_min": [figure.p95_min if figure else np.nan for figure in figures],
        "share_within_30min": [figure.share_within_30min if figure else np.nan for figure in figures],
    }


def _taken(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return ``values[rows]``, NaN where the row is -1."""
    taken = np.full(len(rows), np.nan)
    taken[rows >= 0] = values[rows[rows >= 0]]
    return taken


def _ratio(value: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, value / whole, np.nan)


def _site_ids(options: Options, position: NDArray[np.int64], rows: NDArray[np.int64]) -> list[str]:
    """Return the site id at ``position[rows]``, empty where there is none."""
    return ["" if row < 0 or position[row] < 0 else str(options.site_ids[position[row]]) for row in rows]


def sum_up(city: City, units: pd.DataFrame) -> dict[str, Any]:
    """Return ``Plan.totals``."""
    arriving = units["population"] - units["unreachable_population"]
    return {
        "units": len(units),
        "candidates": len(city.sites),
        "sites": int(units["n_sites"].sum()),
        "units_with_one": int((units["n_sites"] == 1).sum()),
        "units_with_two": int((units["n_sites"] == 2).sum()),
        "units_without": int((units["n_sites"] == 0).sum()),
        "population": float(units["population"].sum()),
        "mean_time_min": none_if_nan(weighted_mean(units["mean_time_min"], arriving)),
        "share_within_30min": none_if_nan(weighted_mean(units["share_within_30min"], units["population"])),
        "norm_met_pct": none_if_nan(weighted_mean(units["norm_met_pct"], units["need_m2"])),
        "units_without_network": units.index[units["access_reason"] == "no_network"].tolist(),
    }


def none_if_nan(figure: float) -> float | None:
    """Return a figure as totals hold it: None where it is not known."""
    return None if np.isnan(figure) else figure


def notes_on(totals: dict[str, Any], units: pd.DataFrame, *, idle: Sequence[str] = ()) -> tuple[Fault, ...]:
    """Return what the plan itself has to warn of; `idle` as :class:`Prepared` has it."""
    lost = (units["unreachable_population"] > 0) & (units["access_reason"] != "no_network")
    found = {
        "units_without_network": totals["units_without_network"],
        "people_unreachable": units.index[lost].tolist(),
        "no_candidate": units.index[units["reason"] == "no_candidate"].tolist(),
    }
    of_profile = [Fault(key="profile_idle", severity="warning", value=name) for name in idle]
    return tuple(
        Fault(key=key, severity="warning", values={"units": _listed(units, ids)}) for key, ids in found.items() if ids
    ) + tuple(of_profile)


def _listed(units: pd.DataFrame, ids: list[str]) -> str:
    return ", ".join(f"{name} ({unit_id})" for unit_id, name in units.loc[ids, "name"].items())
