"""The app: page configuration, sidebar, navigation, and the way from the controls to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from geo.city import City
from geo.errors import Fault, GeoError, InputError, ParamsError
from geo.params import Params
from geo.plan import Plan, prepare
from geo.settings import Settings
from geo.text import t
from geo.ui import controls, state, store, upload
from geo.ui.pages import compare, data, export, frontier, overview, robust, scenarios, unit
from geo.ui.served import serve_city
from geo.ui.view import View, show_faults

_ASSETS = Path(__file__).resolve().parent / "assets"
_PAGES = {
    "overview": (overview.show, ":material/map:"),
    "unit": (unit.show, ":material/apartment:"),
    "frontier": (frontier.show, ":material/show_chart:"),
    "robust": (robust.show, ":material/balance:"),
    "scenarios": (scenarios.show, ":material/alt_route:"),
    "compare": (compare.show, ":material/compare_arrows:"),
    "export": (export.show, ":material/download:"),
    "data": (data.show, ":material/fact_check:"),
}


def run(*, static_dir: Path) -> None:
    """Show the app.

    Parameters
    ----------
    static_dir : pathlib.Path
        The folder that Streamlit serves; the map's scripts and geometry are written there.
    """
    st.set_page_config(page_title="truso", page_icon=_ASSETS / "icon.png", layout="wide")
    st.html(_ASSETS / "app.css")
    state.start()
    lang = controls.choose_language()
    # The controls stand here and not on a page: a widget of a page forgets its value when the page changes.
    view = _make_view(lang=lang, static_dir=static_dir)
    if view is None:
        st.stop()
    page = st.navigation(_pages(view))
    state.write_url()
    page.run()


def _pages(view: View) -> list[st.Page]:
    pages = {
        name: st.Page(
            partial(show, view), title=view.say(f"page.{name}"), icon=icon, url_path=name, default=name == "overview"
        )
        for name, (show, icon) in _PAGES.items()
    }
    view.pages.update(pages)
    return list(pages.values())


def _make_view(*, lang: str, static_dir: Path) -> View | None:
    """Return what the pages draw from, or None where an error is shown instead."""
    try:
        city, plan = _load(lang=lang)
    except GeoError as error:
        _show_failure(error, lang=lang)
        return None
    if st.session_state[state.UNIT] not in city.units.index:
        state.select_unit("")
    return View(
        plan=plan,
        lang=lang,
        unit_id=st.session_state[state.UNIT],
        served=serve_city(city, folder=static_dir)
        if upload.current() is None
        else store.own_map(city, str(static_dir)),
    )


def _show_failure(error: GeoError, *, lang: str) -> None:
    """Say why there is no plan, in the reader's language where the error is one of the reader's data or settings."""
    kind = "input" if isinstance(error, InputError) else "params" if isinstance(error, ParamsError) else "plan"
    st.error(t(f"ui.failed.{kind}", lang=lang), icon=":material/error:")
    faults: Sequence[Fault] = getattr(error, "faults", ())
    if faults:
        show_faults(faults, lang=lang)
    else:
        st.text(str(error))
    if upload.current() is not None:
        st.button(t("study.upload.back", lang=lang), on_click=upload.use, args=(None,), icon=":material/undo:")


def _load(*, lang: str) -> tuple[City, Plan]:
    """Read the city, show the controls and make the plan that they stand for."""
    with st.spinner(t("ui.working.city", lang=lang)):
        own = upload.current()
        city = store.current_city(Settings()) if own is None else own.city
    controls.show_controls(lang=lang, n_units=len(city.units))
    params = state.chosen_params()
    controls.show_shares(params.weights, lang=lang)
    with st.spinner(t("ui.working.plan", lang=lang)):
        _travel(city, params, lang=lang)
        return city, store.current_plan(city, params)


def _travel(city: City, params: Params, *, lang: str) -> None:
    """Compute what a new mode of travel needs, before the cached call: only outside of it can progress be shown.

    The bar is also where Streamlit stops the work when the reader presses Stop or moves a control.
    """
    place = st.empty()

    def tell(step: str, share: float) -> None:
        place.progress(share, text=t("ui.working.access", lang=lang))

    prepare(city, params, progress=tell)
    place.empty()
