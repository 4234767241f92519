"""Widgets <-> Params <-> URL: what the reader has set, in one place.

The session state holds one value per control under the dotted name of its parameter (``weights.size``), the language
and the unit looked at. The URL holds what differs from the defaults under the same names, so that a link reproduces
the page and its parameters can be pasted after ``--set``.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from geo.errors import ParamsError
from geo.params import CRITERIA, MODES, Params
from geo.profile import list_scenarios, resolve_profile
from geo.settings import Settings
from geo.text import LANGUAGES

WEIGHTS = tuple(f"weights.{name}" for name in CRITERIA)
BUDGET = "choice.max_sites"
MODE = "access.mode"
#: The network profile that the plan is made under, by its name; empty for none.
PROFILE = "access.scenario"
CONTROLS = (*WEIGHTS, BUDGET, MODE, PROFILE)
LANG = "lang"
UNIT = "unit"
#: The scenario looked at on its page, by its name.
SCENARIO = "scenario"
#: What the reader wants to see of the map; it stays out of the URL.
MAP_VIEW: dict[str, Any] = {"map_fill": "", "map_roads": True, "map_communes": False, "map_tiles": False}
_KEPT = "kept"


def start() -> None:
    """Fill the session state: from the URL at first, then from what was set before; every run calls this first.

    Streamlit forgets the value of a widget that a run did not reach, as on a change of page, so a copy is kept.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    for name, value in (kept or _from_url(st.query_params.to_dict())).items():
        kept[name] = st.session_state.setdefault(name, value)


def _from_url(query: dict[str, str]) -> dict[str, Any]:
    """Return the value of every key; what the URL gives wrongly keeps its default."""
    lang = query.get(LANG, LANGUAGES[0])
    return {
        LANG: lang if lang in LANGUAGES else LANGUAGES[0],
        UNIT: query.get(UNIT, ""),
        SCENARIO: _known_scenario(query.get(SCENARIO)),
        **{name: _accepted(name, query.get(name), default) for name, default in defaults().items()},
        **MAP_VIEW,
    }


def _known_scenario(name: str | None) -> str | None:
    return name if name in list_scenarios(Settings().data_dir) else None


def defaults() -> dict[str, Any]:
    """Return the default of every control."""
    data = Params().model_dump()
    return {name: data[name.split(".")[0]][name.split(".")[1]] for name in CONTROLS} | {PROFILE: ""}


def _accepted(name: str, text: str | None, default: Any) -> Any:
    """Return `text` as the parameter's kind if the parameter allows it, else the default."""
    if text is None:
        return default
    if name == PROFILE:
        return _known_scenario(text) or default
    try:
        value = type(default)(text)
        Params().with_values({name: value})
    except (ValueError, ParamsError):
        return default
    return value if name != MODE or value in MODES else default


def chosen_params() -> Params:
    """Return the Params that the controls stand for.

    Raises
    ------
    ParamsError
        All weights are 0, or the file of the profile is wrong.
    """
    values = {name: st.session_state[name] for name in CONTROLS}
    return Params().with_values({**values, PROFILE: resolve_profile(values[PROFILE], data_dir=Settings().data_dir)})


def reset() -> None:
    """Put every control back to its default."""
    for name, value in defaults().items():
        st.session_state[name] = value


def select_unit(unit_id: str) -> None:
    """Make `unit_id` the unit looked at."""
    st.session_state[UNIT] = unit_id


def write_url() -> None:
    """Put what differs from the defaults into the URL; a change of page empties it, so every run calls this."""
    wanted = {name: _short(st.session_state[name]) for name in CONTROLS if st.session_state[name] != defaults()[name]}
    if st.session_state[LANG] != LANGUAGES[0]:
        wanted[LANG] = st.session_state[LANG]
    for name in (UNIT, SCENARIO):
        if st.session_state[name]:
            wanted[name] = st.session_state[name]
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
