"""The app: page configuration, sidebar, navigation, and the way from the controls to a plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from geo.errors import GeoError, InputError, ParamsError
from geo.settings import Settings
from geo.text import t
from geo.ui import controls, state, store
from geo.ui.pages import data, export, overview, unit
from geo.ui.served import serve_city
from geo.ui.view import View, show_faults

_ICON = Path(__file__).resolve().parent / "assets" / "icon.png"
_STYLE = Path(__file__).resolve().parent / "assets" / "app.css"
_PAGES = {
    "overview": (overview.show, ":material/map:"),
    "unit": (unit.show, ":material/apartment:"),
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
    st.set_page_config(page_title="truso", page_icon=str(_ICON), layout="wide")
    st.html(_STYLE)
    state.start()
    lang = controls.choose_language()
    pages: dict[str, st.Page] = {}
    for name, (show, icon) in _PAGES.items():
        body = partial(_show_page, show, lang=lang, static_dir=static_dir, pages=pages)
        title = t(f"ui.page.{name}", lang=lang)
        pages[name] = st.Page(body, title=title, icon=icon, url_path=name, default=name == "overview")
    page = st.navigation(list(pages.values()))
    state.write_url()
    page.run()


def _show_page(show: Callable[[View], None], *, lang: str, static_dir: Path, pages: dict[str, st.Page]) -> None:
    view = _make_view(lang=lang, static_dir=static_dir, pages=pages)
    if view is not None:
        show(view)


def _make_view(*, lang: str, static_dir: Path, pages: dict[str, st.Page]) -> View | None:
    """Return what the pages draw from, or None where an error is shown instead."""
    try:
        with st.spinner(t("ui.working.city", lang=lang)):
            city = store.current_city(Settings())
        controls.show_controls(lang=lang, n_units=len(city.units))
        params = state.chosen_params()
        controls.show_shares(params.weights, lang=lang)
        with st.spinner(t("ui.working.plan", lang=lang)):
            plan = store.current_plan(city, params)
        served = serve_city(city, folder=static_dir)
    except InputError as error:
        st.error(t("ui.failed.input", lang=lang), icon=":material/error:")
        show_faults(error.faults, lang=lang)
        return None
    except ParamsError as error:
        st.error(t("ui.failed.params", lang=lang), icon=":material/error:")
        show_faults(error.faults, lang=lang)
        return None
    except GeoError as error:
        st.error(t("ui.failed.plan", lang=lang), icon=":material/error:")
        st.text(str(error))
        return None
    unit_id = st.session_state[state.UNIT]
    if unit_id not in city.units.index:
        unit_id = ""
    return View(plan=plan, lang=lang, unit_id=unit_id, served=served, open_unit=lambda: st.switch_page(pages["unit"]))
