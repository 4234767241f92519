"""What if: a scenario over the plan, its map of differences and the units that lose most."""

from __future__ import annotations

import streamlit as st

from geo.errors import NetworkError, ParamsError
from geo.profile import Scenario, list_scenarios, read_scenario
from geo.publish.impact import impact_table, impact_texts
from geo.publish.tables import csv_bytes
from geo.settings import Settings
from geo.study.impact import Impact
from geo.text import t
from geo.ui import store
from geo.ui.diffmap import MEASURES, difference_chart, measured, share_change
from geo.ui.view import View, show_attribution, show_banner, show_faults
from geo.ui.words import plain

_HEIGHT = 560
_COLUMNS = ("name", "added_min", "slower_population", "lost_population", "worst_added_min", "lost_reason")


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
        _show_table(view, impact)
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
    chosen = st.pills(
        _say(view, "choose"),
        list(found),
        key="scenario",
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
        stage = store.current_stage(view.plan.city, view.plan.params.access)
        return store.current_impact(view.plan, scenario, stage)


def _show_figures(view: View, impact: Impact) -> None:
    totals = impact.totals
    share, change = share_change(impact, lang=view.lang)
    figures = (
        ("added_min", view.minutes(totals["added_min"]), None),
        ("slower_population", view.number(totals["slower_population"]), None),
        ("lost_population", view.number(totals["lost_population"]), None),
        ("share", share, change),
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
        impact,
        city,
        store.current_shapes(city),
        measure=measure or MEASURES[0],
        lang=view.lang,
        height=_HEIGHT,
        whole=whole,
    )
    st.vega_lite_chart(chart, width="stretch", key="difference_map")
    st.caption(_say(view, "dark"))


def _show_table(view: View, impact: Impact) -> None:
    units = measured(impact)
    order = units[["lost_population", "added_min"]].assign(
        burden=units["added_min"].abs().fillna(0.0) * units["arriving_population"].fillna(0.0)
    )
    rows = units.loc[order.sort_values(["lost_population", "burden"], ascending=False, kind="stable").index]
    table = rows[list(_COLUMNS)].reset_index(drop=True).round({"slower_population": 0, "lost_population": 0})
    table["lost_reason"] = [_say(view, f"why.{code}") if code else "" for code in table["lost_reason"]]
    formats = {"added_min": "%.1f", "worst_added_min": "%.1f", "slower_population": "localized"}
    formats["lost_population"] = "localized"
    columns = {
        name: st.column_config.NumberColumn(_say(view, f"column.{name}"), format=formats[name])
        if name in formats
        else st.column_config.TextColumn(_say(view, f"column.{name}"), pinned=name == "name")
        for name in _COLUMNS
    }
    st.dataframe(table, hide_index=True, height=330, column_config=columns)
    content = csv_bytes(impact_table(impact), dict.fromkeys(impact_table(impact).columns))
    name = "scenario_units.csv"
    st.download_button(name, content, name, "text/csv", icon=":material/download:", on_click="ignore")
