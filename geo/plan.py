"""Make a plan of a City: compose access, score and choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.city import City
from geo.params import Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One site or two for every unit, with what led there.

    Attributes
    ----------
    city : City
    params : Params
    version : str
        Version of the package.
    units : pandas.DataFrame
        Index unit_id, in the order of ``city.units``. Columns: ``name``, ``n_sites`` (0, 1 or 2), ``site_id_1``
        (single site, or the committee's with the one-stop service), ``site_id_2`` (the Party's and council's; empty
        string where none), ``one_site_score``, ``two_site_score`` and ``second_site_gain`` (NaN where there is no
        such option), ``mean_time_min``, ``p95_time_min``, ``share_within_30min`` (of the chosen sites; NaN where the
        unit has no network), ``norm_met_pct``, ``population``, ``staff``, ``need_m2``, ``reason`` (a code, see
        :data:`geo.choose.REASONS`), ``access_reason`` (why times are missing, one of
        :data:`geo.schemas.UNREACHABLE`, or empty), ``unreachable_population``.
    sites : pandas.DataFrame
        Index site_id, in the order of ``city.sites``. Columns: ``unit_id``, ``name``, ``kind``, ``lon``, ``lat``,
        ``score_0_1``, ``location_0_1``, ``size_0_1``, ``access_0_1``, ``conditions_0_1`` (NaN where not known: that
        criterion then carries no weight), ``usable_area_m2``, ``mean_time_min``, ``p95_time_min``,
        ``share_within_30min``, ``access_reason``, ``chosen`` (bool), ``role`` (one of :data:`geo.schemas.ROLES`, or
        empty), ``position_source``, ``data_source``.
    options : pandas.DataFrame
        The best single site and the best pair of every unit, side by side. Columns: ``unit_id``, ``n_sites`` (1 or
        2), ``site_id_1``, ``site_id_2``, ``score``, ``location_0_1``, ``size_0_1``, ``access_0_1``,
        ``conditions_0_1``, ``penalty`` (lost by working in two houses), ``minutes_between`` (NaN for one site),
        ``mean_time_min``, ``p95_time_min``, ``share_within_30min``, ``usable_area_m2``, ``norm_met_pct``, ``chosen``.
    totals : dict
        ``units``, ``sites``, ``units_with_one``, ``units_with_two``, ``units_without``, ``population``,
        ``mean_time_min``, ``share_within_30min``, ``norm_met_pct``, ``units_without_network`` (list of ids).
    optimality : dict
        ``status`` (``"optimal"``), ``gap`` (0.0), ``objective``, ``method``, ``why``: keys and figures.
    seconds : dict of str to float
        Wall-clock seconds per step; the only part that differs from run to run.
    """

    city: City
    params: Params
    version: str
    units: pd.DataFrame
    sites: pd.DataFrame
    options: pd.DataFrame
    totals: dict[str, Any]
    optimality: dict[str, Any]
    seconds: dict[str, float]
