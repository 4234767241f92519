"""What the tests of the app share: the hostile name and the streets of the toy folder."""

from __future__ import annotations

from pathlib import Path

import osmium

APP = Path(__file__).resolve().parents[2] / "app.py"
HOSTILE = "<img src=x onerror=alert(1)> **b** `${x}` [a](http://evil.example) :red[r]"
_STEP, _COLUMNS, _ROWS = 0.0025, 13, 9


def write_streets(path: Path) -> None:
    """Write a grid of streets as an OSM extract."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with osmium.SimpleWriter(str(path)) as writer:
        for row in range(_ROWS):
            for column in range(_COLUMNS):
                place = (105.80 + column * _STEP, 21.00 + row * _STEP)
                writer.add_node(osmium.osm.mutable.Node(id=_node(column, row), location=place, version=1))
        lines = [[_node(column, row) for column in range(_COLUMNS)] for row in range(_ROWS)]
        lines += [[_node(column, row) for row in range(_ROWS)] for column in range(_COLUMNS)]
        for number, nodes in enumerate(lines, start=1):
            kind = "primary" if number == 5 else "residential"
            way = osmium.osm.mutable.Way(id=number, nodes=nodes, tags={"highway": kind}, version=1)
            writer.add_way(way)


def _node(column: int, row: int) -> int:
    return 1 + row * _COLUMNS + column
