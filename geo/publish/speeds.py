"""The speeds that a plan would use, as a table to read and to edit."""

from __future__ import annotations

import pandas as pd

from geo.params import AccessParams
from geo.profile import HIGHWAY_CLASSES, MODES, Scenario

_ASSUMED = "Modelling assumption for Hanoi's mixed traffic at free flow, no measurement (geo/params.py)."
_GIVEN = "Given by the user."


def speed_table(access: AccessParams) -> pd.DataFrame:
    """Return the speed of every mode on every class of road, and how it comes about.

    ``kmh`` is the speed of the parameters, the one to edit. Their network profile multiplies it by ``factor`` whenever
    they are used, so ``used_kmh = kmh * factor`` is told and never read back. What the profile restricts at a place,
    and what a bad surface costs, is not in it.

    Parameters
    ----------
    access : AccessParams

    Returns
    -------
    pandas.DataFrame
        Columns ``mode``, ``highway``, ``kmh`` (0 closes the class), ``factor``, ``used_kmh``, ``source`` and
        ``assumption`` (true or false); :func:`geo.sources.speeds.read_speeds` reads the first three back.
    """
    usual, profile = AccessParams().speeds_kmh, access.scenario or Scenario()
    rows = []
    for mode in MODES:
        for name in HIGHWAY_CLASSES:
            base, factor = access.speeds_kmh[mode][name], profile.speed_factors.get(mode, {}).get(name, 1.0)
            assumed = base == usual[mode][name]
            rows.append(
                {
                    "mode": mode,
                    "highway": name,
                    "kmh": base,
                    "factor": factor,
                    "used_kmh": round(base * factor, 6),
                    "source": " ".join(filter(None, (_ASSUMED if assumed else _GIVEN, _source(profile, factor)))),
                    "assumption": str(assumed or (factor != 1 and profile.assumption)).lower(),
                }
            )
    return pd.DataFrame(rows)


def _source(profile: Scenario, factor: float) -> str:
    return "" if factor == 1 else f"Factor of {profile.words('en')}: {profile.source}"
