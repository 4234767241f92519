"""Why a unit gets what it gets, in parts that can be read on their own, and how far each weight may move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from geo.progress import Progress
from geo.publish.why import explanation_parts
from geo.schemas import MODELLED
from geo.study.explain import Explanation, explain_unit
from geo.study.sensitivity import robustness_tables
from geo.text import t
from geo.ui.charts import ranges_chart
from geo.ui.longwork import ask
from geo.ui.view import View
from geo.ui.words import plain

#: Weightings that are tried, as by ``truso robust``.
WEIGHTINGS = 2000
_LEFT, _RIGHT = ("chosen", "runner_up", "second_site", "budget"), ("turning", "firmness")


def show_why(view: View, unit_id: str) -> None:
    """Show the parts of the explanation; the reason itself is left to the page."""
    explained = explain_unit(view.plan, unit_id)
    parts = explanation_parts(view.plan, explained, lang=view.lang)
    left, right = st.columns(2, gap="medium")
    for column, names in ((left, _LEFT), (right, _RIGHT)):
        for name in names:
            if name in parts:
                with column.container(border=True):
                    _show_part(view, name, parts[name])
    if explained.weight_ranges:
        with right.container(border=True):
            st.vega_lite_chart(_ranges(view, explained), width="stretch", key="weight_ranges")


def _show_part(view: View, name: str, sentences: list[str]) -> None:
    lines = [plain(text) for text in sentences]
    body = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
    st.markdown(f"**{t(f'study.why.{name}', lang=view.lang)}**\n\n{body}")


def _ranges(view: View, explained: Explanation) -> dict[str, Any]:
    rows = pd.DataFrame(
        [
            {
                "criterion": view.say(f"criterion.{found.criterion}"),
                "low": found.low,
                "now": found.now,
                "high": found.high,
            }
            for found in explained.weight_ranges
        ]
    )
    words = {name: t(f"study.why.{name}", lang=view.lang) for name in ("low", "now", "high")}
    return ranges_chart(rows, title=t("study.why.ranges", lang=view.lang), words=words, lang=view.lang)


def winning_shares(view: View) -> pd.Series[Any] | None:
    """Return how often each building is chosen under other weights, by site_id; None where that would take long."""
    if view.plan.optimality["solver"] != "greedy":
        return None
    _, sites = ask_weights(view, WEIGHTINGS)
    shares: pd.Series[Any] = sites["chosen_share"]
    return shares


def ask_weights(view: View, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of ``truso robust`` for `n` random weightings, kept from before where they are known."""

    def work(_: Progress) -> Any:
        params = view.plan.params.with_values({"robustness.n_weightings": n})
        return robustness_tables(replace(view.plan, params=params))

    found: tuple[pd.DataFrame, pd.DataFrame] = ask(
        f"weights {n}", view.plan, work, text=t("study.robust.working.weights", lang=view.lang)
    )
    return found


def sureness_text(view: View, unit_id: str) -> str:
    """Return how sure the figures of the unit's buildings are: how many of them are modelled, or not known."""
    of_unit = view.plan.city.sites[view.plan.city.sites["unit_id"] == unit_id]
    unknown = of_unit[["floor_area_m2", "usable_area_m2"]].isna().all(axis=1) | of_unit["condition"].isna()
    values = {
        "n": view.number(len(of_unit)),
        "modelled": view.number((of_unit["data_source"] == MODELLED).sum()),
        "unknown": view.number(unknown.sum()),
    }
    return t("study.why.sureness", lang=view.lang, **values)
