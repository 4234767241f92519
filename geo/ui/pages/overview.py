"""The city at a glance: figures, map, and the table of units that can be reached by keyboard."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from geo.ui import state
from geo.ui.citymap import FILLS, MapLayers, draw_map
from geo.ui.tables import MISSING, in_words
from geo.ui.unitcard import show_unit_card
from geo.ui.view import View, show_attribution, show_banner, show_figures
from geo.ui.words import plain

_HEIGHT = 600
_TABLE = "unit_table"
_COLUMNS = ("name", "n_sites", "score", "mean_time_min", "share_pct", "norm_met_pct", "population")
_DECIMALS = {"score": 2, "mean_time_min": 1, "share_pct": 0, "norm_met_pct": 0, "population": 0}


def show(view: View) -> None:
    """Draw the page."""
    st.title(view.say("overview.title", city=plain(view.plan.city.name)))
    show_banner(view)
    show_figures(view)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        layers = _choose_layers(view)
        draw_map(
            view.plan,
            view.served,
            lang=view.lang,
            layers=layers,
            unit_id=view.unit_id,
            height=_HEIGHT,
            on_click=state.select_unit,
        )
        show_attribution(view)
    with right:
        show_unit_card(view)
        _show_table(view)


def _choose_layers(view: View) -> MapLayers:
    with st.container(horizontal=True, vertical_alignment="center"):
        fill = st.selectbox(
            view.say("map.fill"),
            ("", *FILLS),
            key="map_fill",
            format_func=lambda name: view.say(f"map.fill_by.{name or 'none'}"),
            width=250,
            label_visibility="collapsed",
        )
        return MapLayers(
            fill=fill or "",
            roads=st.toggle(view.say("map.layer.roads"), key="map_roads"),
            communes=st.toggle(view.say("map.layer.communes"), key="map_communes"),
            tiles=st.toggle(view.say("map.layer.tiles"), key="map_tiles", help=view.say("map.layer.tiles_help")),
        )


def unit_rows(view: View) -> pd.DataFrame:
    """Return the units as the table shows them, in the order of the plan."""
    units = view.plan.units
    score = units["two_site_score"].where(units["n_sites"] == 2, units["one_site_score"])
    rows = units.assign(score=score, share_pct=100 * units["share_within_30min"])
    return rows[list(_COLUMNS)].reset_index(drop=True)


def _show_table(view: View) -> None:
    rows = unit_rows(view)
    ids = list(view.plan.units.index)
    st.session_state[_TABLE] = _selection(ids, view.unit_id)
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns = {
        "name": text(view.say("table.name"), pinned=True, width=138),
        "n_sites": number(view.say("table.n_sites"), help=view.say("map.n_sites"), width=58),
        "score": number(view.say("table.score"), width=58),
        "mean_time_min": number(view.say("table.minutes"), width=62),
        "share_pct": number(view.say("table.share"), width=72),
        "norm_met_pct": number(view.say("table.norm"), width=62),
        "population": number(view.say("table.population")),
    }
    st.dataframe(
        in_words(rows, _DECIMALS, lang=view.lang, percent=("share_pct", "norm_met_pct")),
        key=_TABLE,
        hide_index=True,
        # the card above grows once a unit is chosen; map and table end at the same height
        height=_HEIGHT - (300 if view.unit_id else 45),
        column_config=columns,
        on_select=lambda: _take_selection(ids),
        selection_mode="single-cell",
        alt=view.say("table.alt"),
        placeholder=MISSING,
    )


def _selection(ids: list[str], unit_id: str) -> dict[str, dict[str, list[Any]]]:
    cells = [(ids.index(unit_id), _COLUMNS[0])] if unit_id in ids else []
    return {"selection": {"rows": [], "columns": [], "cells": cells}}


def _take_selection(ids: list[str]) -> None:
    """Look at the unit of the cell that a click or the arrow keys chose."""
    cells = st.session_state[_TABLE]["selection"]["cells"]
    state.select_unit(ids[cells[0][0]] if cells else "")
