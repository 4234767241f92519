"""Commands that bring data: fetch and build-demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.cli.console import ERR, OUT, Lang, errors_in_words, language, progress_bar
from geo.text import t


def build_demo(
    facts: Annotated[Path | None, typer.Option("--facts", help="Folder of the facts tables.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; the embedded data if left out.")] = None,
    lang: Lang = None,
) -> None:
    """Build the modelled data from the facts."""
    words = language(lang)
    with errors_in_words(words):
        from geo.demo import build_demo as build
        from geo.settings import Settings

        home = Settings().data_dir
        with progress_bar(words) as progress:
            build(facts or home / "facts", out or home, progress=lambda step: progress(step, 0.0))
        OUT.print(t("cli.built", lang=words, out=out or home))


def fetch_osm(
    place: Annotated[str, typer.Argument(help="Name of a place, or a file of polygons.")],
    out: Annotated[Path, typer.Option("--out", help="Extract to write; its name ends with .osm.pbf.")],
    margin_m: Annotated[float, typer.Option(help="Metres beyond the area, so that no way around is cut off.")] = 1000,
    lang: Lang = None,
) -> None:
    """Fetch the roads of a place from OpenStreetMap."""
    words = language(lang)
    with errors_in_words(words):
        from geo.sources.fetch import fetch_osm as fetch

        area = Path(place) if Path(place).is_file() else place
        with progress_bar(words) as progress:
            path = fetch(area, out, margin_m=margin_m, progress=progress)
        OUT.print(t("cli.written", lang=words, out=path))


def fetch_units(
    data: Annotated[Path, typer.Argument(help="Data folder to bring the polygons into; made if needed.")],
    url: Annotated[str | None, typer.Option("--url", help="Address of a mirror that holds the same files.")] = None,
    lang: Lang = None,
) -> None:
    """Fetch the official polygons of Hanoi's 126 units from a public repository (MIT)."""
    words = language(lang)
    with errors_in_words(words):
        from geo.sources.units import UNITS_URL, read_pins
        from geo.sources.units import fetch_units as fetch

        try:
            with progress_bar(words) as progress:
                path = fetch(data, url=(url or UNITS_URL).rstrip("/"), progress=progress)
        except KeyboardInterrupt as error:
            ERR.print(t("cli.stopped_kept", lang=words))
            raise typer.Exit(130) from error
        OUT.print(t("cli.units_fetched", lang=words, n=len(read_pins()), out=path))
