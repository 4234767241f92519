"""Colours: cividis, which every kind of colour vision can read, from low to high."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

PALETTE = (
    "#00224e", "#002e6a", "#1a386f", "#32436d", "#434e6c", "#535a6d", "#61656f", "#6f7073", "#7d7c78",
    "#8c8878", "#9b9476", "#aba072", "#bcae6c", "#cdbb63", "#dec958", "#f0d846", "#fee838",
)  # fmt: skip

#: The ends of the ramp of scores are multiples of this.
SCORE_STEP = 0.1


def colour(share: float) -> str:
    """Return the colour of `share`, between 0 and 1; white where it is NaN."""
    if math.isnan(share):
        return "#ffffff"
    place = min(max(share, 0.0), 1.0) * (len(PALETTE) - 1)
    low = min(int(place), len(PALETTE) - 2)
    channels = ((int(PALETTE[low][i : i + 2], 16), int(PALETTE[low + 1][i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in channels)


def round_ends(values: pd.Series, *, step: float) -> tuple[float, float]:
    """Return multiples of `step` between which nearly all `values` lie; a few far ones must not flatten the rest."""
    known = values.dropna()
    if known.empty:
        return 0.0, step
    low = step * np.floor(known.quantile(0.02) / step)
    high = step * np.ceil(known.quantile(0.98) / step)
    return float(low), float(max(high, low + step))
