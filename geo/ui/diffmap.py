"""The map of differences: units filled by the minutes that change, as Vega-Lite that needs nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.city import City
from geo.profile import Restriction
from geo.publish.reasons import number_text, percent_text
from geo.schemas import WGS84
from geo.study.impact import Impact
from geo.text import t

#: What the units can be filled by.
MEASURES = ("added_min", "worst_added_min", "lost_pct")
#: Violet for shorter, brown for longer (ColorBrewer PuOr, which every kind of colour vision can tell apart).
_SHORTER, _SAME, _LONGER, _LOST = "#542788", "#f7f7f7", "#b35806", "#2b2b2b"
#: What is not known must not look like no change.
_UNKNOWN = "#b4bcc8"
#: The ends of the scale are multiples of this.
_STEPS = {"added_min": 0.5, "worst_added_min": 5.0, "lost_pct": 10.0}
_OUTLINE = {"type": "geoshape", "strokeWidth": 1.8, "stroke": "#0b6e4f", "filled": False}
_TOLERANCE_M = 80.0
#: Units with more people cut off than this are shown as lost, whatever the others need.
_MOSTLY_LOST_PCT = 50.0
#: Less than this rounds to nothing.
_SHOWN_MIN = 0.05
_SHOWN_SHARE = 0.0005
_MARGIN_SHARE = 0.15


def unit_shapes(city: City) -> list[dict[str, Any]]:
    """Return the units as GeoJSON geometries in whole metres, few vertices, shared borders still shared."""
    simple = shapely.coverage_simplify(city.units.geometry.array, _TOLERANCE_M)
    return [json.loads(text) for text in shapely.to_geojson(shapely.transform(np.asarray(simple), np.round))]


def measured(units: pd.DataFrame) -> pd.DataFrame:
    """Return `units` with ``lost_pct``, the share of people cut off in percent."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return units.assign(lost_pct=100 * units["lost_population"] / units["population"])


def difference_chart(
    units: pd.DataFrame,
    city: City,
    shapes: list[dict[str, Any]],
    *,
    measure: str,
    lang: str,
    height: int,
    whole: bool,
    places: Sequence[Restriction] = (),
    outlined: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return the chart.

    Parameters
    ----------
    units : pandas.DataFrame
        ``units`` of an :class:`~geo.study.impact.Impact` or a :class:`~geo.study.compare.Comparison`, in the order of
        the city's.
    city : City
    shapes : list of dict
        From :func:`unit_shapes`.
    measure : str
        One of :data:`MEASURES`.
    lang : str
    height : int
        In pixels.
    whole : bool
        Show the whole city; else what lies around the units that change.
    places : sequence of Restriction
        Drawn as outlines.
    outlined : ndarray of bool, optional
        Units whose outline stands out; they count as changed.
    """
    units = measured(units)
    marked = np.zeros(len(units), bool) if outlined is None else outlined
    end = scale_end(units[measure], step=_STEPS[measure])
    shown = np.ones(len(units), bool) if whole else around_changes(units, city, also=marked)
    features = _features(shapes, _properties(units, measure, lang), shown)
    standing_out = _features(shapes, [{} for _ in shapes], marked & shown)
    frames = [_outline(restriction, city.crs) for restriction in places]
    frame = {"type": "geoshape", "strokeWidth": 2, "strokeDash": [5, 3], "stroke": "#d1006c", "filled": False}
    return {
        "height": height,
        "projection": {"type": "identity", "reflectY": True},
        "layer": [
            {"data": {"values": features}, **_filled_units(measure, end, lang, _told(units))},
            *([{"data": {"values": standing_out}, "mark": {**_OUTLINE}}] if standing_out else []),
            *([{"data": {"values": frames}, "mark": frame}] if frames else []),
        ],
    }


def _features(
    shapes: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], shown: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    return [
        {"type": "Feature", "geometry": shape, "properties": row}
        for shape, row, wanted in zip(shapes, rows, shown, strict=True)
        if wanted
    ]


def has_unknown(units: pd.DataFrame, measure: str) -> bool:
    """Return whether the map shows units of which the measure is not known."""
    shown = measured(units)
    return bool((shown[measure].isna() & ~(shown["lost_pct"] >= _MOSTLY_LOST_PCT)).any())


def around_changes(units: pd.DataFrame, city: City, *, also: NDArray[np.bool_] | bool = False) -> NDArray[np.bool_]:
    """Return which units lie in the box around those that change, and `also`; all of them where none does."""
    changed = ((units["added_min"].abs() >= _SHOWN_MIN) | (units["lost_population"] > 0)).to_numpy() | also
    if not changed.any():
        return np.ones(len(units), bool)
    west, south, east, north = city.units.geometry[changed].total_bounds
    margin = _MARGIN_SHARE * max(east - west, north - south)
    box = shapely.box(west - margin, south - margin, east + margin, north + margin)
    return np.asarray(shapely.within(shapely.point_on_surface(city.units.geometry.array), box)) | changed


def scale_end(values: pd.Series, *, step: float) -> float:
    """Return a multiple of `step` that nearly all `values` stay within, on both sides of zero."""
    known = values.abs().dropna()
    return max(step, float(step * np.ceil(known.quantile(0.98) / step))) if len(known) else step


def _filled_units(measure: str, end: float, lang: str, told: Sequence[str]) -> dict[str, Any]:
    diverging = measure == "added_min"
    scale = {
        "domain": [-end, 0, end] if diverging else [0, end],
        "range": [_SHORTER, _SAME, _LONGER] if diverging else [_SAME, _LONGER],
        "clamp": True,
    }
    legend = {
        "title": t(f"scenario.legend.{measure}", lang=lang),
        "orient": "bottom",
        "gradientLength": 260,
        "titleLimit": 0,
    }
    words = {name: t(f"scenario.column.{name}", lang=lang) for name in told}
    return {
        "mark": {"type": "geoshape", "stroke": "#8c94a3", "strokeWidth": 0.6},
        "encoding": {
            "color": {
                "condition": [
                    {"test": "datum.properties.lost", "value": _LOST},
                    {"test": "datum.properties.unknown", "value": _UNKNOWN},
                ],
                "field": "properties.value",
                "type": "quantitative",
                "scale": scale,
                "legend": legend,
            },
            "tooltip": [
                {"field": f"properties.{name}", "type": "nominal", "title": title} for name, title in words.items()
            ],
        },
    }


_TOLD = (
    "name", "mean_time_min_before", "mean_time_min_after", "added_min", "worst_added_min", "slower_population",
    "lost_population", "lost_reason",
)  # fmt: skip


def _told(units: pd.DataFrame) -> list[str]:
    return [name for name in _TOLD if name in units]


def _properties(units: pd.DataFrame, measure: str, lang: str) -> list[dict[str, Any]]:
    names = _told(units)

    def told(name: str, value: Any) -> str:
        if name in ("name", "lost_reason"):
            return t(f"scenario.why.{value}", lang=lang) if name == "lost_reason" and value else str(value) or "–"
        return number_text(value, lang=lang, decimals=0 if name.endswith("population") else 1)

    # Vega leaves out what has no value, so that the unknown are given one, and a mark.
    unknown = units[measure].isna()
    values = (units[measure].round(3).fillna(0.0) + 0.0).tolist()
    lost = units["lost_pct"] >= _MOSTLY_LOST_PCT
    texts = [[told(name, cell) for name, cell in zip(names, row, strict=True)] for row in units[names].to_numpy()]
    states = zip(values, unknown.tolist(), (lost & (measure != "lost_pct")).tolist(), strict=True)
    return [
        {"value": value, "unknown": blank, "lost": gone, **dict(zip(names, words, strict=True))}
        for (value, blank, gone), words in zip(states, texts, strict=True)
    ]


def _outline(restriction: Restriction, crs: Any) -> dict[str, Any]:
    """Return the edge of a restricted place in metres; a small disc is drawn large enough to be seen."""
    if restriction.ring:
        shape = gpd.GeoSeries([shapely.LinearRing(restriction.ring)], crs=WGS84).to_crs(crs).iloc[0]
    else:
        middle = gpd.GeoSeries(gpd.points_from_xy([restriction.lon], [restriction.lat]), crs=WGS84).to_crs(crs)
        shape = middle.iloc[0].buffer(max(restriction.radius_m, 1000.0)).exterior
    geometry = json.loads(shapely.to_geojson(shapely.transform(shapely.LineString(shape), np.round)))
    return {"type": "Feature", "geometry": geometry, "properties": {}}


def share_change(impact: Impact, *, lang: str) -> tuple[str, str | None]:
    """Return the share within 30 minutes under the scenario, and its change in percentage points if it shows."""
    before, after = (impact.totals[f"share_within_30min_{label}"] for label in ("before", "after"))
    text = percent_text(after, lang=lang, decimals=1)
    if before is None or after is None or abs(after - before) < _SHOWN_SHARE:
        return text, None
    return text, number_text(100 * (after - before), lang=lang, decimals=1)
