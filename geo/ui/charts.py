"""Charts as Vega-Lite, which Streamlit brings; numbers stand as the reader's language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo.text import t
from geo.ui.words import number_locale

#: Blue for what is looked at, and orange for what is compared with it (Okabe and Ito).
LINE, MARK = "#0072b2", "#d55e00"
_PADDING = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of the frontier.

    Attributes
    ----------
    column : str
        Of the frontier's table.
    factor : float
        To the figure shown.
    decimals : int
    span : float
        Least height of the axis in the figure shown, so that noise does not look like a slope.
    """

    column: str
    factor: float = 1.0
    decimals: int = 1
    span: float = 1.0


MEASURES = (
    Measure(column="objective", decimals=3, span=0.01),
    Measure(column="marginal_gain", factor=1000, decimals=2, span=0.1),
    Measure(column="norm_met_pct", decimals=0, span=10),
    Measure(column="mean_time_min", span=0.5),
    Measure(column="p95_time_min", span=1.0),
    Measure(column="worst_time_min", span=5.0),
    Measure(column="share_within_30min", factor=100, span=2.0),
    Measure(column="share_within_5km", factor=100, span=2.0),
    Measure(column="cost", decimals=0, span=1.0),
)


def frontier_chart(table: pd.DataFrame, measure: Measure, *, lang: str, height: int = 210) -> dict[str, Any]:
    """Return one figure over the number of sites, with the marked budgets.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`geo.study.frontier.trace_frontier`.
    measure : Measure
    lang : str
    height : int
        In pixels.
    """
    title = t(f"study.frontier.measure.{measure.column}", lang=lang)
    values = (table[measure.column] * measure.factor).round(measure.decimals + 2)
    rows = [
        {"sites": int(budget), "value": float(value), "mark": mark}
        for budget, value, mark in zip(table.index, values, table["mark"], strict=True)
        if not np.isnan(value)
    ]
    return {
        "title": {"text": title, "anchor": "start", "fontSize": 13, "fontWeight": 600, "limit": 300},
        "height": height,
        "data": {"values": rows},
        "config": {"locale": {"number": number_locale(lang)}},
        "encoding": _frontier_axes(table, values, measure),
        "layer": [
            {"mark": {"type": "line", "color": LINE, "strokeWidth": 2}},
            *_marked_budgets(),
            _near_budget(title, measure, lang),
        ],
    }


def _frontier_axes(table: pd.DataFrame, values: pd.Series, measure: Measure) -> dict[str, Any]:
    x = {
        "field": "sites",
        "type": "quantitative",
        "scale": {"domain": [int(table.index[0]), int(table.index[-1])], "nice": False},
        "axis": {"title": None, "format": "d", "tickCount": 6, "grid": False, "labelFlush": True},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": axis_ends(values, span=measure.span), "nice": False},
        "axis": {"title": None, "format": f",.{measure.decimals}f", "tickCount": 4},
    }
    return {"x": x, "y": y}


def _marked_budgets() -> list[dict[str, Any]]:
    """Return the layers that mark budgets: a line down and a point."""
    marked = [{"filter": "datum.mark !== ''"}]
    shape = {
        "field": "mark",
        "type": "nominal",
        "scale": {"domain": ["one_each", "budget"], "range": ["circle", "diamond"]},
        "legend": None,
    }
    return [
        {
            "transform": marked,
            "mark": {"type": "rule", "color": MARK, "strokeDash": [4, 3]},
            "encoding": {"y": None},
        },
        {
            "transform": marked,
            "mark": {"type": "point", "filled": True, "size": 90, "color": MARK, "opacity": 1},
            "encoding": {"shape": shape},
        },
    ]


def _near_budget(title: str, measure: Measure, lang: str) -> dict[str, Any]:
    """Return the layer that tells the figures of the budget next to the pointer."""
    told = [
        {"field": "sites", "type": "quantitative", "title": t("study.frontier.sites", lang=lang), "format": "d"},
        {"field": "value", "type": "quantitative", "title": title, "format": f",.{measure.decimals + 1}f"},
    ]
    return {
        "params": [{"name": "near", "select": {"type": "point", "on": "pointerover", "nearest": True}}],
        "mark": {"type": "point", "filled": True, "size": 45, "color": LINE},
        "encoding": {
            "opacity": {"condition": {"param": "near", "empty": False, "value": 1}, "value": 0},
            "tooltip": told,
        },
    }


def axis_ends(values: pd.Series, *, span: float) -> list[float]:
    """Return the ends of an axis that holds all `values`, is at least `span` long, and keeps below 100 % if they do."""
    known = values.dropna()
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    missing = max(0.0, span - (high - low))
    margin = _PADDING * max(span, high - low)
    bottom = low - missing - margin
    return [max(0.0, bottom) if low >= 0 else bottom, high + margin]


def figures_chart(bars: pd.DataFrame, *, title: str, lang: str) -> dict[str, Any]:
    """Return how many units each figure changes, a bar for each value that was tried, the strongest figure on top.

    Parameters
    ----------
    bars : pandas.DataFrame
        Columns ``figure`` and ``side`` (words) and ``units_changed``.
    title : str
    lang : str
    """
    order = bars.groupby("figure")["units_changed"].max().sort_values(ascending=False, kind="stable").index.tolist()
    sides = list(dict.fromkeys(bars["side"]))
    return {
        "title": {"text": title, "anchor": "start", "fontSize": 13, "fontWeight": 600},
        "height": {"step": 9},
        "data": {"values": bars[["figure", "side", "units_changed"]].to_dict("records")},
        "config": {"locale": {"number": number_locale(lang)}},
        "mark": {"type": "bar", "height": {"band": 0.95}},
        "encoding": {
            "y": {"field": "figure", "type": "nominal", "sort": order, "axis": {"title": None, "labelLimit": 230}},
            "yOffset": {"field": "side", "sort": sides},
            "x": {
                "field": "units_changed",
                "type": "quantitative",
                "axis": {"title": None, "tickMinStep": 1, "format": "d"},
            },
            "color": {
                "field": "side",
                "type": "nominal",
                "sort": sides,
                "scale": {"domain": sides, "range": [LINE, MARK, "#009e73"][: len(sides)]},
                "legend": {"title": None, "orient": "top", "columns": 1},
            },
            "tooltip": [
                {"field": name, "type": kind, "title": ""}
                for name, kind in (("figure", "nominal"), ("side", "nominal"), ("units_changed", "quantitative"))
            ],
        },
    }


def ranges_chart(ranges: pd.DataFrame, *, title: str, words: dict[str, str], lang: str) -> dict[str, Any]:
    """Return, for each criterion, the range in which its weight may move, and where it stands.

    Parameters
    ----------
    ranges : pandas.DataFrame
        Columns ``criterion`` (words), ``low``, ``now`` and ``high``, between 0 and 1.
    title : str
    words : dict of str to str
        Names of the three figures.
    lang : str
    """
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"title": None, "format": ".1f", "tickCount": 6}}
    y = {"field": "criterion", "type": "nominal", "sort": None, "axis": {"title": None, "labelLimit": 200}}
    told = [
        {"field": name, "type": "quantitative", "title": words[name], "format": ".3f"}
        for name in ("low", "now", "high")
    ]
    return {
        "title": {"text": title, "anchor": "start", "fontSize": 13, "fontWeight": 600},
        "height": {"step": 30},
        "data": {"values": ranges.round(4).to_dict("records")},
        "config": {"locale": {"number": number_locale(lang)}},
        "encoding": {"y": y, "tooltip": told},
        "layer": [
            {
                "mark": {"type": "bar", "color": LINE, "opacity": 0.35, "height": 14},
                "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "tick", "color": MARK, "thickness": 3, "size": 20},
                "encoding": {"x": {"field": "now", **x}},
            },
        ],
    }
