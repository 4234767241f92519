"""``crosswalk.csv``: what every old commune gave to every unit, how that was found, and how sure it is."""

from __future__ import annotations

import pandas as pd

from geo.city import City
from geo.publish.tables import csv_bytes

#: Columns of ``crosswalk.csv`` in order, with the decimals of a number; None marks text.
CROSSWALK_COLUMNS: dict[str, int | None] = {
    "commune_id": None,
    "commune_name": None,
    "unit_id": None,
    "unit_name": None,
    "relation": None,
    "method": None,
    "sureness": None,
    "area_km2": 6,
    "area_share": 9,
    "share_low": 9,
    "share_high": 9,
    "population": 3,
    "population_share": 9,
    "population_method": None,
}


def crosswalk_table(city: City) -> pd.DataFrame:
    """Return the columns of ``crosswalk.csv``: one row per piece, in the order of the clauses.

    ``method`` says how the land was cut, ``population_method`` how the share of the commune's people was found: the
    commune is ``whole``, the ``clause`` settles it, or it follows ``points`` with people, ``streets`` or ``land``. Both
    shares add up to 1 in every commune that has land.
    """
    pieces = city.pieces
    names = {
        "commune_name": city.communes["name"][pieces["commune_id"]].to_numpy(),
        "unit_name": city.units["name"][pieces["unit_id"]].to_numpy(),
    }
    return pd.DataFrame(pieces.drop(columns="geometry")).assign(**names)[list(CROSSWALK_COLUMNS)]


def crosswalk_csv(city: City) -> bytes:
    """Return ``crosswalk.csv``; see :func:`~geo.publish.tables.csv_bytes`."""
    return csv_bytes(crosswalk_table(city), CROSSWALK_COLUMNS)
