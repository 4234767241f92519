"""Measure how well the people of the 2019 census, carried over to the new units, meet their official figures.

Run ``python -m benchmarks.population FOLDER UNITS``: a data folder whose communes carry the census, and the table
``units_2025.csv`` of the facts. The official figures are the measure and nothing else: no share has seen them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from geo import City, load_city
from geo.merge import population
from geo.merge.population import Homes, explain_errors, find_homes, population_shares, share_population

_ROUNDS = 3


def shares_by_ingredient(city: City, homes: Homes | None) -> dict[str, pd.Series]:
    """Return the shares of the pieces, one ingredient after the other."""
    pieces, census = city.pieces, city.communes["population"]
    full = {"density": share_population(pieces, census), "both": share_population(pieces, census, homes=homes)}
    with patch.object(population, "_ROUNDS", 0):
        streets = share_population(pieces, census, homes=homes)
    return {
        "land": pieces["area_share"],
        "land, clauses": population_shares(pieces),
        "land, clauses, streets": streets["population_share"],
        "land, clauses, density": full["density"]["population_share"],
        "land, clauses, density, streets": full["both"]["population_share"],
    }


def error_with_district_growth(city: City, share: pd.Series, official: pd.Series) -> float:
    """Return the mean error if each old district had grown as the official figures of its units tell."""
    commune = city.pieces["commune_id"]
    district, unit = commune.map(city.communes["district_id"]), city.pieces["unit_id"]
    people = share * commune.map(city.communes["population"])
    for _ in range(_ROUNDS):
        wanted = people * unit.map(official / people.groupby(unit).sum())
        people = people * district.map(wanted.groupby(district).sum() / people.groupby(district).sum())
    return float(100 * (people.groupby(unit).sum() / official - 1).abs().mean())


def main() -> None:
    """Print the mean error by ingredient, the ways the shares were found, and the worst units."""
    city = load_city(sys.argv[1])
    facts = pd.read_csv(Path(sys.argv[2]), dtype={"code": str}).set_index("code")
    official, census = facts["population"].astype(float), city.communes["population"]
    homes = None if city.network is None else find_homes(city.network, crs=city.crs)
    whole = city.pieces.groupby("unit_id")["method"].agg(lambda ways: (ways == "whole").all())
    rows = {}
    for name, share in shares_by_ingredient(city, homes).items():
        error = explain_errors(city.pieces.assign(population_share=share), census, official)["error_pct"].abs()
        rows[name] = {
            "mean_error_pct": error.mean(),
            "median_error_pct": error.median(),
            "worst_error_pct": error.max(),
            "whole_communes_only_pct": error[whole[whole].index].mean(),
            "district_growth_known_pct": error_with_district_growth(city, share, official),
        }
    print(pd.DataFrame(rows).T.round(2).to_string(), "\n")
    print(city.pieces["population_method"].value_counts().to_string(), "\n")
    found = explain_errors(city.pieces, census, official)
    by_cause = found["error_pct"].abs().groupby(found["cause"]).agg(["size", "sum"])
    print(by_cause.assign(points_of_mean=by_cause.pop("sum") / len(found)).round(2).to_string(), "\n")
    print(found.head(10).assign(name=facts["name"]).set_index("name").round(1).to_string())


if __name__ == "__main__":
    main()
