"""What a page gets: the plan, the language, and the pieces that every page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from geo.errors import Fault
from geo.plan import Plan
from geo.publish.reasons import attribution_texts, modelled_text, number_text, percent_text, reason_text
from geo.text import describe_fault, t
from geo.ui.served import Served
from geo.ui.words import minutes_text, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a page draws from.

    Attributes
    ----------
    plan : Plan
    lang : str
    unit_id : str
        Unit looked at; empty where none is chosen yet.
    served : Served
        Addresses of what the map loads.
    open_unit : callable
        Opens the page of one unit.
    """

    plan: Plan
    lang: str
    unit_id: str
    served: Served
    open_unit: Callable[[], None]

    def say(self, key: str, **values: str) -> str:
        """Return the message ``ui.<key>`` in the reader's language."""
        return t(f"ui.{key}", lang=self.lang, **values)

    def role(self, role: str) -> str:
        """Return what a site with this role is used for."""
        return t(f"publish.role.{role}", lang=self.lang) if role else self.say("role.none")

    def number(self, value: float, *, decimals: int = 0) -> str:
        """Return a figure as the language writes it."""
        return number_text(value, lang=self.lang, decimals=decimals)

    def share(self, value_0_1: float, *, decimals: int = 0) -> str:
        """Return a share as a percentage."""
        return percent_text(value_0_1, lang=self.lang, decimals=decimals)

    def minutes(self, value: float) -> str:
        """Return a travel time with its unit."""
        return minutes_text(value, lang=self.lang)

    def reason(self, unit: pd.Series) -> str:
        """Return, as Markdown, why the unit gets what it gets."""
        return plain(reason_text(unit, lang=self.lang, max_sites=self.plan.params.choice.max_sites))


def show_banner(view: View) -> None:
    """Say which parts are modelled."""
    text = modelled_text(view.plan, lang=view.lang)
    if text:
        st.warning(plain(text), icon=":material/science:")


def show_attribution(view: View) -> None:
    """Name the sources that ask for it."""
    st.caption(" ".join(attribution_texts(lang=view.lang)))


def show_figures(view: View) -> None:
    """Show the city's figures in one row."""
    totals = view.plan.totals
    figures = (
        ("units", view.number(totals["units"])),
        ("sites", f"{view.number(totals['sites'])} / {view.number(view.plan.params.choice.max_sites)}"),
        ("minutes", view.minutes(totals["mean_time_min"])),
        ("share", view.share(totals["share_within_30min"], decimals=1)),
        ("norm", view.share(totals["norm_met_pct"] / 100)),
    )
    for column, (key, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(view.say(f"figure.{key}"), value, help=view.say(f"figure_help.{key}"), border=True)


def show_faults(faults: Iterable[Fault], *, lang: str) -> None:
    """List `faults` in a table; its cells are drawn as plain text."""
    columns = {name: t(f"ui.fault_column.{name}", lang=lang) for name in ("severity", "fault")}
    rows = [[t(f"ui.severity.{f.severity}", lang=lang), describe_fault(f, lang=lang)] for f in faults]
    st.dataframe(pd.DataFrame(rows, columns=list(columns.values())), hide_index=True)
