"""What was read, what the merge's audit found, and where it all comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import streamlit as st

from geo.errors import InputError
from geo.settings import Settings
from geo.text import t
from geo.ui import upload
from geo.ui.auditview import show_audit
from geo.ui.tables import MISSING
from geo.ui.view import View, show_attribution, show_banner, show_faults

_COUNTS_IN_A_ROW = 3
#: Columns of ``sources.toml`` that have a name in the reader's language; any other shows as it is.
_NAMED = ("path", "sha256", "rows", "producer", "url", "licence", "attribution", "date", "changes")


def show(view: View) -> None:
    """Draw the page."""
    st.title(view.say("page.data"))
    show_banner(view)
    _show_counts(view)
    _show_upload(view)
    notes = view.plan.notes
    st.subheader(view.say("data.notes"))
    if notes:
        show_faults(notes, lang=view.lang)
    else:
        st.success(view.say("data.no_notes"), icon=":material/check_circle:")
    st.subheader(view.say("data.audit"))
    show_audit(view)
    _show_sources(view, Settings().data_dir)
    show_attribution(view)


def _show_counts(view: View) -> None:
    city = view.plan.city
    segments = 0 if city.network is None else len(city.network.tail)
    counts = (
        ("communes", len(city.communes)),
        ("districts", len(city.districts)),
        ("units", len(city.units)),
        ("sites", len(city.sites)),
        ("segments", segments),
        ("population", city.units["population"].sum()),
    )
    for start in range(0, len(counts), _COUNTS_IN_A_ROW):
        for column, (key, value) in zip(st.columns(_COUNTS_IN_A_ROW), counts[start:], strict=False):
            column.metric(view.say(f"data.{key}"), view.number(float(value)), border=True)
    st.caption(view.say("data.digest", digest=city.digest))


def _show_upload(view: View) -> None:
    """Offer to plan with another inventory; the other parts stay those of the folder."""
    with st.expander(_say(view, "title"), expanded=upload.current() is not None):
        st.markdown(_say(view, "about", limit=view.number(upload.MAX_MB)))
        template = upload.inventory_csv(view.plan.city)
        st.download_button(
            _say(view, "template"), template, "inventory.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
        if upload.current() is not None:
            st.button(_say(view, "back"), on_click=upload.use, args=(None,), icon=":material/undo:")
        file = st.file_uploader(
            _say(view, "file"), type=list(upload.TYPES), key="upload", max_upload_size=upload.MAX_MB
        )
        if file is not None and st.button(_say(view, "use"), type="primary", key="upload_use"):
            _take(view, file.name, file.getvalue())


def _take(view: View, name: str, content: bytes) -> None:
    """Read the inventory and plan with it, or say what is wrong with it and leave everything as it was."""
    place = st.empty()

    def tell(step: str, share: float) -> None:
        place.progress(share, text=_say(view, "working"))

    try:
        city = upload.read_upload(content, settings=Settings(), progress=tell)
    except InputError as error:
        place.empty()
        st.error(_say(view, "failed"), icon=":material/error:")
        show_faults(upload.in_own_words(error, name).faults, lang=view.lang)
        return
    upload.use(upload.OwnInventory(file=name, city=city))
    st.rerun()


def _say(view: View, key: str, **values: str) -> str:
    return t(f"study.upload.{key}", lang=view.lang, **values)


def read_sources(folder: Path) -> pd.DataFrame:
    """Return the sources that the data folder lists in ``sources.toml``, empty where it has no such file."""
    path = folder / "sources.toml"
    if not path.is_file():
        return pd.DataFrame()
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = [row for value in entries.values() if isinstance(value, list) for row in value if isinstance(row, dict)]
    return pd.DataFrame(rows).astype(str)


def _show_sources(view: View, folder: Path) -> None:
    sources = read_sources(folder)
    if not sources.empty:
        st.subheader(view.say("data.sources"))
        labels = {name: view.say(f"data.source.{name}") for name in _NAMED if name in sources}
        st.dataframe(sources, hide_index=True, column_config=labels, placeholder=MISSING)
