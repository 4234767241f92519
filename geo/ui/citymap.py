"""The city's map: drawn once from files that the app serves, then fed with scores only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import folium
import numpy as np
import pandas as pd
import streamlit as st
from folium.elements import JSCSSMixin
from folium.template import Template
from streamlit_folium import st_folium

from geo.plan import Plan
from geo.publish.reasons import number_text, percent_text
from geo.schemas import ROLES
from geo.text import t
from geo.ui.colours import SCORE_STEP, round_ends
from geo.ui.served import Served

#: What the units can be filled by: the column of ``plan.units``, and the factor to the figure that the legend shows.
FILLS = {"minutes": ("mean_time_min", 1.0), "share": ("share_within_30min", 100.0), "norm": ("norm_met_pct", 1.0)}
#: The ends of a ramp are multiples of this, so that the legend shows round figures.
_STEPS = {"score": SCORE_STEP, "minutes": 1.0, "share": 10.0}
#: The norm itself lies in the middle of its ramp: blue units are short of room, whatever a few others have too much.
_ENDS = {"norm": (0.0, 200.0)}
_KEY = "map"
_CLICKED = re.compile(r"^([us])(\d+)\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLayers:
    """What the reader wants to see under and over the sites."""

    fill: str = ""
    communes: bool = False
    roads: bool = True
    tiles: bool = False


class _City(JSCSSMixin, folium.MacroElement):
    """Draws the units and sites of the served geometry."""

    _template = Template(
        "{% macro script(this, kwargs) %}trusoCity.draw({{ this._parent.get_name() }}, {{ this.own }});{% endmacro %}"
    )

    def __init__(self, served: Served) -> None:
        super().__init__()
        self._name, self.own = "City", served.own_sites
        self.default_js = [(url, url) for url in served.scripts]
        self.default_css = [(url, url) for url in served.styles]


class _Update(folium.MacroElement):
    """Hands new scores to the drawn map."""

    _template = Template("{% macro script(this, kwargs) %}trusoCity.update(map_div, {{ this.state }});{% endmacro %}")

    def __init__(self, state: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "Update"
        # streamlit-folium renames what looks like its own variables, and those hold an underscore
        self.state = json.dumps(state, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace(
            "_", "\\u005f"
        )


def draw_map(
    plan: Plan, served: Served, *, lang: str, layers: MapLayers, unit_id: str, height: int, on_click: Any
) -> None:
    """Show the map; a click calls `on_click` with the id of the unit, or of the unit of the site, clicked."""
    base = folium.Map(
        tiles=None, location=[0, 0], zoom_start=10, zoom_snap=0.1, fullscreen_control=True, font_size="12px"
    )
    base.default_js, base.default_css = [], []
    base.add_child(_City(served))
    update = folium.FeatureGroup()
    update.add_child(_Update(map_state(plan, lang=lang, layers=layers, unit_id=unit_id)))
    st_folium(
        base,
        key=_KEY,
        height=height,
        use_container_width=True,
        feature_group_to_add=update,
        returned_objects=["last_object_clicked_tooltip", "last_object_clicked_count"],
        on_change=lambda: _handle_click(plan, on_click),
    )


def _handle_click(plan: Plan, on_click: Any) -> None:
    clicked = (st.session_state.get(_KEY) or {}).get("last_object_clicked_tooltip")
    unit_id = clicked_unit(plan, clicked or "")
    if unit_id is not None:
        on_click(unit_id)


def clicked_unit(plan: Plan, tooltip: str) -> str | None:
    """Return the id of the unit that the text of a clicked tooltip stands for, None where it stands for none."""
    found = _CLICKED.match(tooltip)
    if found is None:
        return None
    kind, position = found[1], int(found[2])
    ids = list(plan.units.index) if kind == "u" else plan.sites["unit_id"].tolist()
    return str(ids[position]) if position < len(ids) else None


def map_state(plan: Plan, *, lang: str, layers: MapLayers, unit_id: str) -> dict[str, Any]:
    """Return what the map needs to show `plan`: figures by the position of the unit or site, and the words.

    Scores are whole thousandths, times tenths of a minute, percentages words; null stands for not known.
    """
    units, sites = plan.units, plan.sites
    roles = sites["role"].map({role: str(i) for i, role in enumerate(ROLES, start=1)})
    return {
        "digest": f"{plan.city.digest}-{plan.params.digest}",
        "lang": lang,
        "unit": list(units.index).index(unit_id) if unit_id in units.index else -1,
        "scores": _whole(sites["score_0_1"] * 1000),
        "roles": "".join(roles.where(sites["chosen"], "0").fillna("0")),
        "site_minutes": _whole(sites["mean_time_min"] * 10),
        "n_sites": _whole(units["n_sites"]),
        "minutes": _whole(units["mean_time_min"] * 10),
        "shares": [percent_text(share, lang=lang) for share in units["share_within_30min"]],
        "norms": [percent_text(norm / 100, lang=lang) for norm in units["norm_met_pct"]],
        **_ramp(plan, layers.fill, lang=lang),
        "layers": {"communes": layers.communes, "roads": layers.roads, "tiles": layers.tiles},
        "words": _words(lang),
    }


def _ramp(plan: Plan, fill: str, *, lang: str) -> dict[str, Any]:
    """Return the colours: of the units as shares of the ramp, or null where the sites bear them; and the legend."""
    by_unit = fill in FILLS
    column, factor = FILLS[fill] if by_unit else ("score_0_1", 1.0)
    values = factor * (plan.units if by_unit else plan.sites)[column].astype(float)
    dark, bright = _ENDS.get(fill) or round_ends(values, step=_STEPS[fill if by_unit else "score"])
    if fill == "minutes":
        dark, bright = bright, dark
    ticks = np.linspace(dark, bright, 3)
    decimals = 0 if by_unit and np.allclose(ticks, ticks.round()) else 2 if not by_unit else 1
    return {
        "fills": _whole(1000 * ((values - dark) / (bright - dark)).clip(0, 1)) if by_unit else None,
        "ends": [round(1000 * dark), round(1000 * bright)],
        "scale": {
            "title": t(f"ui.map.scale.{fill if by_unit else 'score'}", lang=lang),
            "ticks": [_beyond(tick, ticks, values) + number_text(tick, lang=lang, decimals=decimals) for tick in ticks],
        },
    }


def _beyond(tick: float, ticks: np.ndarray, values: pd.Series) -> str:
    """Return the sign of an end of the ramp that stands for all that lies beyond it too."""
    if tick == ticks.max() and values.max() > tick + 1e-9:
        return "≥ "
    return "≤ " if tick == ticks.min() and values.min() < tick - 1e-9 else ""


def _words(lang: str) -> dict[str, str]:
    words = ("n_sites", "minutes", "share", "norm", "role", "score", "min")
    signs = {role: t(f"publish.role.{role}", lang=lang) for role in ROLES}
    return {
        **{word: t(f"ui.map.{word}", lang=lang) for word in words},
        **signs,
        "candidate": t("ui.role.none", lang=lang),
        "unknown": t("ui.unknown", lang=lang),
    }


def _whole(values: pd.Series) -> list[int | None]:
    numbers = values.to_numpy(float)
    known = ~np.isnan(numbers)
    whole = np.rint(np.where(known, numbers, 0)).astype(int).tolist()
    return [value if is_known else None for value, is_known in zip(whole, known.tolist(), strict=True)]
