"""What the audit of a merge looks at: the checks with their limits, the case that is audited and a finding.

The words of each check stand in ``geo/text/<language>/audit.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geo.merge.coverage import is_drawn
from geo.merge.sureness import FAIR_WIDTH

#: Largest relative error of a sum that must be conserved.
SUM_TOLERANCE = 1e-9
#: Largest error of a unit's area against the official figure, in percent.
AREA_TOLERANCE_PCT = 5.0
_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is looked at: how grave a failure is, whose it is, and the limit of its value.

    Attributes
    ----------
    must_hold : bool
        A failure is a breach and ends ``truso audit`` with 1; else it is a notice.
    subject, other : {"city", "unit", "commune", ""}
        What the ids in these columns stand for.
    unit : str
        Unit of the value, a key of ``audit.unit``.
    limit : float
        The value may be no larger, or no smaller where `at_least`; its sign does not count.
    """

    subject: str
    unit: str
    limit: float
    other: str = ""
    must_hold: bool = False
    at_least: bool = False


CHECKS: dict[str, Check] = {
    "overlap_km2": Check(subject="city", unit="km2", limit=_NAN, must_hold=True),
    "gap_km2": Check(subject="city", unit="km2", limit=_NAN, must_hold=True),
    "area_lost_share": Check(subject="city", unit="share", limit=SUM_TOLERANCE, must_hold=True),
    "population_lost_share": Check(subject="city", unit="share", limit=SUM_TOLERANCE, must_hold=True),
    "area_measure": Check(subject="city", unit="times", limit=1.0, must_hold=True),
    "area_error_pct": Check(subject="unit", unit="pct", limit=AREA_TOLERANCE_PCT, other="unit", must_hold=True),
    "unit_without_land": Check(subject="unit", unit="m2", limit=1.0, other="commune", must_hold=True, at_least=True),
    "population_error_pct": Check(subject="unit", unit="pct", limit=20.0),
    "unit_overlap": Check(subject="unit", unit="km2", limit=0.0, other="unit"),
    "unit_gap": Check(subject="unit", unit="km2", limit=0.0, other="unit"),
    "unit_sliver": Check(subject="unit", unit="km2", limit=0.0, other="unit"),
    "unit_apart": Check(subject="unit", unit="pct", limit=0.0, other="commune"),
    "commune_overlap_km2": Check(subject="city", unit="km2", limit=_NAN),
    "commune_gap_km2": Check(subject="city", unit="km2", limit=_NAN),
    "commune_outside_km2": Check(subject="city", unit="km2", limit=_NAN),
    "commune_overlap": Check(subject="commune", unit="km2", limit=0.0, other="commune"),
    "commune_gap": Check(subject="commune", unit="km2", limit=0.0, other="commune"),
    "commune_outside": Check(subject="commune", unit="km2", limit=0.0, other="commune"),
    "commune_sliver": Check(subject="commune", unit="km2", limit=0.0, other="commune"),
    "commune_area_measure": Check(subject="city", unit="times", limit=1.0),
    "commune_area_error_pct": Check(subject="commune", unit="pct", limit=10.0),
    "commune_change_pct": Check(subject="commune", unit="pct", limit=10.0),
    "whole_outside": Check(subject="commune", unit="pct", limit=5.0, other="unit"),
    "unnamed_land": Check(subject="unit", unit="pct", limit=5.0, other="commune"),
    "clause_without_land": Check(subject="unit", unit="m2", limit=1.0, other="commune", at_least=True),
    "part_tiny": Check(subject="unit", unit="m2", limit=10_000.0, other="commune", at_least=True),
    "land_without_people_most": Check(subject="unit", unit="pct", limit=50.0, other="commune"),
    "people_on_little_land": Check(subject="unit", unit="pct", limit=5.0, other="commune", at_least=True),
    "given_shares_pct": Check(subject="commune", unit="pct", limit=0.5, other="unit"),
    "line_unused": Check(subject="city", unit="m", limit=0.0),
    "share_unsure": Check(subject="commune", unit="pct", limit=100 * FAIR_WIDTH, other="unit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is audited: tables of :mod:`geo.schemas` in one metric CRS."""

    communes: gpd.GeoDataFrame
    unit_facts: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    pieces: gpd.GeoDataFrame
    overlay: gpd.GeoDataFrame

    @property
    def drawn(self) -> pd.Series:
        """Whether each unit came with a polygon. Index: unit_id."""
        return pd.Series(is_drawn(self.unit_facts.geometry), index=self.unit_facts.index)

    @property
    def settled(self) -> pd.Series:
        """Whether all units of each commune came with a polygon. Index: commune_id, sorted."""
        of_piece = pd.Series(self.drawn[self.pieces["unit_id"]].to_numpy(), index=self.pieces.index)
        return of_piece.groupby(self.pieces["commune_id"]).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding; `limit` only where the check itself has none."""

    check: str
    subject: str
    value: float
    other: tuple[str, ...] = ()
    at_stake_km2: float = _NAN
    place: shapely.Geometry | None = None
    remedy: str = ""
    limit: float = _NAN
    figures: dict[str, Any] = field(default_factory=dict)
