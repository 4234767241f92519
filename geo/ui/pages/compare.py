"""Two files of parameters, two plans: what differs in them, what changes, where and for how many people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from geo.errors import Fault, GeoError, ParamsError
from geo.params import Params, parse_params
from geo.plan import Plan, prepare
from geo.publish.compare import compared_units, comparison_texts, params_table, totals_texts
from geo.publish.reasons import profile_text
from geo.publish.tables import csv_bytes
from geo.settings import Settings
from geo.study.compare import Comparison
from geo.text import t
from geo.ui import store
from geo.ui.diffmap import difference_chart, has_unknown
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View, show_attribution, show_banner, show_faults
from geo.ui.words import plain

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

#: A file of parameters with a pin for every building of a large city has less than this.
_LIMIT_KB = 256
#: What the browser may send before that is looked at: the least that the widget can be told.
_UPLOAD_MB = 1
#: More weightings than that take longer than a page may keep the machine from others.
_MAX_WEIGHTINGS = 2000
_HEIGHT = 520
#: Columns of the table, with the places of the figures after the comma.
_COLUMNS = {
    "name": None, "change": None, "sites_before": None, "sites_after": None, "moved_m": 0, "added_min": 1,
    "slower_population": 0, "faster_population": 0,
}  # fmt: skip


def show(view: View) -> None:
    """Draw the page."""
    st.title(_say(view, "title"))
    show_banner(view)
    st.caption(_say(view, "intro"))
    files = [
        column.file_uploader(_say(view, side), type=["toml"], key=f"compare_{side}", max_upload_size=_UPLOAD_MB)
        for column, side in zip(st.columns(2, gap="medium"), ("before", "after"), strict=True)
    ]
    if files[1] is None:
        st.info(_say(view, "missing"), icon=":material/help:")
        return
    if files[0] is None:
        st.caption(_say(view, "controls"))
    plans = [view.plan if file is None else _plan_of(view, file) for file in files]
    if plans[0] is not None and plans[1] is not None:
        _show_comparison(view, plans[0], plans[1])
        show_attribution(view)


def _say(view: View, key: str, **values: object) -> str:
    return t(f"compare.{key}", lang=view.lang, **values)


def _plan_of(view: View, file: UploadedFile) -> Plan | None:
    """Return the plan of an uploaded file, or None where it is told what is wrong."""
    name = plain(file.name)
    if file.size > 1024 * _LIMIT_KB:
        size = view.number(file.size / 1024)
        st.error(_say(view, "too_large", file=name, size=size, limit=view.number(_LIMIT_KB)), icon=":material/error:")
        return None
    try:
        params = parse_params(file.getvalue(), file=file.name, data_dir=Settings().data_dir)
        _refuse_long_work(params, file=file.name)
        return _make(view, params)
    except GeoError as error:
        st.error(_say(view, "unreadable", file=name), icon=":material/error:")
        show_faults(getattr(error, "faults", ()), lang=view.lang)
        return None


def _refuse_long_work(params: Params, *, file: str) -> None:
    wanted = params.robustness.n_weightings
    if wanted > _MAX_WEIGHTINGS:
        column, allowed = "robustness.n_weightings", f"≤ {_MAX_WEIGHTINGS}"
        raise ParamsError(
            Fault(key="params_value", file=file, column=column, value=str(wanted), values={"allowed": allowed})
        )


def _make(view: View, params: Params) -> Plan:
    """Make the plan, with a bar while travel times are computed, which is also where Streamlit stops the work."""
    place = st.empty()

    def tell(_step: str, share: float) -> None:
        place.progress(share, text=_say(view, "working"))

    with st.spinner(_say(view, "working")):
        prepare(view.plan.city, params, settings=Settings(), progress=tell)
        place.empty()
        return store.current_plan(view.plan.city, params)


def _show_comparison(view: View, before: Plan, after: Plan) -> None:
    with st.spinner(_say(view, "working")):
        found = store.current_comparison(before, after)
    if before.params == after.params:
        st.info(_say(view, "same"), icon=":material/check:")
    texts = [*comparison_texts(found, lang=view.lang), *_profiles(view, before, after)]
    st.markdown("\n".join(f"- {plain(text)}" for text in texts))
    left, right = st.columns([8, 5], gap="medium")
    with left:
        _show_map(view, found)
    with right:
        _show_params(view, found)
        _show_totals(view, found)
    _show_units(view, found)


def _profiles(view: View, before: Plan, after: Plan) -> list[str]:
    """Return the network profile of each plan that has one."""
    texts = ((side, profile_text(plan, lang=view.lang)) for side, plan in (("before", before), ("after", after)))
    return [f"{_say(view, f'column.{side}')}: {text}" for side, text in texts if text]


def _show_params(view: View, found: Comparison) -> None:
    table = params_table(found, lang=view.lang)
    if table.empty:
        st.markdown(_say(view, "params_same"))
        return
    st.markdown(_say(view, "params", n=len(table)))
    labels = {name: _say(view, f"column.{key}") for name, key in (("name", "parameter"), *_SIDES)}
    st.dataframe(table, hide_index=True, column_config=labels, placeholder=MISSING)


_SIDES = (("before", "before"), ("after", "after"))


def _show_totals(view: View, found: Comparison) -> None:
    table = pd.DataFrame(totals_texts(found, lang=view.lang), columns=["figure", "before", "after"])
    labels = {"figure": _say(view, "figure"), **{name: _say(view, f"column.{key}") for name, key in _SIDES}}
    st.dataframe(table, hide_index=True, column_config=labels, placeholder=MISSING)


def _show_map(view: View, found: Comparison) -> None:
    city = view.plan.city
    whole = st.toggle(_say(view, "wide"), key="compare_whole")
    units = found.units.loc[city.units.index]
    chart = difference_chart(
        units,
        city,
        store.current_shapes(city),
        measure="added_min",
        lang=view.lang,
        height=_HEIGHT,
        whole=whole,
        outlined=np.asarray(units["change"] != "none"),
    )
    st.vega_lite_chart(chart, width="stretch", key="comparison_map")
    grey = [t("scenario.unknown", lang=view.lang)] if has_unknown(units, "added_min") else []
    st.caption(" ".join([_say(view, "outlined"), *grey]))


def _names(view: View, listed: str) -> str:
    """Return the names of the buildings that are listed by id: the file keeps the ids."""
    names = view.plan.sites["name"]
    return " + ".join(str(names.get(site_id, site_id)) for site_id in listed.split(" + "))


def _show_units(view: View, found: Comparison) -> None:
    st.subheader(_say(view, "where"))
    table = found.units.sort_values("change", key=lambda change: change == "none", kind="stable")
    table = table[list(_COLUMNS)].reset_index(drop=True)
    table["change"] = [_say(view, f"change.{code}") for code in table["change"]]
    for side in ("sites_before", "sites_after"):
        table[side] = [_names(view, listed) for listed in table[side]]
    labels = {name: st.column_config.Column(_say(view, f"column.{name}"), pinned=name == "name") for name in _COLUMNS}
    figures = {name: places for name, places in _COLUMNS.items() if places is not None}
    st.dataframe(
        in_words(table, figures, lang=view.lang), hide_index=True, height=330, column_config=labels, placeholder=MISSING
    )
    files = (("units", compared_units(found)), ("params", params_table(found, lang=view.lang)))
    for column, (kind, content) in zip(st.columns(2), files, strict=True):
        name = f"compare_{kind}.csv"
        column.download_button(
            _say(view, f"download_{kind}"), csv_bytes(content, dict.fromkeys(content.columns)), name, "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
