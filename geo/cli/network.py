"""The command about the roads: into which pieces they fall for a mode, and what the file tells of them."""

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
    params_of,
    progress_bar,
)
from geo.text import t


def network(
    out: Annotated[Path, typer.Option("--out", help="Table of the pieces to write, csv.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Say into which pieces the roads fall for a mode (access.mode): the main one, islands, one-way traps."""
    words = language(lang)
    with errors_in_words(words):
        from geo.city import load_city
        from geo.errors import Fault, NetworkError
        from geo.publish.network import network_texts
        from geo.publish.tables import write_csv
        from geo.travel.network import build_graph
        from geo.travel.pieces import find_pieces

        access = params_of(data, params, set_, speeds=speeds).access
        with progress_bar(words) as progress:
            city = load_city(data, progress=progress)
        if city.network is None:
            raise NetworkError(Fault(key="no_network"))
        pieces = find_pieces(build_graph(city.network, access, crs=city.crs), city.network)
        write_csv(pieces.round({"road_km": 3, "lon": 6, "lat": 6}), out)
        for sentence in network_texts(city.network, pieces, lang=words):
            OUT.print(f"- {sentence}", markup=False)
        OUT.print(t("cli.written", lang=words, out=out), markup=False)
