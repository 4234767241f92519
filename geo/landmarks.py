"""Bridges and zones of the facts: the places that a restriction may name in place of degrees."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pandas as pd

from geo.settings import EMBEDDED_DATA

#: Fields of a restriction by the name of the place.
Places = dict[str, dict[str, Any]]
#: Around the middle of a bridge only the bridge itself is a main road; one that is not is told from the streets on the
#: banks by being nearer.
_MAIN_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_SMALL_BRIDGE_RADIUS_M = 60.0


@lru_cache
def read_bridges() -> Places:
    """Return the middle of every bridge, and what tells its road from those around it."""
    table = pd.read_csv(EMBEDDED_DATA / "facts" / "bridges.csv")
    return {
        str(row.name): {
            "lon": row.lon,
            "lat": row.lat,
            **({"classes": _MAIN_ROADS} if row.road_class in _MAIN_ROADS else {"radius_m": _SMALL_BRIDGE_RADIUS_M}),
        }
        for row in table.itertuples(index=False)
    }


@lru_cache
def read_zones() -> Places:
    """Return the ring of corners of every zone."""
    table = pd.read_csv(EMBEDDED_DATA / "facts" / "zones.csv").sort_values(["zone", "seq"])
    return {
        str(zone): {"ring": list(zip(rows["lon"].tolist(), rows["lat"].tolist(), strict=True))}
        for zone, rows in table.groupby("zone")
    }


#: What reads the places of each kind, by the word that a restriction has for it.
LANDMARKS: dict[str, Callable[[], Places]] = {"bridge": read_bridges, "zone": read_zones}
