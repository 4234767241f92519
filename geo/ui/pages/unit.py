"""One unit: one site against two side by side, and every candidate with each part of its score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import geopandas as gpd
import pandas as pd
import streamlit as st

from geo.params import CRITERIA, ChoiceParams, Params
from geo.progress import Progress
from geo.publish.reasons import source_text
from geo.schemas import ROLES
from geo.study.isochrones import unit_isochrones
from geo.text import t
from geo.ui import state
from geo.ui.auditview import show_pieces
from geo.ui.colours import SCORE_STEP, round_ends
from geo.ui.longwork import ask
from geo.ui.sketch import draw_unit
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View, show_attribution, show_banner
from geo.ui.whyview import show_why, sureness_text, winning_shares
from geo.ui.words import area_text, plain

_CHOICE = "unit_choice"
#: Rows of the comparison, from top to bottom: the column of ``plan.options`` and how it is written.
_FIGURES = {
    "score": ("score", "score"),
    **{name: (f"{name}_0_1", "part") for name in CRITERIA},
    "penalty": ("penalty", "score"),
    "minutes": ("mean_time_min", "minutes"),
    "p95": ("p95_time_min", "minutes"),
    "share": ("share_within_30min", "share"),
    "norm": ("norm_met_pct", "percent"),
    "between": ("minutes_between", "minutes"),
}


def show(view: View) -> None:
    """Draw the page."""
    st.title(view.say("page.unit"))
    show_banner(view)
    unit_id = _choose_unit(view)
    unit = view.unit(unit_id)
    st.caption(view.say("unit.made_of", communes=_made_of(view, unit_id)))
    st.info(view.reason(unit), icon=":material/lightbulb:")
    _show_facts(view, unit)
    st.subheader(view.say("unit.compare"))
    reached = _ask_reached(view, unit)
    for column, n_sites in zip(st.columns(2, gap="medium"), (1, 2), strict=True):
        with column:
            _show_option(view, unit_id, n_sites, reached)
    _show_comparison(view, unit_id)
    st.subheader(t("study.why.title", lang=view.lang))
    show_why(view, unit_id)
    st.subheader(view.say("unit.candidates"))
    _show_candidates(view, unit_id)
    st.caption(sureness_text(view, unit_id))
    show_pieces(view, unit_id)
    show_attribution(view)


def _choose_unit(view: View) -> str:
    """Show the list of units; without a choice the first one is looked at."""
    names = view.plan.units["name"]
    st.session_state[_CHOICE] = view.unit_id or names.index[0]
    st.selectbox(
        view.say("unit.choose"),
        list(names.index),
        key=_CHOICE,
        format_func=lambda id_: str(names[id_]),
        on_change=lambda: state.select_unit(st.session_state[_CHOICE]),
    )
    return str(st.session_state[_CHOICE])


def _made_of(view: View, unit_id: str) -> str:
    """Return, as Markdown, the old communes that the unit took over, whole or in part."""
    pieces = view.plan.city.pieces
    names = view.plan.city.communes["name"]
    taken = pieces[pieces["unit_id"] == unit_id]
    return ", ".join(
        plain(names[id_]) if relation == "whole" else view.say("unit.part", name=plain(names[id_]))
        for id_, relation in zip(taken["commune_id"], taken["relation"], strict=True)
    )


def _show_facts(view: View, unit: pd.Series[Any]) -> None:
    facts = (
        ("population", view.number(unit["population"])),
        ("staff", view.number(unit["staff"])),
        ("need", area_text(unit["need_m2"], lang=view.lang)),
        ("candidates", view.number((view.plan.sites["unit_id"] == unit.name).sum())),
    )
    for column, (key, value) in zip(st.columns(len(facts)), facts, strict=True):
        column.metric(view.say(f"unit.{key}"), value, border=True)


def find_option(view: View, unit_id: str, n_sites: int) -> pd.Series[Any] | None:
    """Return the best option of the unit with `n_sites` sites, None where there is none."""
    options = view.plan.options
    found = options[(options["unit_id"] == unit_id) & (options["n_sites"] == n_sites)]
    return None if found.empty else found.iloc[0]


def option_roles(option: pd.Series[Any]) -> dict[str, str]:
    """Return what each site of the option would be used for, by site_id."""
    if option["n_sites"] == 1:
        return {option["site_id_1"]: ROLES[0]}
    return {option["site_id_1"]: ROLES[1], option["site_id_2"]: ROLES[2]}


def _ask_reached(view: View, unit: pd.Series[Any]) -> gpd.GeoDataFrame | None:
    """Return the isochrones of the unit's sites if the reader wants them; they follow the sites, not the weights."""
    if view.plan.city.network is None or not unit["n_sites"]:
        return None
    if not st.toggle(
        t("study.reached.show", lang=view.lang), key="unit_reached", help=t("study.reached.about", lang=view.lang)
    ):
        return None
    params = view.plan.params
    same_ways = replace(
        view.plan, params=Params(access=params.access, choice=ChoiceParams(reception=params.choice.reception))
    )
    question = f"isochrones {unit.name} {unit['site_id_1']} {unit['site_id_2']}"

    def work(progress: Progress) -> gpd.GeoDataFrame:
        return unit_isochrones(view.plan, unit_ids=[str(unit.name)], progress=progress)

    return cast(gpd.GeoDataFrame, ask(question, same_ways, work, text=t("study.reached.working", lang=view.lang)))


def _show_option(view: View, unit_id: str, n_sites: int, reached: gpd.GeoDataFrame | None) -> None:
    option = find_option(view, unit_id, n_sites)
    with st.container(border=True):
        title = view.say(f"unit.option_{n_sites}")
        if option is None:
            st.markdown(f"**{title}**")
            st.caption(view.say("unit.no_option"))
            return
        badge = f" :green-badge[:material/check: {view.say('unit.proposed')}]" if option["chosen"] else ""
        st.markdown(f"**{title}**{badge}")
        roles = option_roles(option)
        picture = draw_unit(
            view.plan.city,
            unit_id,
            shares=_colour_shares(view, unit_id),
            roles=roles,
            lang=view.lang,
            isochrones=reached if option["chosen"] else None,
            minutes_text=view.say("amount.min", value="{}"),
        )
        st.image(picture, width="stretch", alt=view.say("unit.sketch_alt", title=title))
        st.markdown("\n".join(view.site_line(site_id, role) for site_id, role in roles.items()))


def _colour_shares(view: View, unit_id: str) -> pd.Series[Any]:
    """Return where the scores of the unit's buildings lie on the ramp that the city's map uses."""
    scores = view.plan.sites["score_0_1"]
    dark, bright = round_ends(scores, step=SCORE_STEP)
    return ((scores - dark) / (bright - dark))[view.plan.sites["unit_id"] == unit_id]


def comparison_rows(view: View, unit_id: str) -> pd.DataFrame:
    """Return the figures of both options and their difference as text, a row per figure."""
    one, two = (find_option(view, unit_id, n_sites) for n_sites in (1, 2))
    figures = pd.DataFrame({1: _figures(one), 2: _figures(two)}, index=list(_FIGURES))
    figures["difference"] = figures[2] - figures[1]
    rows = {
        view.say(f"unit.row.{name}"): [
            _written(view, name, row[1]),
            _written(view, name, row[2]),
            _written(view, name, row["difference"], signed=True),
        ]
        for name, row in figures.iterrows()
    }
    columns = [view.say(f"unit.{column}") for column in ("option_1", "option_2", "difference")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _figures(option: pd.Series[Any] | None) -> list[float]:
    return [float("nan") if option is None else float(option[column]) for column, _ in _FIGURES.values()]


def _written(view: View, name: Any, value: float, *, signed: bool = False) -> str:
    if pd.isna(value):
        return "–"
    kind = _FIGURES[name][1]
    sign = "" if not signed or value == 0 else "+" if value > 0 else "−"
    size = abs(value) if signed else value
    if kind == "minutes":
        return sign + view.minutes(size)
    if signed and kind in ("share", "percent"):
        points = size if kind == "percent" else 100 * size
        return sign + view.say("amount.points", value=view.number(points, decimals=0 if kind == "percent" else 1))
    if kind == "share":
        return sign + view.share(size, decimals=1)
    if kind == "percent":
        return sign + view.norm(size)
    return sign + view.number(size, decimals=3 if kind == "score" else 2)


def _show_comparison(view: View, unit_id: str) -> None:
    st.table(comparison_rows(view, unit_id))


def _show_candidates(view: View, unit_id: str) -> None:
    sites, wins = view.plan.sites[view.plan.sites["unit_id"] == unit_id], winning_shares(view)
    rows = pd.DataFrame(
        {
            "name": sites["name"],
            "use": [view.role(role) for role in sites["role"]],
            "score": sites["score_0_1"],
            **({} if wins is None else {"wins": 100 * wins[sites.index]}),
            **{name: sites[f"{name}_0_1"] for name in CRITERIA},
            "area": sites["usable_area_m2"],
            "minutes": sites["mean_time_min"],
            "share": 100 * sites["share_within_30min"],
            "kind": [t(f"publish.kind.{kind}", lang=view.lang) for kind in sites["kind"]],
            "position": [source_text(code, lang=view.lang) for code in sites["position_source"]],
        }
    ).sort_values("score", ascending=False, kind="stable")
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    parts = ("score", *CRITERIA)
    decimals = {"score": 3, **dict.fromkeys(CRITERIA, 2), "area": 0, "minutes": 1, "share": 0}
    decimals |= {} if wins is None else {"wins": 0}
    st.dataframe(
        in_words(rows, decimals, lang=view.lang, percent=("share", "wins"), shaded=parts),
        hide_index=True,
        alt=view.say("unit.candidates"),
        column_config={
            "name": text(view.say("unit.column.name"), pinned=True, width=210),
            "use": text(view.say("unit.column.use"), width=140),
            "kind": text(view.say("unit.column.kind"), width=110),
            "score": number(view.say("unit.row.score"), width=95),
            **{name: number(view.say(f"criterion.{name}"), width=95) for name in CRITERIA},
            "area": number(view.say("unit.column.area"), width=90),
            "minutes": number(view.say("unit.column.minutes"), width=60),
            "share": number(view.say("unit.column.share"), width=72),
            "wins": number(
                t("study.why.wins", lang=view.lang), help=t("study.why.wins_help", lang=view.lang), width=90
            ),
            "position": view.say("unit.column.position"),
        },
        placeholder=MISSING,
    )
