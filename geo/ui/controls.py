"""The sidebar: language, weights, budget, travel mode and network profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from geo.errors import ParamsError
from geo.params import CRITERIA, MODES, Weights
from geo.profile import list_scenarios, read_scenario
from geo.publish.reasons import number_text, percent_text
from geo.settings import Settings
from geo.text import LANGUAGES, t
from geo.ui import state

#: Between two weights that the sliders offer.
_STEP = 0.05


def choose_language() -> str:
    """Show the languages, each under its own name, and return the one chosen."""
    lang: str = st.session_state[state.LANG]
    st.sidebar.selectbox(
        t("ui.language.label", lang=lang),
        LANGUAGES,
        key=state.LANG,
        format_func=lambda code: t(f"ui.language.{code}", lang=lang),
    )
    return lang


def show_controls(*, lang: str, n_units: int) -> None:
    """Show weights, budget and travel mode; their values lie in the session state."""
    with st.sidebar:
        st.subheader(t("ui.control.weights", lang=lang), help=t("ui.control.weights_help", lang=lang))
        for name in CRITERIA:
            _show_weight(name, lang=lang)
        st.subheader(t("ui.control.choice", lang=lang))
        low, high = budget_bounds(n_units)
        st.slider(
            t("ui.control.max_sites", lang=lang),
            low,
            high,
            key=state.BUDGET,
            help=t("ui.control.max_sites_help", lang=lang),
        )
        st.selectbox(
            t("ui.control.mode", lang=lang),
            MODES,
            key=state.MODE,
            format_func=lambda mode: t(f"ui.mode.{mode}", lang=lang),
        )
        _show_profiles(lang=lang)
        st.button(
            t("ui.control.reset", lang=lang), on_click=state.reset, icon=":material/restart_alt:", width="stretch"
        )


def _show_profiles(*, lang: str) -> None:
    """Show the network profiles; the file of one that cannot be read is told when it is chosen."""
    data_dir = Settings().data_dir
    names = ["", *list_scenarios(data_dir)]
    if st.session_state[state.PROFILE] not in names:
        st.session_state[state.PROFILE] = ""
    st.selectbox(
        t("ui.control.profile", lang=lang),
        names,
        key=state.PROFILE,
        format_func=lambda name: _profile_words(name, data_dir, lang),
        help=t("ui.control.profile_help", lang=lang),
    )


def _profile_words(name: str, data_dir: Path, lang: str) -> str:
    if not name:
        return t("ui.control.no_profile", lang=lang)
    try:
        return read_scenario(name, data_dir=data_dir).words(lang)
    except ParamsError:
        return name


def budget_bounds(n_units: int) -> tuple[int, int]:
    """Return the least and the most sites that the slider offers: one, and two, per unit; the default lies within."""
    default = state.defaults()[state.BUDGET]
    chosen = int(st.session_state[state.BUDGET])
    return min(n_units, default, chosen), max(2 * n_units, default, chosen)


def _show_weight(name: str, *, lang: str) -> None:
    """Show a weight; a slider of numbers would write a decimal point whatever the language."""
    key = f"weights.{name}"
    # Said anew each time: the browser knows a choice by its words, and would find none of another language.
    st.session_state[key] = float(st.session_state[key])
    low, high = (_bound(name, kind) for kind in ("ge", "le"))
    steps = np.arange(round(low / _STEP), round(high / _STEP) + 1) * _STEP
    # a link may hold a value between two steps
    offered = sorted({st.session_state[key], *steps.round(2).tolist()})
    st.select_slider(
        t(f"ui.criterion.{name}", lang=lang),
        offered,
        key=key,
        format_func=lambda value: number_text(value, lang=lang, decimals=2),
        help=t(f"ui.criterion_help.{name}", lang=lang),
    )


def _bound(name: str, kind: str) -> float:
    """Return a bound of a weight as the parameter itself declares it."""
    metadata: list[Any] = Weights.model_fields[name].metadata
    return next(float(getattr(item, kind)) for item in metadata if hasattr(item, kind))


def show_shares(weights: Weights, *, lang: str) -> None:
    """Say what the weights come to once they are scaled to a sum of 1."""
    shares = weights.normalised()
    parts = (f"{t(f'ui.criterion.{name}', lang=lang)} {percent_text(shares[name], lang=lang)}" for name in CRITERIA)
    st.sidebar.caption(" · ".join(parts))
