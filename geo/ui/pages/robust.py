"""How far the plan hangs on its weights, its figures, its travel times and its method: each asked on its own."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pandas as pd
import streamlit as st

from geo.params import CRITERIA
from geo.progress import Progress
from geo.publish.reasons import list_text
from geo.publish.tables import csv_bytes
from geo.study.mcda import METHODS, compare_methods
from geo.study.sensitivity import try_times, vary_figures
from geo.text import catalogue, t
from geo.ui import state
from geo.ui.charts import figures_chart
from geo.ui.longwork import ask, ask_on_click
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View, show_attribution, show_banner
from geo.ui.whyview import WEIGHTINGS, ask_weights
from geo.ui.words import plain

_HEIGHT = 420


def show(view: View) -> None:
    """Draw the page."""
    st.title(_say(view, "title"))
    show_banner(view)
    st.caption(_say(view, "intro"))
    part = st.segmented_control(
        _say(view, "part"),
        list(_PARTS),
        default="weights",
        key="robust_part",
        format_func=lambda name: _say(view, f"parts.{name}"),
        label_visibility="collapsed",
    )
    _PARTS[part or "weights"](view)
    show_attribution(view)


def _say(view: View, key: str, **values: str) -> str:
    return t(f"study.robust.{key}", lang=view.lang, **values)


def _show_weights(view: View) -> None:
    wanted = view.plan.params.robustness
    n = WEIGHTINGS if view.plan.optimality["solver"] == "greedy" else wanted.n_weightings
    ends = {
        "low": view.number(1 - wanted.spread, decimals=1),
        "high": view.number(1 + wanted.spread, decimals=1),
    }
    st.caption(_say(view, "about.weights", n=view.number(n), **ends))
    units, sites = ask_weights(view, n)
    _show_firmness(view, units)
    st.subheader(_say(view, "units"))
    _show_units(view, weights_rows(view, units), {"win_share": 0, "same_number_share": 0}, key="robust_units")
    _offer("robust_units.csv", units.reset_index())
    st.subheader(_say(view, "sites"))
    _show_sites(view, sites)
    _offer("robust_sites.csv", sites.reset_index())


def _show_firmness(view: View, units: pd.DataFrame) -> None:
    people = view.plan.units["population"]
    for column, name in zip(st.columns(3), ("firm", "contestable"), strict=False):
        of_kind = units["firmness"] == name
        share = view.share(people[of_kind].sum() / people.sum())
        _show_count(view, column, _say(view, name), of_kind.sum(), len(units), _say(view, "people", share=share))


def _show_count(view: View, column: Any, label: str, n: int, n_all: int, about: str | None = None) -> None:
    column.metric(label, f"{view.number(n)} / {view.number(n_all)}", help=about, border=True, height="stretch")


def weights_rows(view: View, units: pd.DataFrame) -> pd.DataFrame:
    """Return the units as the table shows them, the most contestable first, each with the range of every weight."""
    rows = pd.DataFrame(
        {
            "name": units["name"],
            "firmness": [t(f"publish.firmness.{code}", lang=view.lang) if code else "–" for code in units["firmness"]],
            "win_share": 100 * units["win_share"],
            "same_number_share": 100 * units["same_number_share"],
            **{name: _ranges(view, units, name) for name in CRITERIA},
        }
    )
    return rows.sort_values("win_share", kind="stable")


def _ranges(view: View, units: pd.DataFrame, name: str) -> list[str]:
    ends = zip(units[f"{name}_low"], units[f"{name}_high"], strict=True)
    return [
        "–" if pd.isna(low) else f"{view.number(low, decimals=2)} – {view.number(high, decimals=2)}"
        for low, high in ends
    ]


def _show_sites(view: View, sites: pd.DataFrame) -> None:
    disputed = sites[(sites["chosen_share"] > 0) & (sites["chosen_share"] < 1)]
    if disputed.empty:
        st.caption(_say(view, "sites_none"))
        return
    disputed = disputed.loc[(disputed["chosen_share"] - 0.5).abs().sort_values(kind="stable").index]
    rows = pd.DataFrame(
        {
            "building": disputed["name"],
            "unit": view.plan.units["name"][disputed["unit_id"]].to_numpy(),
            "chosen": disputed["chosen"],
            "chosen_share": 100 * disputed["chosen_share"],
        }
    )
    _show_rows(view, rows, {"chosen_share": 1})


def _show_figures(view: View) -> None:
    spread = view.number(100 * view.plan.params.robustness.figure_spread)
    st.caption(_say(view, "about.figures", n=spread))
    table = ask_on_click(
        "figures",
        view.plan,
        partial(_vary, view),
        lang=view.lang,
        label=_say(view, "run"),
        text=_say(view, "working.figures"),
    )
    if table is None:
        return
    table = table.sort_values("units_changed", ascending=False, kind="stable")
    rows = figure_rows(view, table)
    bars = rows.assign(side=[_side(view, row, spread) for _, row in table.iterrows()])
    st.vega_lite_chart(figures_chart(bars, title=_say(view, "chart"), lang=view.lang), width="stretch")
    picked = _show_rows(view, rows, {"units_changed": 0, "units_other_number": 0, "people": 0}, key="robust_figures")
    st.caption(_say(view, "pick") if picked is None else _changed(view, table.iloc[picked], rows.iloc[picked]))
    _offer("robust_figures.csv", table.sort_index())


def _vary(view: View, progress: Progress) -> pd.DataFrame:
    return vary_figures(view.plan, progress=progress)


def figure_rows(view: View, table: pd.DataFrame) -> pd.DataFrame:
    """Return the figures that were varied as the table shows them: with their names, their values as text."""
    words = catalogue(view.lang)
    return pd.DataFrame(
        {
            "figure": [words.get(f"study.figure.{name}", name) for name in table["figure"]],
            "now": [_value(view, value) for value in table["now"]],
            "tried": [_value(view, value) for value in table["tried"]],
            "units_changed": table["units_changed"],
            "units_other_number": table["units_other_number"],
            "people": table["people"],
        }
    )


def _value(view: View, value: float | str) -> str:
    if isinstance(value, str):
        return value
    decimals = next(places for places in range(6) if places == 5 or abs(round(value, places) - value) < 1e-9)
    return view.number(value, decimals=decimals)


def _side(view: View, row: pd.Series[Any], spread: str) -> str:
    if isinstance(row["tried"], str):
        return _say(view, "decree")
    return _say(view, "lower" if row["tried"] < row["now"] else "higher", n=spread)


def _changed(view: View, found: pd.Series[Any], row: pd.Series[Any]) -> str:
    """Return, as Markdown, which units a value that was tried changes."""
    words = {name: str(row[name]) for name in ("figure", "now", "tried")}
    if not found["possible"]:
        return plain(_say(view, "impossible", **words))
    if not found["units_changed"]:
        return plain(_say(view, "unchanged", **words))
    names = list_text(view.plan.units["name"][found["unit_ids"].split()].tolist(), lang=view.lang)
    return plain(_say(view, "changed", names=names, **words))


def _show_times(view: View) -> None:
    wanted = view.plan.params.robustness
    spread = view.number(100 * wanted.figure_spread)
    st.caption(_say(view, "about.times", n=view.number(wanted.n_time_draws), spread=spread))
    share = ask_on_click(
        "times",
        view.plan,
        partial(_err, view),
        lang=view.lang,
        label=_say(view, "run"),
        text=_say(view, "working.times"),
    )
    if share is None:
        return
    kept, about = (
        (share >= wanted.firm_share).sum(),
        _say(view, "metric.kept_help", share=view.share(wanted.firm_share)),
    )
    _show_count(view, st.columns(3)[0], _say(view, "metric.kept"), kept, share.notna().sum(), about)
    rows = view.plan.units[["name", "population"]].assign(times_win_share=100 * share)
    rows = rows.sort_values("times_win_share", kind="stable")[["name", "times_win_share", "population"]]
    _show_units(view, rows, {"times_win_share": 0, "population": 0}, key="robust_times")
    _offer("robust_times.csv", share.reset_index())


def _err(view: View, progress: Progress) -> pd.Series[Any]:
    return try_times(view.plan, progress=progress)


def _show_methods(view: View) -> None:
    st.caption(_say(view, "about.methods"))

    def work(_: Progress) -> Any:
        return compare_methods(view.plan)

    units, sites = ask("methods", view.plan, work, text=_say(view, "working.methods"))
    agree, disputed, loses = st.columns(3)
    _show_count(view, agree, _say(view, "metric.agree"), units["agree"].sum(), len(units))
    disputed.metric(_say(view, "metric.disputed"), view.number(len(sites)), border=True, height="stretch")
    most = units[["topsis_loses", "promethee_loses"]].to_numpy().max(initial=0.0)
    loses.metric(_say(view, "metric.loses"), view.number(most, decimals=3), border=True, height="stretch")
    rows = units[~units["agree"]]
    table = pd.DataFrame(
        {
            "name": rows["name"],
            **{method: [_names(view, ids) for ids in rows[method]] for method in METHODS},
            "topsis_loses": rows["topsis_loses"],
            "promethee_loses": rows["promethee_loses"],
            "population": rows["population"],
        }
    )
    _show_units(view, table, {"topsis_loses": 3, "promethee_loses": 3, "population": 0}, key="robust_methods")
    _offer("mcda_units.csv", units.reset_index())
    _offer("mcda_sites.csv", sites.reset_index())


def _names(view: View, ids: str) -> str:
    return " + ".join(str(view.plan.sites.loc[site_id, "name"]) for site_id in ids.split(" + "))


def _show_units(view: View, rows: pd.DataFrame, decimals: dict[str, int], *, key: str) -> None:
    """Show a table of units, by unit_id, and offer the page of the one that is selected."""
    picked = _show_rows(view, rows, decimals, key=key)
    if picked is not None:
        unit_id = str(rows.index[picked])
        label = _say(view, "open", name=plain(rows["name"].iloc[picked]))
        if st.button(label, icon=":material/arrow_forward:", type="primary", key=f"{key}_open"):
            state.select_unit(unit_id)
            st.switch_page(view.pages["unit"])


def _show_rows(view: View, rows: pd.DataFrame, decimals: dict[str, int], *, key: str = "") -> int | None:
    """Show a table; with a key rows can be selected, and the place of the one that is comes back."""
    labels = {name: _say(view, f"column.{name}") for name in rows.columns}
    first = next(iter(labels))
    columns: dict[str, Any] = {**labels, first: st.column_config.TextColumn(labels[first], pinned=True)}
    shown = in_words(rows.reset_index(drop=True), decimals, lang=view.lang)
    height = min(_HEIGHT, 36 * (len(rows) + 1) + 2)
    if not key:
        st.dataframe(shown, hide_index=True, height=height, column_config=columns, placeholder=MISSING)
        return None
    event = st.dataframe(
        shown,
        hide_index=True,
        height=height,
        column_config=columns,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        placeholder=MISSING,
    )
    picked = cast(Any, event)["selection"]["rows"]
    return int(picked[0]) if picked and picked[0] < len(rows) else None


def _offer(name: str, table: pd.DataFrame) -> None:
    content = csv_bytes(table, dict.fromkeys(table.columns))
    st.download_button(
        name, content, name, "text/csv", icon=":material/download:", on_click="ignore", key=f"get_{name}"
    )


_PARTS = {"weights": _show_weights, "figures": _show_figures, "times": _show_times, "methods": _show_methods}
