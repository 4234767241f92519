"""What a page gets: the plan, the language, and the pieces that every page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pandas as pd
import streamlit as st

from geo.errors import Fault
from geo.plan import Plan
from geo.publish.reasons import (
    attribution_texts,
    count_meeting_norm,
    coverage_text,
    modelled_text,
    number_text,
    percent_text,
    reason_text,
)
from geo.schemas import ROLES
from geo.text import t
from geo.ui import upload
from geo.ui.served import Served
from geo.ui.words import minutes_text, plain

#: A longer list of faults scrolls.
_LIST_LENGTH, _LIST_HEIGHT = 8, 400
_SIGNS = dict(zip(ROLES, "■◆▲", strict=True))


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
    pages : dict
        Pages of the app by name, to switch to.
    """

    plan: Plan
    lang: str
    unit_id: str
    served: Served
    pages: dict[str, st.Page] = field(default_factory=dict)

    def say(self, key: str, **values: str) -> str:
        """Return the message ``ui.<key>`` in the reader's language."""
        return t(f"ui.{key}", lang=self.lang, **values)

    def role(self, role: str) -> str:
        """Return what a site with this role is used for."""
        return t(f"publish.role.{role}", lang=self.lang) if role else self.say("role.none")

    def norm(self, value_pct: float | None) -> str:
        """Return how much of the space norm is met."""
        return self.share(None if value_pct is None else value_pct / 100)

    def number(self, value: float | None, *, decimals: int = 0) -> str:
        """Return a figure as the language writes it."""
        return number_text(value, lang=self.lang, decimals=decimals)

    def share(self, value_0_1: float | None, *, decimals: int = 0) -> str:
        """Return a share as a percentage."""
        return percent_text(value_0_1, lang=self.lang, decimals=decimals)

    def minutes(self, value: float | None) -> str:
        """Return a travel time with its unit."""
        return minutes_text(value, lang=self.lang)

    def unit(self, unit_id: str) -> pd.Series[Any]:
        """Return the row of ``plan.units`` of one unit."""
        return cast("pd.Series[Any]", self.plan.units.loc[unit_id])

    def site_name(self, site_id: str) -> str:
        """Return, as Markdown, the name of a building."""
        return plain(str(self.plan.sites.loc[site_id, "name"]))

    def site_line(self, site_id: str, role: str) -> str:
        """Return a line of Markdown: the sign that the map draws, the use and the name of a chosen site."""
        return self.say("site_line", sign=_SIGNS[role], role=self.role(role), name=self.site_name(site_id)) + "  "

    def reason(self, unit: pd.Series[Any]) -> str:
        """Return, as Markdown, why the unit gets what it gets."""
        return plain(reason_text(unit, lang=self.lang, max_sites=self.plan.params.choice.max_sites))


def show_banner(view: View) -> None:
    """Say whose inventory is shown where it is the reader's, what is modelled, and whom the figures leave out."""
    own = upload.current()
    if own is not None:
        buildings = view.number(len(view.plan.sites))
        st.info(plain(upload.owner_text(own, lang=view.lang, buildings=buildings)), icon=":material/upload_file:")
    if text := modelled_text(view.plan, lang=view.lang):
        st.warning(plain(text), icon=":material/science:")
    if text := coverage_text(view.plan, lang=view.lang):
        st.warning(plain(text), icon=":material/wrong_location:")


def show_attribution(view: View) -> None:
    """Name the sources that ask for it."""
    st.caption(" ".join(attribution_texts(view.plan, lang=view.lang)))


def show_figures(view: View) -> None:
    """Show the city's figures in one row."""
    totals = view.plan.totals
    figures = (
        ("units", view.number(totals["units"])),
        ("sites", f"{view.number(totals['sites'])} / {view.number(view.plan.params.choice.max_sites)}"),
        ("minutes", view.minutes(totals["mean_time_min"])),
        ("share", view.share(totals["share_within_30min"], decimals=1)),
        ("norm", f"{view.number(count_meeting_norm(view.plan.units))} / {view.number(totals['units'])}"),
    )
    about = {"decree": view.plan.params.norms.decree, "share": view.norm(totals["norm_met_pct"])}
    for column, (key, value) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(view.say(f"figure.{key}"), value, help=view.say(f"figure_help.{key}", **about), border=True)
    left = view.plan.params.choice.max_sites - totals["sites"]
    if left > 0 and not totals["units_without"]:
        st.caption(view.say("figure_help.sites_left", left=view.number(left)))


def show_faults(faults: Sequence[Fault], *, lang: str) -> None:
    """List `faults`, each with its place and its remedy."""
    words = {kind: t(f"ui.severity.{kind}", lang=lang) for kind in ("error", "warning")}
    lines = (f"- **{words[fault.severity]}** {plain(fault.describe(lang=lang))}" for fault in faults)
    with st.container(height=_LIST_HEIGHT if len(faults) > _LIST_LENGTH else "content"):
        st.markdown("\n".join(lines))
