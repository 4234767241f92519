"""Read the roads of a city: seconds and peak memory, each reader in a process of its own.

Run ``python -m benchmarks.reading [FILE]``; without a file, the real inner city of ``../shared`` where it is there,
else the embedded extract. OSMnx, which planners use for this, reads only XML and builds a graph of Python objects; it
is given a piece of the same extract, written as XML, and so is our reader, for the ratio.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
REAL = HOME.parent / "shared" / "data" / "hanoi" / "osm" / "hanoi_inner_roads.osm.pbf"
EMBEDDED = HOME / "data" / "network" / "hanoi_modelled.osm.pbf"
#: What the real extract must be read in.
MOST_SECONDS, MOST_MB = 15.0, 500.0
PIECE_WAYS = 6_000


def read_ours(path: Path) -> tuple[int, int]:
    """Return nodes and segments; a segment counts once, whatever its directions."""
    from geo.sources.network import read_network

    network = read_network(path)
    return len(network.lon), len(network.tail)


def read_osmnx(path: Path) -> tuple[int, int]:
    """Return nodes and directed edges."""
    import osmnx

    graph = osmnx.graph_from_xml(path, retain_all=True, simplify=False)
    return len(graph.nodes), len(graph.edges)


READERS: dict[str, Callable[[Path], tuple[int, int]]] = {"truso": read_ours, "osmnx": read_osmnx}


def measure(reader: str, path: Path) -> dict[str, float]:
    """Return what one reader took for a file, alone in a process: seconds, peak MB, nodes, edges."""
    answer: dict[str, float] = json.loads(apart("--one", reader, str(path)))
    return answer


def apart(*words: str) -> bytes:
    """Run this module with `words` in another process: Linux counts the memory of a parent into its child's peak."""
    command = [sys.executable, "-m", "benchmarks.reading", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=HOME).stdout


def run_one(reader: str, path: Path) -> None:
    """Read the file with one reader and print its figures as JSON; the import of the library is not timed."""
    __import__("osmnx" if reader == "osmnx" else "geo.sources.network")
    start = time.perf_counter()
    nodes, edges = READERS[reader](path)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "nodes": nodes, "edges": edges}))


def peak_mb() -> float:
    """Return the most memory that this process held; ``getrusage`` alone would count that of its parent on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        return float(re.findall(r"VmHWM:\s+(\d+)", status.read_text(encoding="ascii"))[0]) * 1024 / 1e6
    import resource  # Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def write_piece(path: Path, out: Path) -> None:
    """Write the first roads of an extract, with their nodes, as XML."""
    import osmium

    roads = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
    with osmium.BackReferenceWriter(str(out), ref_src=str(path), overwrite=True) as writer:
        for number, way in enumerate(roads):
            if number == PIECE_WAYS:
                break
            writer.add(way)


def tell(name: str, figures: dict[str, float]) -> None:
    """Print one line."""
    sizes = f"{figures['nodes']:9,.0f} nodes {figures['edges']:9,.0f} edges"
    print(f"{name:34s} {figures['seconds']:7.2f} s {figures['peak_mb']:7.0f} MB  {sizes}", flush=True)


def main(path: Path) -> None:
    """Print the figures side by side."""
    whole = measure("truso", path)
    tell(f"truso, {path.name}", whole)
    if path == REAL:
        kept = whole["seconds"] < MOST_SECONDS and whole["peak_mb"] < MOST_MB
        print(f"below {MOST_SECONDS:g} s and {MOST_MB:g} MB: {'yes' if kept else 'NO'}")
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / "piece.osm"
        apart("--piece", str(path), str(piece))
        ours, theirs = measure("truso", piece), measure("osmnx", piece)
    tell(f"truso, the first {PIECE_WAYS:,} ways as XML", ours)
    tell("osmnx.graph_from_xml, the same", theirs)
    print(f"osmnx / truso: {theirs['seconds'] / ours['seconds']:.1f} times the seconds, ", end="")
    print(f"{theirs['peak_mb'] / ours['peak_mb']:.1f} times the peak memory")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--one", reader, name]:
            run_one(reader, Path(name))
        case ["--piece", name, out]:
            write_piece(Path(name), Path(out))
        case [name]:
            main(Path(name).resolve())
        case _:
            main(REAL if REAL.exists() else EMBEDDED)
