"""The command about access: who reaches what, how far it is, and what land lies within so many minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.cli.console import (
    OUT,
    Data,
    Lang,
    Override,
    ParamsFile,
    SpeedsFile,
    errors_in_words,
    language,
    plan_of,
    progress_bar,
    show_elsewhere,
    show_line,
)
from geo.text import t


def access(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; made if needed.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Say how far the people are from where a plan receives them, and draw isochrones."""
    words = language(lang)
    with errors_in_words(words):
        from geo.publish.access import reach_texts, write_access
        from geo.publish.reasons import modelled_text, profile_text

        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress)
            reach = write_access(made, out, progress=progress)
        show_elsewhere(made, words)
        for sentence in reach_texts(reach, lang=words):
            OUT.print(f"- {sentence}", markup=False)
        show_line(profile_text(made, lang=words))
        show_line(modelled_text(made, lang=words))
        OUT.print(t("cli.written", lang=words, out=out), markup=False)
