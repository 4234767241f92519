"""What if: a scenario over the plan, its map of differences, who loses most, and what one would choose then."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
import streamlit as st

from geo.errors import GeoError, NetworkError, ParamsError
from geo.plan import Plan
from geo.profile import Scenario, list_scenarios, read_scenario
from geo.publish.impact import anew_text, impact_table, impact_texts
from geo.publish.tables import csv_bytes
from geo.settings import Settings
from geo.study.impact import Impact, anew_table, choose_anew
from geo.text import t
from geo.ui import state, store
from geo.ui.diffmap import MEASURES, difference_chart, has_unknown, measured, share_change
from geo.ui.longwork import ask
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View, show_attribution, show_banner, show_faults
from geo.ui.words import plain

_HEIGHT = 560
#: Columns of the table, with the places of the figures after the comma.
_COLUMNS: dict[str, int | None] = {
    "added_min": 1, "slower_population": 0, "lost_population": 0, "worst_added_min": 1,
    "lost_reason": None,
}  # fmt: skip
_ANEW: dict[str, int | None] = {"sites_anew": None, "mean_time_min_after": 1, "mean_time_min_anew": 1}


def show(view: View) -> None:
    """Draw the page."""
    st.title(_say(view, "title"))
    show_banner(view)
    st.caption(_say(view, "intro"))
    scenario = _choose(view)
    if scenario is not None:
        _show_source(view, scenario)
    try:
        # Without a scenario the network is made ready all the same, so that the first click is as quick as any.
        impact = _compute(view, scenario or Scenario(name=""))
    except NetworkError as error:
        st.warning(_say(view, "failed"), icon=":material/error:")
        show_faults(error.faults, lang=view.lang)
        return
    if scenario is None:
        return
    _show_figures(view, impact)
    left, right = st.columns([8, 5], gap="medium")
    with left:
        _show_map(view, impact)
    with right:
        st.markdown("\n".join(f"- {plain(text)}" for text in impact_texts(impact, lang=view.lang)))
        anew = _show_anew(view, impact)
        _show_table(view, impact, anew)
    show_attribution(view)


def _say(view: View, key: str, **values: str) -> str:
    return t(f"scenario.{key}", lang=view.lang, **values)


def _choose(view: View) -> Scenario | None:
    """Show the scenarios that can be read, and return the one chosen."""
    data_dir, found = Settings().data_dir, {}
    for name in list_scenarios(data_dir):
        try:
            found[name] = read_scenario(name, data_dir=data_dir)
        except ParamsError as error:
            show_faults(error.faults, lang=view.lang)
    if st.session_state[state.SCENARIO] not in found:
        st.session_state[state.SCENARIO] = None
    chosen = st.pills(
        _say(view, "choose"),
        list(found),
        key=state.SCENARIO,
        format_func=lambda name: plain(found[name].words(view.lang)),
    )
    if chosen is None:
        st.info(_say(view, "none"), icon=":material/help:")
        return None
    return found[chosen]


def _show_source(view: View, scenario: Scenario) -> None:
    lines = [scenario.about.get(view.lang, "")]
    lines += [_say(view, "source", source=scenario.source)] if scenario.source else []
    lines += [_say(view, "day", day=scenario.on.isoformat())] if scenario.on else []
    st.caption("  \n".join(plain(line) for line in lines if line))


def _compute(view: View, scenario: Scenario) -> Impact:
    """Return the comparison, kept from before where there is one."""
    with st.spinner(_say(view, "working")):
        # What all scenarios share does not depend on the profile of the plan.
        stage = store.current_stage(view.plan.city, view.plan.params.access.model_copy(update={"scenario": None}))
        return store.current_impact(view.plan, scenario, stage)


def _show_figures(view: View, impact: Impact) -> None:
    totals = impact.totals
    share, change = share_change(impact, lang=view.lang)
    figures = (
        ("added_min", view.minutes(totals["added_min"]), None),
        ("slower_population", view.number(totals["slower_population"]), None),
        ("lost_population", view.number(totals["lost_population"]), None),
        ("share", share, change and view.say("amount.points", value=change)),
    )
    for column, (key, value, delta) in zip(st.columns(len(figures)), figures, strict=True):
        label, explained = _say(view, f"figure.{key}"), _say(view, f"figure_help.{key}")
        column.metric(label, value, delta, help=explained, border=True, height="stretch")


def _show_map(view: View, impact: Impact) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        measure = st.segmented_control(
            _say(view, "measure_label"),
            MEASURES,
            default=MEASURES[0],
            key="scenario_measure",
            format_func=lambda name: _say(view, f"measure.{name}"),
            label_visibility="collapsed",
        )
        whole = st.toggle(_say(view, "whole"), key="scenario_whole")
    city = view.plan.city
    chart = difference_chart(
        impact.units,
        city,
        store.current_shapes(city),
        measure=measure or MEASURES[0],
        lang=view.lang,
        height=_HEIGHT,
        whole=whole,
        places=impact.scenario.restrictions,
    )
    st.vega_lite_chart(chart, width="stretch", key="difference_map")
    grey = [_say(view, "unknown")] if has_unknown(impact.units, measure or MEASURES[0]) else []
    st.caption(" ".join([_say(view, "dark"), *grey]))


def _show_anew(view: View, impact: Impact) -> pd.DataFrame | None:
    """Offer to choose the sites again as if the scenario were the rule, and say what that would change."""
    if not st.toggle(_say(view, "anew_label"), key="scenario_anew", help=_say(view, "anew_help")):
        return None
    plan, scenario = view.plan, impact.scenario
    try:
        anew = cast(
            Plan,
            ask(
                f"anew {scenario.digest}",
                plan,
                lambda progress: choose_anew(plan, scenario, settings=Settings(), progress=progress),
                text=_say(view, "anew_working"),
            ),
        )
    except GeoError as error:
        st.error(_say(view, "anew_failed"), icon=":material/error:")
        show_faults(getattr(error, "faults", ()), lang=view.lang)
        return None
    table = anew_table(plan, anew)
    st.markdown(f"- {plain(anew_text(impact, table, anew.totals, lang=view.lang))}")
    return table


def _show_table(view: View, impact: Impact, anew: pd.DataFrame | None) -> None:
    columns = {"name": None, **(_ANEW if anew is not None else {}), **_COLUMNS}
    table = _ordered(measured(impact.units) if anew is None else _with_anew(measured(impact.units), anew))
    table = table[list(columns)].reset_index(drop=True)
    table["lost_reason"] = [_say(view, f"why.{code}") if code else "" for code in table["lost_reason"]]
    labels = {name: st.column_config.Column(_say(view, f"column.{name}"), pinned=name == "name") for name in columns}
    figures = {name: places for name, places in columns.items() if places is not None}
    st.dataframe(
        in_words(table, figures, lang=view.lang), hide_index=True, height=330, column_config=labels, placeholder=MISSING
    )
    written = impact_table(impact, anew=anew)
    name = "scenario_units.csv"
    content = csv_bytes(written, dict.fromkeys(written.columns))
    st.download_button(name, content, name, "text/csv", icon=":material/download:", on_click="ignore")


def _with_anew(units: pd.DataFrame, anew: pd.DataFrame) -> pd.DataFrame:
    """Return `units` with the sites chosen anew, where they are others."""
    sites = anew["site_id_1_anew"].str.cat(anew["site_id_2_anew"], sep=" + ").str.removesuffix(" + ")
    return units.join(anew["mean_time_min_anew"]).assign(sites_anew=sites.where(anew["other_sites"], ""))


def _ordered(units: pd.DataFrame) -> pd.DataFrame:
    """Return `units` with those first that take other sites, then by people cut off, then by minutes of all people."""
    burden = units["added_min"].abs().fillna(0.0) * units["arriving_population"].fillna(0.0)
    stays = units["sites_anew"] == "" if "sites_anew" in units else True
    rank = units[["lost_population"]].assign(burden=burden, moves=~np.asarray(stays, bool))
    order = rank.sort_values(["moves", "lost_population", "burden"], ascending=False, kind="stable").index
    return units.loc[order]
