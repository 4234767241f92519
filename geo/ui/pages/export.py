"""The plan's files, to take away."""

from __future__ import annotations

import shlex
from pathlib import Path

import streamlit as st

from geo.settings import EMBEDDED_DATA, Settings
from geo.text import t
from geo.ui import store, upload
from geo.ui.view import View, show_attribution, show_banner

_MIME = {
    ".csv": "text/csv",
    ".gpkg": "application/geopackage+sqlite3",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html",
    ".json": "application/json",
    ".toml": "application/toml",
    ".zip": "application/zip",
}
_OWN_TEXTS = {store.ARCHIVE: "everything", "README.txt": "readme"}


def show(view: View) -> None:
    """Draw the page."""
    st.title(view.say("page.export"))
    show_banner(view)
    st.markdown(view.say("export.intro"))
    with st.spinner(view.say("working.files")):
        files = store.plan_files(view.plan, view.lang)
    _show_button(view, store.ARCHIVE, files[store.ARCHIVE], kind="primary")
    for name, content in files.items():
        if name != store.ARCHIVE:
            _show_button(view, name, content, kind="secondary")
    st.subheader(view.say("export.again"))
    if upload.current() is not None:
        st.info(t("study.upload.again", lang=view.lang), icon=":material/upload_file:")
    st.markdown(view.say("export.again_text"))
    st.code(_command(Settings().data_dir, lang=view.lang), language="bash")
    show_attribution(view)


def _command(data_dir: Path, *, lang: str) -> str:
    data = [] if data_dir == EMBEDDED_DATA else ["--data", str(data_dir)]
    return shlex.join(["truso", "plan", *data, "--params", "params.toml", "--lang", lang, "--out", "out"])


def _show_button(view: View, name: str, content: bytes, *, kind: str) -> None:
    suffix = name[name.rindex(".") :]
    button, text = st.columns([1, 3], vertical_alignment="center")
    button.download_button(
        name,
        content,
        file_name=name,
        mime=_MIME.get(suffix, "application/octet-stream"),
        on_click="ignore",
        icon=":material/download:",
        type="primary" if kind == "primary" else "secondary",
        width="stretch",
        key=f"download_{name}",
    )
    text.caption(f"{_describe(view, name)} ({_size(view, len(content))})")


def _describe(view: View, name: str) -> str:
    key = name.replace(".", "_")
    if name in _OWN_TEXTS:
        return view.say(f"export.{_OWN_TEXTS[name]}")
    return t(f"publish.readme.{key}", lang=view.lang)


def _size(view: View, n_bytes: int) -> str:
    return view.say("amount.kb", value=view.number(max(1, round(n_bytes / 1024))))
