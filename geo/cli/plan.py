"""Commands that choose: plan, check and run."""

from __future__ import annotations

import os
import subprocess
import sys
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
    printable,
    progress_bar,
    show_faults,
    show_line,
)
from geo.errors import InputError
from geo.text import t


def plan(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; made if needed.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Choose the sites of a data folder and write the plan."""
    words = language(lang)
    with errors_in_words(words):
        from geo.publish import write_plan
        from geo.publish.reasons import profile_text

        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress)
            progress("publish", 0.0)
            write_plan(made, out, lang=words)
        show_faults(made.notes, words)
        OUT.print(t("cli.planned", lang=words, out=out, **printable(made.totals, words)))
        show_line(profile_text(made, lang=words))


def check(
    data: Annotated[Path | None, typer.Argument(help="Data folder; the embedded data if left out.")] = None,
    lang: Lang = None,
) -> None:
    """Say everything that is wrong with a data folder; exit code 1 if it cannot be used."""
    words = language(lang)
    with errors_in_words(words):
        from geo.city import check_city, load_city
        from geo.params import Params
        from geo.sources.elsewhere import notes_elsewhere
        from geo.sources.network import notes_on_coverage

        try:
            city = load_city(data)
        except InputError:
            faults = check_city(data)  # all that is wrong, not only what stopped it
        else:
            roads = () if city.network is None else notes_on_coverage(city.network, city.communes)
            faults = [*city.notes, *roads, *notes_elsewhere(city.units, Params())]
        show_faults(faults, words)
        if any(fault.severity == "error" for fault in faults):
            raise typer.Exit(1)
        OUT.print(t("cli.check_passed", lang=words))


def run(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port of the page.")] = 8501,
) -> None:
    """Start the app on a data folder and print its address."""
    page = Path(__file__).resolve().parents[2] / "app.py"
    environment = {**os.environ, **({"GEO_DATA_DIR": str(data.resolve())} if data else {})}
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port)]
    raise typer.Exit(subprocess.call([*command, "--server.headless", "true"], env=environment, cwd=page.parent))
