"""How sure the share of an old commune's land is that a unit gets: the range that the data leave open.

A whole commune goes to its unit: its share is 1. Where the polygon of the unit cuts, the share lies between what the
commune's own polygon shows and what the fitted piece has; lines drawn by the user are taken at their word. A modelled
cut is held by sums only: the parts of a commune make up the commune, the parts of a unit make up its official area.
The range is what those sums leave open for this one part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Official areas and polygons differ by 2 % in nine units of ten of Hanoi: so much a unit's sum may be off.
AREA_SLACK = 0.02
#: A range of area shares no wider than this is called sure, or fair.
SURE_WIDTH, FAIR_WIDTH = 0.05, 0.25
_ROUNDS = 60


def add_ranges(pieces: pd.DataFrame, *, found_share: pd.Series, official_area_km2: pd.Series) -> pd.DataFrame:
    """Return `pieces` with the columns ``share_low``, ``share_high`` and ``sureness``.

    Parameters
    ----------
    pieces : pandas.DataFrame
        Columns ``commune_id``, ``unit_id``, ``method``, ``area_km2`` and ``area_share``.
    found_share : pandas.Series
        Same index: the share of the commune's own polygon inside the unit's polygon.
    official_area_km2 : pandas.Series
        By unit_id; missing where not known.

    Returns
    -------
    pandas.DataFrame
        ``share_low`` and ``share_high`` hold the area share between them; ``sureness`` is ``sure``, ``fair`` or
        ``unsure`` by the width of that range.
    """
    share = pieces["area_share"].to_numpy(float)
    low, high = share.copy(), share.copy()
    fitted = (pieces["method"] == "official").to_numpy()
    found = found_share.to_numpy(float)
    low[fitted], high[fitted] = np.minimum(share, found)[fitted], np.maximum(share, found)[fitted]
    modelled = (pieces["method"] == "modelled").to_numpy()
    if modelled.any():
        open_low, open_high = _open_ranges(pieces, modelled, official_area_km2)
        low[modelled], high[modelled] = open_low[modelled], open_high[modelled]
    width = (high - low).round(9)
    words = np.select([width <= SURE_WIDTH, width <= FAIR_WIDTH], ["sure", "fair"], "unsure")
    return pieces.assign(share_low=low.clip(0, 1), share_high=high.clip(0, 1), sureness=words)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Groups of parts whose land adds up to something between `low` and `high`."""

    of: NDArray[np.intp]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def narrow(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return bounds of every part that no other part of its group can break."""
        others_low = np.bincount(self.of, low, len(self.low))[self.of] - low
        others_high = np.bincount(self.of, high, len(self.high))[self.of] - high
        return np.maximum(low, self.low[self.of] - others_high), np.minimum(high, self.high[self.of] - others_low)


def _open_ranges(
    pieces: pd.DataFrame, modelled: NDArray[np.bool_], official_area_km2: pd.Series
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest share of each modelled part, by narrowing intervals until nothing moves."""
    area = pieces["area_km2"].to_numpy(float)
    commune = pd.factorize(pieces["commune_id"])[0]
    unit, unit_ids = pd.factorize(pieces["unit_id"])
    whole = np.bincount(commune, area)[commune]
    open_land = np.bincount(commune, np.where(modelled, area, 0.0)).astype(float)
    official = official_area_km2.reindex(unit_ids).to_numpy(float)
    fixed = np.bincount(unit, np.where(modelled, 0.0, area), len(unit_ids)).astype(float)
    slack = np.where(np.isnan(official), np.inf, AREA_SLACK * official)
    target = np.nan_to_num(official - fixed)
    own = np.flatnonzero(modelled)
    communes = _Sums(commune[own], open_land, open_land)
    units = _Sums(unit[own], target - slack, target + slack)
    narrowed = _narrow(communes, units, open_land[commune[own]])
    low, high = np.zeros(len(pieces)), np.ones(len(pieces))
    size = np.maximum(whole[own], 1e-12)
    low[own], high[own] = (np.clip(bound / size, 0, 1) for bound in narrowed)
    return np.minimum(low, pieces["area_share"]), np.maximum(high, pieces["area_share"])


def _narrow(
    communes: _Sums, units: _Sums, most: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Narrow the bounds; a unit whose official area contradicts its communes is believed no more."""
    trusted = np.ones(len(units.low), dtype=bool)
    while True:
        low, high = np.zeros_like(most), most.copy()
        believed = _Sums(units.of, np.where(trusted, units.low, -np.inf), np.where(trusted, units.high, np.inf))
        for _ in range(_ROUNDS):
            before = low, high
            for sums in (communes, believed):
                low, high = sums.narrow(low, high)
            if (low > high + 1e-9 * most).any() or (np.allclose(before[0], low) and np.allclose(before[1], high)):
                break
        broken = np.unique(units.of[low > high + 1e-9 * most])
        if not trusted[broken].any():
            return np.minimum(low, high), high
        trusted[broken] = False
