"""Measure how well the people of the 2019 census, carried over to the new units, meet their official figures.

Run ``python -m benchmarks.population FOLDER UNITS``: a data folder whose communes carry the census, and the table
``units_2025.csv`` of the facts. The official figures are the measure and nothing else: no share has seen them.

The official figures mix the sharing with seven years of growth, and they are few. So each way is also measured without
them: neighbouring communes are pooled in pairs and their people shared out again, which the census itself can judge.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.sharing import BuiltUp, Classes, Grid, Streets, Way, by_distance, by_neighbours, evenly, land
from geo import City, load_city
from geo.merge import population
from geo.merge.population import (
    Homes,
    explain_errors,
    find_homes,
    population_shares,
    registered_people,
    share_population,
)
from geo.params import HIGHWAY_CLASSES

_CLASSES = {
    "through": ("tertiary", "secondary", "primary", "trunk"),
    "residential": ("residential", "living_street", "unclassified"),
    "service": ("service",),
    "on foot": ("pedestrian", "footway", "path", "track"),
}
_ROUNDS, _POOLINGS = 3, 6


def ways_to_share(homes: Homes, classes: dict[str, Homes]) -> dict[str, Way]:
    """Return every way that is measured: the ingredients of :mod:`geo.merge.population`, then others."""

    def streets(pieces: gpd.GeoDataFrame, people: pd.Series) -> pd.Series:
        with patch.object(population, "_ROUNDS", 0):
            return share_population(pieces, people, homes=homes)["population_share"]

    return {
        "land": lambda pieces, _: pieces["area_km2"] / pieces.groupby("commune_id")["area_km2"].transform("sum"),
        "land, clauses": lambda pieces, _: population_shares(pieces),
        "land, clauses, streets": streets,
        "land, clauses, density": lambda pieces, people: share_population(pieces, people)["population_share"],
        "land, clauses, density, streets": lambda pieces, people: share_population(pieces, people, homes=homes)[
            "population_share"
        ],
        "people per street from neighbours": by_neighbours(Streets(homes)),
        "people per street by kriging": by_distance(Streets(homes)),
        "land near a street, density": by_neighbours(BuiltUp(homes)),
        "surface on a grid": Grid(homes),
        "classes of streets by EM": evenly(Classes(classes)),
        "classes by EM, rest from neighbours": by_neighbours(Classes(classes)),
        "land by kriging": by_distance(land),
    }


def homes_by_class(city: City) -> dict[str, Homes]:
    """Return the streets of each group of classes, all weighted alike."""
    assert city.network is not None
    found = {}
    for group, names in _CLASSES.items():
        weights = {name: float(name in names) for name in HIGHWAY_CLASSES}
        with patch.object(population, "PEOPLE_PER_M", weights):
            found[group] = find_homes(city.network, crs=city.crs)
    return found


def pool_communes(communes: gpd.GeoDataFrame, *, seed: int) -> gpd.GeoDataFrame:
    """Return the communes as pieces of a table in which neighbours of one district are one commune, two by two."""
    shapes = np.asarray(communes.geometry)
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=20.0).T
    district = communes["district_id"].to_numpy()
    pairs = pairs[(pairs[:, 0] < pairs[:, 1]) & (district[pairs[:, 0]] == district[pairs[:, 1]])]
    pool = np.arange(len(communes))
    alone = np.ones(len(communes), bool)
    for one, other in np.random.default_rng(seed).permutation(pairs):
        if alone[one] and alone[other]:
            pool[other], alone[[one, other]] = one, False
    return gpd.GeoDataFrame(
        {
            "commune_id": communes.index.to_numpy()[pool],
            "relation": np.where(alone, "whole", "part"),
            "area_km2": shapely.area(shapes) / 1e6,
            "people": communes["population"].to_numpy(float),
        },
        geometry=shapes,
        crs=communes.crs,
    )


def misplaced_pct(way: Way, pools: list[gpd.GeoDataFrame]) -> float:
    """Return how many percent of the people of pooled communes a way puts into the wrong one of the two."""
    errors = []
    for pieces in pools:
        people = pieces.groupby("commune_id")["people"].sum()
        shared = way(pieces, people) * people.reindex(pieces["commune_id"]).to_numpy()
        pooled = pieces["relation"] == "part"
        errors.append((shared - pieces["people"]).abs()[pooled].sum() / pieces.loc[pooled, "people"].sum() / 2)
    return float(100 * np.mean(errors))


def grow_districts(city: City, share: pd.Series, official: pd.Series) -> pd.Series:
    """Return the people of each piece if each old district had grown as the official figures of its units tell."""
    commune = city.pieces["commune_id"]
    district, unit = commune.map(city.communes["district_id"]), city.pieces["unit_id"]
    people = share * commune.map(city.communes["population"])
    for _ in range(_ROUNDS):
        wanted = people * unit.map(official / people.groupby(unit).sum())
        people = people * district.map(wanted.groupby(district).sum() / people.groupby(district).sum())
    return people


def grow_as_around(city: City, found: pd.DataFrame) -> pd.Series:
    """Return the error of each unit in percent if it had grown as those that adjoin it; its own figure is not seen."""
    shapes = city.units.geometry.reindex(found.index)
    one, other = shapes.sindex.query(shapes, predicate="dwithin", distance=20.0)
    around = found.iloc[other[one != other]].groupby(one[one != other])
    growth = around["official_people"].sum() / around["expected_people"].sum()
    return 100 * (found["expected_people"] * growth.to_numpy() / found["official_people"] - 1)


def measure_ways(city: City, facts: pd.DataFrame, ways: dict[str, Way]) -> pd.DataFrame:
    """Return how well each way does, in percent."""
    official, census, pieces = facts["population"].astype(float), city.communes["population"], city.pieces
    registered = registered_people(census, city.communes["population_earlier"])
    doubted = facts["population_note"].fillna("").str.contains("second source")
    pools = [pool_communes(city.communes, seed=seed) for seed in range(_POOLINGS)]
    rows = {}
    for name, way in ways.items():
        share = way(pieces, census)
        shared = pieces.assign(population_share=share)
        error = explain_errors(shared, census, official)["error_pct"].abs()
        grown = grow_districts(city, share, official).groupby(pieces["unit_id"]).sum()
        rows[name] = {
            "mean": error.mean(),
            "registered": explain_errors(shared, registered, official)["error_pct"].abs().mean(),
            "median": error.median(),
            "worst": error.max(),
            "undoubted": error[~doubted.reindex(error.index)].mean(),
            "growth_known": 100 * (grown / official - 1).abs().mean(),
            "misplaced": misplaced_pct(way, pools),
        }
    return pd.DataFrame(rows).T


def measure_powers(city: City, official: pd.Series) -> pd.DataFrame:
    """Return the error in percent by the power of :func:`registered_people` and the largest change that counts."""
    census, earlier = city.communes["population"], city.communes["population_earlier"]
    whole = (city.pieces["relation"] == "whole").groupby(city.pieces["unit_id"]).all()
    rows = {}
    for largest in (1.5, 2.0, 3.0):
        for power in np.arange(0, 9) / 20:
            with patch.multiple(population, _UNREGISTERED_POWER=power, _LARGEST_CHANGE=largest):
                people = registered_people(census, earlier)
            error = explain_errors(city.pieces, people, official)["error_pct"].abs()
            nothing_shared = whole.reindex(error.index)
            rows[largest, power] = {
                "whole communes": error[nothing_shared].mean(),
                "divided": error[~nothing_shared].mean(),
                "all": error.mean(),
            }
    return pd.DataFrame(rows).T.rename_axis(["largest change", "power"])


def main() -> None:
    """Print the errors of each way, what growth alone makes of it, how far the figures can be believed, the worst."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    city = load_city(sys.argv[1])
    assert city.network is not None, "the folder has no roads"
    facts = pd.read_csv(Path(sys.argv[2]), dtype={"code": str}).set_index("code")
    official, pieces, census = facts["population"].astype(float), city.pieces, city.communes["population"]
    ways = ways_to_share(find_homes(city.network, crs=city.crs), homes_by_class(city))
    print(measure_ways(city, facts, ways).round(2).to_string(), "\n")

    print(measure_powers(city, official).round(2).to_string(), "\n")
    found = explain_errors(pieces, census, official)
    grown = grow_districts(city, pieces["population_share"], official).groupby(pieces["unit_id"]).sum()
    growth = 100 * (found["expected_people"] / grown - 1).abs()
    around = grow_as_around(city, found).abs()
    errors = pd.DataFrame({"error": found["error_pct"].abs(), "growth alone": growth, "grown as around": around})
    print(errors.groupby(facts["type"]).mean().round(2).to_string())
    print(errors.mean().round(2).to_string(), "\n")

    found = explain_errors(pieces, registered_people(census, city.communes["population_earlier"]), official)
    print(pieces["population_method"].value_counts().to_string(), "\n")
    by_cause = found["error_pct"].abs().groupby(found["cause"]).agg(["size", "sum"])
    print(by_cause.assign(points_of_mean=by_cause.pop("sum") / len(found)).round(2).to_string(), "\n")
    print(found.head(10).assign(name=facts["name"]).set_index("name").round(1).to_string())


if __name__ == "__main__":
    main()
