"""``map.html``: the plan as one page that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import re
from importlib.resources import files
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.plan import Plan
from geo.publish.findings import findings_table
from geo.publish.provenance import version_line
from geo.publish.reasons import (
    attribution_texts,
    coverage_text,
    modelled_text,
    number_text,
    percent_text,
    reason_text,
)
from geo.publish.tables import sites_table, units_table
from geo.publish.why import explanations_table
from geo.schemas import ROLES, WGS84
from geo.text import t

#: Largest shift of a simplified boundary, metres; neighbours keep the line they share.
_TOLERANCE_M = 50.0
#: Five decimals of a degree are about a metre.
_DECIMALS = 5
#: cividis, dark to light: told apart under every kind of colour blindness.
_COLOURS = ("#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838")
#: What the units can be coloured by.
_MEASURES = ("score", "n_sites", "norm_met_pct", "mean_time_min", "share_within_30min")
#: Classes with a limit that means something: below 100 % of the norm a unit is short of room.
_LIMITS = {"norm_met_pct": (50, 75, 100, 150)}
#: Where less is better the colours run the other way, so that light is always good.
_LESS_IS_BETTER = ("mean_time_min",)
_UNIT_FIGURES = (
    "unit_id",
    "site_id_1",
    "site_id_2",
    "one_site_score",
    "two_site_score",
    "second_site_gain",
    "mean_time_min",
    "p95_time_min",
    "share_within_30min",
    "norm_met_pct",
    "norm_met_pct_1",
    "norm_met_pct_2",
    "population",
    "staff",
    "need_m2",
)
#: A page with thousands of marks would show nothing; the rest is in the other files.
_MOST_FINDINGS = 300
_SITE_FIGURES = ("score_0_1", "location_0_1", "size_0_1", "access_0_1", "conditions_0_1")


def map_html(plan: Plan, *, lang: str, explanations: pd.DataFrame | None = None) -> bytes:
    """Return the map as one HTML page with Leaflet and all data inside.

    The page shows every unit, the chosen sites by shape, outline and colour, the other candidates small, a legend, a
    list of the units to search and to use from the keyboard, what is modelled, the findings of the audit if wanted, and
    the attribution. Its content
    policy forbids to load anything and to run any script but its own two; names enter the page as text only.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
    explanations : pandas.DataFrame, optional
        From :func:`geo.publish.why.explanations_table` in `lang`; made here if left out.
    """
    style = (_asset("leaflet.css"), _template("map.css"))
    scripts = (_asset("leaflet.js"), _template("map.js"))
    texts = {
        "lang": lang,
        "title": t("publish.title", lang=lang, city=plan.city.name),
        "modelled": " ".join(filter(None, (modelled_text(plan, lang=lang), coverage_text(plan, lang=lang)))),
        "legend_title": t("publish.map.legend", lang=lang),
        "list_title": t("publish.map.list", lang=lang),
        "findings": t("audit.on_map", lang=lang),
        "footer": " ".join([*attribution_texts(plan, lang=lang), version_line(plan, lang=lang)]),
        "policy": _policy(scripts),
        **{
            name: t(f"publish.map.{name}", lang=lang)
            for name in ("colour_by", "search", "search_hint", "all_units", "none_found", "map_label")
        },
    }
    inside = {
        "leaflet_css": style[0],
        "map_css": style[1],
        "leaflet_js": scripts[0],
        "map_js": scripts[1],
        "data": _script_json(map_data(plan, lang=lang, explanations=explanations)),
    }
    values = {**{name: html.escape(text) for name, text in texts.items()}, **inside}
    # One pass, so that a value that looks like a placeholder stays what it is.
    return re.sub(r"@([a-z_]+)@", lambda match: values[match[1]], _template("map.html")).encode()


def map_data(plan: Plan, *, lang: str, explanations: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return what the page draws: texts ready to be shown, shapes in degrees (latitude first), classes by number."""
    if explanations is None:
        explanations = explanations_table(plan, lang=lang)
    # The first sentence is the reason, which stands above.
    why = explanations[explanations["number"] > 1].groupby("unit_id")["text"].agg(list).to_dict()
    units = units_table(plan, lang=lang).set_index("unit_id", drop=False)
    units["score"] = units["two_site_score"].where(units["n_sites"] == 2, units["one_site_score"])
    measures = [_measure(units[name], lang=lang) for name in _MEASURES]
    shapes = unit_shapes(plan.city.units)
    return {
        "unknown": t("publish.map.legend_unknown", lang=lang),
        "why": t("choice.card.why", lang=lang),
        "columns": [_label(name, lang=lang) for name in ("name", "n_sites", "score")],
        "unit_labels": [_label(name, lang=lang) for name in _UNIT_FIGURES],
        "site_labels": [_label(name, lang=lang) for name in ("site_id", "kind", "role", *_SITE_FIGURES)],
        "measures": [measure for measure, _ in measures],
        "symbols": [{"symbol": role, "label": t(f"publish.role.{role}", lang=lang)} for role in ROLES]
        + [{"symbol": "other", "label": t("publish.map.legend_other", lang=lang)}],
        "units": [
            _unit_data(unit, plan, shape=shapes[unit["unit_id"]], measures=measures, lang=lang)
            | {"why": why.get(unit["unit_id"], [])}
            for _, unit in units.iterrows()
        ],
        "sites": _site_data(plan, lang=lang),
        "finding_labels": [t(f"audit.column.{name}", lang=lang) for name in ("severity", "remedy", "at_stake_km2")],
        "findings": _finding_data(plan, lang=lang),
    }


def _unit_data(
    unit: pd.Series[Any],
    plan: Plan,
    *,
    shape: list[Any],
    measures: list[tuple[dict[str, Any], pd.Series[Any]]],
    lang: str,
) -> dict[str, Any]:
    unit_id = unit["unit_id"]
    max_sites = plan.params.choice.max_sites
    return {
        "id": unit_id,
        "name": unit["name"],
        "shape": shape,
        "cells": [str(unit["n_sites"]), _figure_text("score", unit["score"], lang=lang)],
        "classes": {measure["key"]: int(classes[unit_id]) for measure, classes in measures},
        "values": [_unit_text(name, unit[name], plan, lang=lang) for name in _UNIT_FIGURES],
        "reason": reason_text(plan.units.loc[unit_id], lang=lang, max_sites=max_sites),
    }


def unit_shapes(units: gpd.GeoDataFrame, *, tolerance_m: float = _TOLERANCE_M) -> dict[str, list[Any]]:
    """Return every unit as polygons of rings of [latitude, longitude], simplified as a coverage.

    Parameters
    ----------
    units : geopandas.GeoDataFrame
        Index unit_id, polygons in a metric CRS that share their lines.
    tolerance_m : float
        Largest shift of a line; neighbours keep the line they share.
    """
    simple = gpd.GeoSeries(
        shapely.coverage_simplify(units.geometry.to_numpy(), tolerance=tolerance_m), index=units.index, crs=units.crs
    )
    return {unit_id: _rings(shape) for unit_id, shape in simple.to_crs(WGS84).items()}


def _rings(shape: shapely.Geometry) -> list[Any]:
    def points(ring: shapely.LinearRing) -> list[list[float]]:
        corners = np.round(shapely.get_coordinates(ring)[:-1, ::-1], _DECIMALS).tolist()
        return [corner for corner, before in zip(corners, [None, *corners], strict=False) if corner != before]

    return [[points(part.exterior), *(points(ring) for ring in part.interiors)] for part in shapely.get_parts(shape)]


def _site_data(plan: Plan, *, lang: str) -> list[dict[str, Any]]:
    sites = sites_table(plan).assign(name=plan.sites["name"].to_numpy(), kind=plan.sites["kind"].to_numpy())
    # The chosen ones come last, so that they lie on top.
    sites = sites.sort_values("chosen", kind="stable")
    return [
        {
            "name": site["name"],
            "symbol": site["role"] if site["chosen"] else "other",
            "at": [round(site["lat"], _DECIMALS), round(site["lon"], _DECIMALS)],
            "values": [
                site["site_id"],
                t(f"publish.kind.{site['kind']}", lang=lang),
                t(f"publish.role.{site['role']}", lang=lang) if site["role"] else "",
                *(number_text(site[name], lang=lang, decimals=3) for name in _SITE_FIGURES),
            ],
        }
        for site in sites.to_dict(orient="records")
    ]


def _finding_data(plan: Plan, *, lang: str) -> list[dict[str, Any]]:
    """Return what the audit found wrong at a place, breaches and what has most land at stake first."""
    texts = findings_table(plan.city, lang=lang, failed_only=True)
    texts = texts[texts["lon"].notna()].head(_MOST_FINDINGS)
    severity = plan.city.audit["severity"][texts.index]
    radius = (4 + 2 * np.sqrt(texts["at_stake_km2"].fillna(0.0))).clip(upper=12).round(1)
    return [
        {
            "title": row["check"],
            "text": row["finding"],
            "at": [round(row["lat"], _DECIMALS), round(row["lon"], _DECIMALS)],
            "grave": kind == "breach",
            "size": size,
            "values": [row["severity"], row["remedy"], number_text(row["at_stake_km2"], lang=lang, decimals=2)],
        }
        for (_, row), kind, size in zip(texts.iterrows(), severity, radius.tolist(), strict=True)
    ]


def _measure(values: pd.Series[Any], *, lang: str) -> tuple[dict[str, Any], pd.Series[Any]]:
    """Return label and classes of one measure, and the class of every unit (-1 where it is not known)."""
    name = str(values.name)
    limits = _class_limits(values)
    if name == "n_sites":
        labels = [str(value) for value in np.sort(values.unique())]
    else:
        labels = _class_labels(name, limits, lang=lang) if values.notna().any() else []
    at = np.linspace(0, len(_COLOURS) - 1, len(labels)).round().astype(int)
    colours = [_COLOURS[i] for i in (at[::-1] if name in _LESS_IS_BETTER else at)]
    classes = pd.Series(np.searchsorted(limits, values), index=values.index).where(values.notna(), -1)
    title = t("publish.map.score_of_choice", lang=lang) if name == "score" else _label(name, lang=lang)
    entries = [{"label": label, "colour": colour} for label, colour in zip(labels, colours, strict=True)]
    return {"key": name, "label": title, "classes": entries}, classes


def _class_limits(values: pd.Series[Any]) -> np.ndarray:
    """Return the upper limits of all classes but the last: fifths of the units, rounded to be read; or fixed ones."""
    known = values.dropna().to_numpy()
    if values.name == "n_sites":
        return np.unique(known)[:-1]
    if not len(known):
        return np.array([])
    decimals = 2 if values.name in ("score", "share_within_30min") else 0
    fifths = np.unique(np.round(np.quantile(known, (0.2, 0.4, 0.6, 0.8)), decimals))
    limits = np.array(_LIMITS.get(str(values.name), fifths))
    # A limit no unit lies beyond would stand for an empty class.
    return limits[limits < known.max()]


def _class_labels(name: str, limits: np.ndarray, *, lang: str) -> list[str]:
    texts = [_figure_text(name, limit, lang=lang) for limit in limits]
    if not texts:
        return ["≥ 0"]
    between = [f"{low} – {high}" for low, high in itertools.pairwise(texts)]
    return [f"≤ {texts[0]}", *between, f"> {texts[-1]}"]


def _label(name: str, *, lang: str) -> str:
    return t(f"publish.column.{name}", lang=lang)


def _unit_text(name: str, value: Any, plan: Plan, *, lang: str) -> str:
    if name.startswith("site_id_"):
        return f"{plan.sites.loc[value, 'name']} ({value})" if value else ""
    return value if isinstance(value, str) else _figure_text(name, value, lang=lang)


def _figure_text(name: str, value: Any, *, lang: str) -> str:
    if name == "share_within_30min":
        return percent_text(value, lang=lang)
    if name.startswith("norm_met_pct"):
        return percent_text(value / 100, lang=lang)
    decimals = {"population": 0, "staff": 0, "need_m2": 0, "mean_time_min": 1, "p95_time_min": 1}.get(name, 3)
    return number_text(value, lang=lang, decimals=decimals)


def _script_json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # No name can close the script element or open another.
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(scripts: tuple[str, ...]) -> str:
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _asset(name: str) -> str:
    text = files(__package__).joinpath("assets", "leaflet", name).read_text(encoding="utf-8")
    # Pictures and the source map would be asked for beside the page, where nothing lies.
    return re.sub(r"url\(images/[^)]*\)", "none", re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text))
