"""Compose the demonstration city: boundaries, network, buildings, population and their provenance."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.demo.boundaries import DemoBoundaries, build_boundaries, write_boundaries
from geo.demo.buildings import build_inventory, write_inventory
from geo.demo.network import build_network
from geo.demo.population import build_population, write_population
from geo.demo.provenance import write_sources
from geo.demo.ways import write_network
from geo.progress import keep_silent

NETWORK_FILE = "network/hanoi_modelled.osm.pbf"
INVENTORY_FILE = "buildings/inventory.csv"
POPULATION_FILE = "population/communes.csv"
_PARTS = ("boundaries", "network", "buildings", "population")


def build_demo(facts: Path, out: Path, *, progress: Callable[[str], None] | None = None) -> None:
    """Build the embedded data folder from the tables of facts; the same facts give the same bytes.

    Parameters
    ----------
    facts : path-like
        Folder of the facts tables.
    out : path-like
        Data folder. Its ``boundaries``, ``network``, ``buildings`` and ``population`` files and ``sources.toml`` are
        replaced at the end, or not at all; the facts are copied to ``out/facts`` unless they lie there. Other files,
        such as the README of each folder, stay.
    progress : callable, optional
        Told, in a few words, what is being done.

    Raises
    ------
    GeoError
        The facts contradict each other.
    """
    tell = progress or keep_silent
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".build-demo-") as name:
        aside = Path(name)
        shutil.copytree(facts, aside / "facts")
        tell("boundaries")
        boundaries = build_boundaries(facts)
        write_boundaries(boundaries, aside / "boundaries")
        _build_rest(facts, aside, boundaries, tell)
        tell("sources")
        write_sources(aside)
        _move_in(aside, out, with_facts=facts.resolve() != (out / "facts").resolve())


def _build_rest(facts: Path, aside: Path, boundaries: DemoBoundaries, tell: Callable[[str], None]) -> None:
    tell("population")
    population = build_population(facts, boundaries)
    write_population(population, aside / POPULATION_FILE)
    network = build_network(facts, _peopled(boundaries, population), progress=tell)
    write_network(network, aside / NETWORK_FILE)
    tell("buildings")
    inventory = build_inventory(facts, boundaries, roads=network.edges, population=population)
    write_inventory(inventory, aside / INVENTORY_FILE)


def _peopled(boundaries: DemoBoundaries, population: pd.DataFrame) -> gpd.GeoDataFrame:
    communes = boundaries.communes.set_index("commune_id")
    people: gpd.GeoDataFrame = communes.assign(population=population.set_index("commune_id")["population"])
    return people


def _move_in(aside: Path, out: Path, *, with_facts: bool) -> None:
    """Rename every file built aside into its place in `out`."""
    parts = [*_PARTS, "facts"] if with_facts else list(_PARTS)
    files = [path for part in parts for path in sorted((aside / part).rglob("*")) if path.is_file()]
    for path in [*files, aside / "sources.toml"]:
        target = out / path.relative_to(aside)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105
