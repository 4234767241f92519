"""Sizes, age and state of modelled buildings: plausible, related to each other, and drawn by the building's id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.demo.roads import random_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _SizeOf:
    """Bounds of what a kind of building measures.

    Attributes
    ----------
    usable_m2 : tuple of float
        Least and most clear internal area.
    town_land_m2, country_land_m2 : tuple of float
        Plot in a ward, and elsewhere.
    seats : tuple of float
        Of its hall; (0, 0) where there is none.
    """

    usable_m2: tuple[float, float]
    town_land_m2: tuple[float, float]
    country_land_m2: tuple[float, float]
    seats: tuple[float, float]


#: An old commune office has 360-700 m2 for 20-40 staff, a district office several thousand; the rest lies between.
_SIZES = {
    "commune": _SizeOf(
        usable_m2=(360, 700), town_land_m2=(180, 1100), country_land_m2=(1600, 6500), seats=(60, 220)
    ),
    "former": _SizeOf(usable_m2=(240, 480), town_land_m2=(150, 800), country_land_m2=(1100, 4200), seats=(50, 150)),
    "district": _SizeOf(
        usable_m2=(3200, 8200), town_land_m2=(2600, 9000), country_land_m2=(9000, 24000), seats=(250, 600)
    ),
    "party": _SizeOf(
        usable_m2=(1200, 3200), town_land_m2=(1000, 4000), country_land_m2=(3500, 11000), seats=(150, 350)
    ),
    "departments": _SizeOf(
        usable_m2=(1400, 4200), town_land_m2=(900, 4200), country_land_m2=(2500, 9000), seats=(80, 200)
    ),
    "small_office": _SizeOf(
        usable_m2=(420, 1300), town_land_m2=(250, 1500), country_land_m2=(900, 3600), seats=(0, 90)
    ),
    "branch": _SizeOf(usable_m2=(350, 900), town_land_m2=(250, 1400), country_land_m2=(600, 2400), seats=(40, 120)),
    "culture": _SizeOf(
        usable_m2=(900, 2800), town_land_m2=(1500, 7000), country_land_m2=(5000, 18000), seats=(300, 700)
    ),
    "school": _SizeOf(usable_m2=(700, 1900), town_land_m2=(700, 3000), country_land_m2=(2500, 8000), seats=(120, 300)),
    "police": _SizeOf(usable_m2=(220, 480), town_land_m2=(140, 600), country_land_m2=(500, 1900), seats=(0, 50)),
    "culture_house": _SizeOf(
        usable_m2=(220, 620), town_land_m2=(250, 1200), country_land_m2=(1200, 5000), seats=(100, 300)
    ),
}  # fmt: skip
_PEOPLE_MIDDLE = 15_000.0
_LAST_YEAR = 2024
_MISSING = {
    "floor_area_m2": 0.02, "usable_area_m2": 0.04, "land_area_m2": 0.03, "parking_area_m2": 0.05, "hall_seats": 0.05,
    "year_built": 0.04, "condition": 0.02,
}  # fmt: skip


def draw_sizes(
    site_id: pd.Series, *, kind: pd.Series, people: NDArray[np.float64], urban: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return sizes, year and condition of every building.

    Newer houses and those of bigger communes are larger, plots in wards small, old houses in a worse state. Every
    building has its own random stream, so that a new row leaves the others as they are.

    Parameters
    ----------
    site_id, kind : pandas.Series of str
        Same index; `kind` is a key of the table of sizes.
    people : ndarray of float64
        Of the commune it stands in.
    urban : ndarray of bool
        The commune was a ward.

    Returns
    -------
    pandas.DataFrame
        Index of `site_id`. Columns ``floor_area_m2``, ``usable_area_m2``, ``land_area_m2``, ``parking_area_m2``,
        ``hall_seats``, ``year_built``, ``condition``; a few values missing, but never both areas of the house.
    """
    rows = [
        _draw(str(one), _SIZES[of], float(crowd), bool(ward))
        for one, of, crowd, ward in zip(site_id, kind, people, urban, strict=True)
    ]
    table = pd.DataFrame(rows, index=site_id.index)
    return table.astype(dict.fromkeys(table.columns.drop("condition"), "Int64"))


def _draw(site_id: str, size: _SizeOf, people: float, urban: bool) -> dict[str, float | int | str | None]:
    rng = random_of("size", site_id)
    year = int(np.clip(round(rng.triangular(1968, 2008, _LAST_YEAR + 1)), 1968, _LAST_YEAR))
    newness = (year - 1968) / (_LAST_YEAR - 1968)
    crowd = np.clip(0.5 + 0.25 * np.log2(people / _PEOPLE_MIDDLE), 0, 1)
    middling = 0.35 * newness + 0.25 * crowd + 0.4 * rng.random()
    quantile = np.clip(0.5 + 1.6 * (middling - 0.55), 0, 1)
    usable = _between(size.usable_m2, float(quantile))
    land = _between(
        size.town_land_m2 if urban else size.country_land_m2, 0.6 * rng.random() ** 1.4 + 0.4 * float(quantile)
    )
    floor = usable / rng.uniform(0.68, 0.8)
    open_land = max(land - floor / rng.uniform(2.0, 4.0), 0.1 * land)
    seats = _between(size.seats, float(np.clip(0.6 * quantile + 0.4 * rng.random(), 0, 1)))
    values: dict[str, float | int | str | None] = {
        "floor_area_m2": round(floor),
        "usable_area_m2": round(usable),
        "land_area_m2": round(land, -1),
        "parking_area_m2": round(open_land * rng.uniform(0.05, 0.25), -1),
        "hall_seats": round(seats, -1),
        "year_built": year,
        "condition": _condition(rng, _LAST_YEAR - year),
    }
    gone = {name for name, share in _MISSING.items() if rng.random() < share}
    if "usable_area_m2" in gone:
        gone.discard("floor_area_m2")
    return {name: None if name in gone else value for name, value in values.items()}


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + share * (bounds[1] - bounds[0])


def _condition(rng: np.random.Generator, age: int) -> str:
    """Return a grade; after some twenty years a house is seldom good, after some forty often poor."""
    mended = rng.random() < 0.25
    years = age - 15 * mended + rng.normal(0, 6)
    return "good" if years < 17 else "fair" if years < 38 else "poor"
