"""What each further site buys: a curve for every figure, with the plan of April 2025 and the budget marked."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pandas as pd
import streamlit as st

from geo.plan import Plan
from geo.publish.tables import csv_bytes
from geo.study.frontier import mark_budget, trace_frontier
from geo.text import t
from geo.ui.charts import MEASURES, frontier_chart
from geo.ui.longwork import ask
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View, show_attribution, show_banner
from geo.ui.words import minutes_text

#: Above every budget that can be of use: the frontier is the same for all budgets, so one answer serves them.
_ANY_BUDGET = 1_000_000
_COLUMNS_OF_CHARTS = 3
#: Columns of the table: places after the comma, and the factor to the figure that is shown.
_SHOWN = {
    "sites": (0, 1), "units_with_two": (0, 1), "objective": (4, 1), "marginal_gain": (3, 1000),
    "shadow_price": (3, 1000),
    "mean_time_min": (2, 1), "p95_time_min": (1, 1), "worst_time_min": (1, 1), "share_within_30min": (2, 100),
    "share_within_5km": (2, 100), "share_within_target": (2, 100), "norm_met_pct": (1, 1), "cost": (0, 1),
}  # fmt: skip


def show(view: View) -> None:
    """Draw the page."""
    st.title(_say(view, "title"))
    show_banner(view)
    st.caption(_say(view, "intro"))
    table = mark_budget(_trace(view), view.plan.params.choice.max_sites)
    _show_figures(view, table)
    _show_charts(view, table)
    _show_table(view, table)
    show_attribution(view)


def _say(view: View, key: str, **values: str) -> str:
    return t(f"study.frontier.{key}", lang=view.lang, **values)


def _trace(view: View) -> pd.DataFrame:
    plan = view.plan
    params = plan.params.with_values({"choice.max_sites": _ANY_BUDGET})
    free: Plan = replace(plan, params=params)
    work = lambda progress: trace_frontier(free, progress=progress)  # noqa: E731
    return cast(pd.DataFrame, ask("frontier", free, work, text=_say(view, "working")))


def _show_figures(view: View, table: pd.DataFrame) -> None:
    """Show what the budget buys against the fewest sites, and what one more would."""
    plan, first = view.plan, table.iloc[0]
    budget = min(max(plan.params.choice.max_sites, table.index[0]), table.index[-1])
    row = table.loc[budget]
    fewest = view.number(float(table.index[0]))

    def change(name: str, decimals: int, unit: str = "") -> str:
        text = _signed(view, row[name] - first[name], decimals)
        text = view.say(f"amount.{unit}", value=text) if unit else text
        return _say(view, "better", change=text, first=fewest)

    objective = _say(view, "figure.objective", budget=view.number(float(budget)))
    last, worth = (_thousandths(view, row[name]) for name in ("marginal_gain", "shadow_price"))
    minutes = minutes_text(row["mean_time_min"], lang=view.lang)
    shown = (
        (objective, view.number(row["objective"], decimals=3), change("objective", 3), _say(view, "objective_help")),
        (_say(view, "figure.mean_time_min"), minutes, change("mean_time_min", 1, "min"), None),
        (_say(view, "figure.norm_met_pct"), view.norm(row["norm_met_pct"]), change("norm_met_pct", 0, "points"), None),
        (_say(view, "figure.shadow"), worth, None, _say(view, "figure_help.shadow", last=last)),
    )
    for column, (label, value, delta, about) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, value, delta, delta_color="off", help=about, border=True, height="stretch")


def _signed(view: View, value: float, decimals: int) -> str:
    text = view.number(value, decimals=decimals)
    return f"+{text}" if value > 0 else text


def _thousandths(view: View, value: float) -> str:
    return _say(view, "thousandths.value", n=view.number(1000 * value, decimals=2)) if pd.notna(value) else "–"


def _show_charts(view: View, table: pd.DataFrame) -> None:
    budget = view.number(float(view.plan.params.choice.max_sites))
    enough = int(table.index[table["objective"] >= table["objective"].max() - 1e-9].min())
    st.markdown(
        _say(view, "legend", first=view.number(float(table.index[0])), budget=budget)
        + "  \n"
        + _say(view, "enough_text", enough=view.number(float(enough)))
    )
    known = [measure for measure in MEASURES if measure.column in table and table[measure.column].notna().any()]
    for start in range(0, len(known), _COLUMNS_OF_CHARTS):
        columns = st.columns(_COLUMNS_OF_CHARTS, gap="medium")
        for column, measure in zip(columns, known[start : start + _COLUMNS_OF_CHARTS], strict=False):
            chart = frontier_chart(table, measure, lang=view.lang)
            column.vega_lite_chart(chart, width="stretch", key=f"frontier_{measure.column}")


def _show_table(view: View, table: pd.DataFrame) -> None:
    with st.expander(_say(view, "all")):
        names = [name for name in _SHOWN if name in table]
        rows = table[names] * pd.Series({name: float(_SHOWN[name][1]) for name in names})
        rows.insert(0, "mark", table["mark"].map({"one_each": "●", "budget": "◆"}).fillna(""))
        rows = rows.reset_index()
        labels = {name: _say(view, f"column.{name}") for name in rows.columns}
        decimals = {"max_sites": 0, **{name: _SHOWN[name][0] for name in names}}
        st.dataframe(
            in_words(rows, decimals, lang=view.lang),
            hide_index=True,
            column_config=labels,
            alt=_say(view, "all"),
            placeholder=MISSING,
        )
        content = csv_bytes(table.reset_index(), dict.fromkeys(table.reset_index().columns))
        name = "frontier.csv"
        st.download_button(name, content, name, "text/csv", icon=":material/download:", on_click="ignore")
