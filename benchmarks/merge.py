"""Merge, audit and write a city, in seconds per phase, against geopandas and tobler; and drawn cities of up to 10,000.

The drawn cities come with the official polygon of every unit, of every second one, and of none.

Seconds are those of the processor, which a busy machine does not change much; the clock's stand beside the total.

Run ``python -m benchmarks.merge [FOLDER]``; the folder is the embedded data if left out. The peers know neither clauses
nor audits: geopandas overlays the two layers and dissolves the pieces by unit, tobler carries the people over by area.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geo import Settings
from geo.merge import boundaries
from geo.merge.audit import breaches
from geo.merge.population import Homes, find_homes
from geo.publish.tables import write_csv
from geo.sources.folder import read_folder
from geo.sources.osm import read_osm

CRS = "EPSG:32648"
SIZES = (1000, 2500, 5000, 10_000)
#: Of how many units one has an official polygon, and what to call that; 0 where none has.
DRAWN_UNITS = {"every unit's polygon": 1, "every second unit's polygon": 2, "no polygon": 0}
#: Hanoi's proportions: 526 communes, 126 units, 38 % of the communes divided, 6.4 km2 and 170 vertices each.
UNITS_PER_COMMUNE, DIVIDED, COMMUNE_M, STEP_M = 126 / 526, 0.38, 2530.0, 60.0
#: Phases inside :func:`geo.merge.boundaries.merge_communes`, by the function that does them.
INSIDE = {
    "_overlay": "overlay", "_fit": "fit", "land_left": "land left over", "divide_communes": "division",
    "_settle": "corners", "share_population": "people", "add_ranges": "sureness", "_units": "units",
    "audit_merge": "audit", "_districts": "districts",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a merge starts from."""

    communes: gpd.GeoDataFrame
    clauses: pd.DataFrame
    units: gpd.GeoDataFrame
    homes: Homes | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds of the processor by phase."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.process_time() - start

    def wrap(self, phase: str, work: Callable[..., object]) -> Callable[..., object]:
        def timed(*args: object, **options: object) -> object:
            with self(phase):
                return work(*args, **options)

        return timed


def read_case(root: Path, watch: Watch) -> Case:
    """Return a data folder as the command line reads it; the network is parsed outside the clock, as it is kept."""
    with watch("read"):
        folder = read_folder(root, settings=Settings())
        crs = folder.metric_crs or folder.communes.estimate_utm_crs()
        communes, units = folder.communes.to_crs(crs), folder.units.to_crs(crs)
    network = None if folder.network_path is None else read_osm(folder.network_path)
    with watch("streets"):
        homes = None if network is None else find_homes(network, crs=crs)
    return Case(communes=communes, clauses=folder.clauses, units=units, homes=homes)


def draw_case(n_communes: int, *, every: int = 1) -> Case:
    """Return a drawn city of Hanoi's proportions: communes, and units whose lines divide 38 % of them.

    The polygon of one unit in `every` is known, of none at 0; the official area of all.
    """
    rng = np.random.default_rng(n_communes)
    side = COMMUNE_M * np.sqrt(n_communes)
    communes, cells = (_cells(rng, n, side) for n in (n_communes, round(n_communes * UNITS_PER_COMMUNE)))
    one, other = shapely.STRtree(cells).query(communes, predicate="intersects")
    shared = shapely.intersection(communes[one], cells[other])
    parts = pd.DataFrame({"commune": one, "unit": other, "shape": shared, "share": shapely.area(shared)})
    parts["share"] /= shapely.area(communes)[one]
    parts = parts[parts["share"] > 0.02].sort_values(["unit", "commune"]).reset_index(drop=True)
    largest = parts.loc[parts.groupby("commune")["share"].idxmax()].sort_values("share")
    whole = parts["commune"].isin(largest["commune"][round(DIVIDED * n_communes) :])
    parts = parts[~whole | parts.index.isin(largest.index)]
    case = _case_of(communes, parts.reset_index(drop=True), rng)
    unknown = np.arange(len(case.units)) % every != 0 if every else np.ones(len(case.units), dtype=bool)
    case.units.loc[unknown, ["geometry", "data_source"]] = None, "none"
    return case


def _cells(rng: np.random.Generator, n: int, side: float) -> np.ndarray:
    """Return `n` cells that tile a square, with lines that wind alike on both sides."""
    points = shapely.MultiPoint(rng.uniform(0, side, (n, 2)))
    square = shapely.box(0, 0, side, side)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square)), square)
    cells = shapely.segmentize(cells, STEP_M)

    def wind(xy: np.ndarray) -> np.ndarray:
        edge = np.minimum(xy, side - xy).min(axis=1, keepdims=True).clip(0, 100) / 100
        return xy + 20 * edge * np.column_stack([np.sin(xy[:, 1] / 150), np.sin(xy[:, 0] / 170)]) + 500_000.0

    return np.asarray(shapely.transform(cells, wind))


def _case_of(communes: np.ndarray, parts: pd.DataFrame, rng: np.random.Generator) -> Case:
    divided = parts["commune"].duplicated(keep=False)
    last = ~parts["commune"].duplicated(keep="last")
    others = parts[divided & ~last].groupby("commune")["shape"].agg(lambda shapes: shapely.union_all(list(shapes)))
    shape = np.where(divided, parts["shape"], communes[parts["commune"]])
    rest = np.flatnonzero(divided & last)
    shape[rest] = shapely.difference(communes[parts["commune"].iloc[rest]], others[parts["commune"].iloc[rest]].array)
    unit_shapes = pd.Series(shape).groupby(parts["unit"]).agg(lambda shapes: shapely.union_all(list(shapes)))
    unit_id = "U" + parts["unit"].astype(str).str.zfill(5)
    ids = pd.Index("C" + pd.Series(range(len(communes))).astype(str).str.zfill(5), name="commune_id")
    clauses = pd.DataFrame(
        {
            "clause": pd.factorize(parts["unit"])[0] + 1,
            "unit_id": unit_id,
            "unit_name": unit_id,
            "commune_id": ids[parts["commune"]],
            "commune_name": ids[parts["commune"]],
            "relation": np.select([divided & last, divided], ["remainder", "part"], "whole"),
            "area_share": np.nan,
        }
    )
    people = rng.lognormal(9.4, 0.6, len(ids)).round()
    block = (shapely.get_coordinates(shapely.centroid(communes)) // 12_000).astype(int)
    district = [f"D{x}-{y}" for x, y in block]
    columns = {"name": ids, "kind": None, "district_id": district, "district_name": district, "population": people}
    frame = gpd.GeoDataFrame({**columns, "area_km2": np.nan, "data_source": "drawn"}, geometry=communes, crs=CRS)
    units = gpd.GeoDataFrame(geometry=unit_shapes.to_numpy(), index=pd.Index(unit_id.unique(), name="unit_id"), crs=CRS)
    facts = {"kind": None, "area_km2": units.area / 1e6, "population": np.nan, "staff": np.nan, "lon": np.nan}
    units = units.assign(name=units.index, **facts, lat=np.nan, data_source="official")
    return Case(communes=frame.set_index(ids), clauses=clauses, units=units)


def merge(case: Case, watch: Watch) -> boundaries.Merge:
    """Merge `case`, with the seconds of each phase inside."""
    with ExitStack() as stack:
        for name, phase in INSIDE.items():
            stack.enter_context(patch.object(boundaries, name, watch.wrap(phase, getattr(boundaries, name))))
        start, inside = time.process_time(), sum(watch.seconds.values())
        result = boundaries.merge_communes(case.communes, case.clauses, case.units, homes=case.homes)
        rest = time.process_time() - start - (sum(watch.seconds.values()) - inside)
    watch.seconds["checks"] = rest
    return result


def write(result: boundaries.Merge, watch: Watch) -> None:
    """Write units, pieces and the audit."""
    with watch("write"), tempfile.TemporaryDirectory() as folder:
        for name in ("units", "pieces"):
            layer = getattr(result, name).reset_index()
            pyogrio.write_dataframe(
                layer, Path(folder) / "merge.gpkg", layer=name, driver="GPKG", promote_to_multi=True
            )
        write_csv(result.audit, Path(folder) / "audit.csv")


def run_geopandas(case: Case) -> None:
    """Overlay, dissolve, and carry the people over by area."""
    communes, units = case.communes.reset_index(), case.units[["geometry"]].reset_index()
    pieces = gpd.overlay(communes, units, how="intersection")
    whole = communes.set_index("commune_id").area
    pieces["population"] *= pieces.area / whole[pieces["commune_id"]].to_numpy()
    pieces[["unit_id", "population", "geometry"]].dissolve("unit_id", aggfunc="sum")


def run_tobler(case: Case) -> None:
    """Carry the people over by area."""
    from tobler.area_weighted import area_interpolate

    area_interpolate(case.communes.fillna({"population": 0}), case.units, extensive_variables=["population"])


def seconds_of(work: Callable[[Case], None], case: Case) -> float:
    """Return the seconds of one call; NaN where the peer is not installed."""
    start = time.process_time()
    try:
        work(case)
    except ModuleNotFoundError:
        return np.nan
    return time.process_time() - start


def measure(name: str, case: Case, watch: Watch) -> tuple[int, dict[str, float]]:
    """Merge and write `case`, print what came out, and return its size and its seconds."""
    start = time.perf_counter()
    result = merge(case, watch)
    write(result, watch)
    clock = time.perf_counter() - start
    peers = {"geopandas": seconds_of(run_geopandas, case), "tobler": seconds_of(run_tobler, case)}
    n = len(case.communes)
    print(f"{name}: {n} communes, {len(case.units)} units, {len(result.pieces)} pieces, "
          f"{len(breaches(result.audit))} breaches; merged and written in {clock:.1f} s by the clock, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    return n, {**watch.seconds, "total": sum(watch.seconds.values()), **peers}


def main() -> None:
    """Print the seconds of each phase, and their growth against that of the communes."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Settings().data_dir
    watch = Watch()
    _, seconds = measure(root.name, read_case(root, watch), watch)
    print(pd.Series(seconds).round(2).to_string(), "\n")
    for name, every in DRAWN_UNITS.items():
        sizes, rows = zip(*(measure(name, draw_case(n, every=every), Watch()) for n in SIZES), strict=True)
        table = pd.DataFrame(rows, index=pd.Index(sizes, name="communes"))
        print(table.round(2).T.to_string(), "\n")
        growth = (table / table.iloc[0]).div(np.array(sizes) / sizes[0], axis=0)
        print("seconds over those of linear growth from the smallest:")
        print(growth.round(2).T.to_string(), "\n")


if __name__ == "__main__":
    main()
