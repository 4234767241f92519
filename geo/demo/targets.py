"""Areas that the model steers to: official figures and shares, brought into agreement.

The official areas of the old communes, those of the new units and the shares of divided communes come from different
years and contradict one another here and there; 25 communes have no area. Least squares with weights that fall for
what does not fit finds the commune areas that agree best; then every unit is scaled to its official area.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Share of its bounding box that a commune fills on average, and what is believed without doubt.
MEAN_FILL, MIN_FILL, MAX_FILL = 0.53, 0.25, 0.75
#: A box smaller than this part of the commune's area, or of the district's median box, belongs to a hamlet.
_WHOLE_BOX, _TINY_BOX = 0.95, 0.12
#: Relative standard errors of an official commune area: usual, of a low fill, of a high fill, missing, nothing known.
_USUAL, _LOW, _HIGH, _MISSING, _UNKNOWN = 0.03, 0.15, 0.30, 0.35, 0.70
#: Relative standard error of a unit's official area, and the multiple of an error from which doubt grows.
_UNIT, _DOUBT = 0.01, 1.5
#: Least area of a piece: for what is named in a clause but too small for a share.
_MIN_PIECE_KM2, _MIN_PIECE_SHARE = 0.012, 0.05

Floats = NDArray[np.float64]


def find_false_boxes(communes: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which bounding boxes cannot be those of their communes.

    Parameters
    ----------
    communes : pandas.DataFrame
        Columns district_id, area_km2 (may be missing), box_km2, x_m, y_m.
    """
    area, box = communes["area_km2"], communes["box_km2"]
    usual = communes.groupby("district_id")["box_km2"].transform("median")
    too_small = (area > _WHOLE_BOX * box) | (area.isna() & (box < _TINY_BOX * usual))
    # two communes at one point: the box is kept for the one that fits it
    return (too_small | (_is_copy(communes) & (area > MAX_FILL * box))).to_numpy()


def _is_copy(communes: pd.DataFrame) -> pd.Series:
    twins = communes.duplicated(["x_m", "y_m"], keep=False)
    best = communes.assign(fill=communes["area_km2"] / communes["box_km2"]).groupby(["x_m", "y_m"])["fill"]
    return twins & (best.transform("min") < communes["area_km2"] / communes["box_km2"])


def fit_areas(communes: pd.DataFrame, units: pd.DataFrame, pieces: pd.DataFrame) -> Floats:
    """Return the area of every piece in km2.

    Parameters
    ----------
    communes : pandas.DataFrame
        Columns district_id, area_km2 (may be missing), box_km2, false_box; index 0, 1, 2, ...
    units : pandas.DataFrame
        Column area_km2; index 0, 1, 2, ...
    pieces : pandas.DataFrame
        Columns commune, unit (positions in the two tables above) and area_share (may be missing).
    """
    shares = pieces["area_share"].fillna(0.0).to_numpy()
    matrix = np.zeros((len(units), len(communes)))
    np.add.at(matrix, (pieces["unit"], pieces["commune"]), shares)
    unit_area = units["area_km2"].to_numpy(float)
    area, trust = _fit_communes(*_prior(communes), matrix, unit_area)
    given = np.minimum(_MIN_PIECE_KM2, _MIN_PIECE_SHARE * area)[pieces["commune"]]
    piece_area = np.maximum(shares * area[pieces["commune"]], given)
    drawn = np.bincount(pieces["unit"], piece_area, len(units))
    # where the figures clash the unit's own area is doubted too, and its pieces are left as they are
    scale = np.where(trust < 0.2, 1.0, unit_area / drawn)
    # rounded, so that another processor's last bits do not move a line
    return np.round(piece_area * scale[pieces["unit"]], 6)


def _prior(communes: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the area believed before the units are looked at, and its relative standard error."""
    area, box = communes["area_km2"], communes["box_km2"]
    false_box = communes["false_box"]
    fill = (area / box).where(~false_box, MEAN_FILL)
    usual = communes.groupby("district_id")["area_km2"].transform("median")
    cases = [area.isna() & false_box, area.isna(), fill > MAX_FILL, fill < MIN_FILL]
    prior = np.select(cases, [usual, MEAN_FILL * box, 0.7 * box, area], area)
    return prior, np.select(cases, [_UNKNOWN, _MISSING, _HIGH, _LOW], _USUAL)


def _fit_communes(prior: Floats, error: Floats, matrix: Floats, unit_area: Floats) -> tuple[Floats, Floats]:
    """Return commune areas and the trust in each unit's area, by iteratively reweighted least squares."""
    trust, unit_trust = np.ones(len(prior)), np.ones(len(unit_area))
    area = prior
    for _ in range(30):
        own, sums = np.sqrt(trust) / error, np.sqrt(unit_trust) / _UNIT
        rows = np.r_[np.diag(own / prior), (sums / unit_area)[:, None] * matrix]
        area = np.maximum(np.linalg.lstsq(rows, np.r_[own, sums], rcond=None)[0], 0.1 * prior)
        trust = 1 / np.maximum(1, np.abs(area / prior - 1) / error / _DOUBT)
        unit_trust = 1 / np.maximum(1, np.abs(matrix @ area / unit_area - 1) / _UNIT / _DOUBT)
    return area, unit_trust
