"""What a road network holds, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.params import SURFACES
from geo.publish.reasons import number_text
from geo.schemas import RoadNetwork
from geo.text import t
from geo.travel.pieces import KINDS


def network_texts(network: RoadNetwork, pieces: pd.DataFrame, *, lang: str) -> list[str]:
    """Return sentences about a network and the pieces that a mode finds it in.

    Parameters
    ----------
    network : RoadNetwork
    pieces : pandas.DataFrame
        From :func:`geo.travel.pieces.find_pieces`.
    lang : str
        One of :data:`geo.text.LANGUAGES`.
    """

    def say(key: str, **figures: float) -> str:
        decimals = {"km": 1, "longest": 1, "spanning": 1}
        shown = {
            name: number_text(figure, lang=lang, decimals=decimals.get(name, 0)) for name, figure in figures.items()
        }
        return t(f"network.{key}", lang=lang, **shown)

    main = pieces["kind"] == "main"
    share = 100 * pieces.loc[main, "road_km"].sum() / pieces["road_km"].sum()
    texts = [
        say("main", km=pieces.loc[main, "road_km"].sum(), share=np.floor(share), n=pieces.loc[main, "n_nodes"].sum())
    ]
    for kind in KINDS[1:]:
        rows = pieces[pieces["kind"] == kind]
        if len(rows):
            worst = rows.iloc[0]
            place = t("network.place", lang=lang, lon=f"{worst['lon']:.5f}", lat=f"{worst['lat']:.5f}")
            texts.append(say(kind, n=len(rows), km=rows["road_km"].sum(), longest=worst["road_km"]) + " " + place)
    barrier = (network.length_m == 0) & (network.tail != network.head) & np.isnan(network.duration_s)
    km = network.length_m / 1000
    known = 100 * km[network.surface != SURFACES.index("unknown")].sum() / km.sum()
    texts.append(say("holds", barriers=barrier.sum(), spanning=km[network.spanning].sum(), surface=known))
    texts.append(t("network.rivers" if len(network.rivers) else "network.no_rivers", lang=lang))
    return texts
