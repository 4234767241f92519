"""Read a speed table that a planner edited, as ``truso speeds`` writes it."""

from __future__ import annotations

from pathlib import Path

from geo.errors import InputError
from geo.profile import HIGHWAY_CLASSES, MODES
from geo.settings import Settings
from geo.sources.cells import note_duplicates, read_columns
from geo.sources.columns import Column, fold
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.tables import read_table

_COLUMNS = (
    Column(name="mode", kind="choice", needed=True, choices={fold(name): name for name in MODES}),
    Column(name="highway", kind="choice", needed=True, choices={fold(name): name for name in HIGHWAY_CLASSES}),
    Column(name="kmh", kind="number", needed=True, low=0, high=130),
)


def read_speeds(path: Path, *, settings: Settings) -> dict[str, dict[str, float]]:
    """Return the speeds of a csv or xlsx file, km/h by mode and highway class; 0 closes a class.

    Only ``mode``, ``highway`` and ``kmh`` are read: the other columns of the table say how the speed came about. A
    class that the table leaves out keeps its speed.

    Parameters
    ----------
    path : pathlib.Path
    settings : Settings
        Limits on size and number of rows.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, holds an unknown mode or class, a speed that is none or out of its
        bounds, or a class twice.
    """
    log = FaultLog()
    raw = read_table(FolderFiles(path.parent, settings=settings, log=log), path, _COLUMNS)
    speeds: dict[str, dict[str, float]] = {}
    if raw is not None:
        frame = read_columns(raw, _COLUMNS, log)
        both = frame["mode"].notna() & frame["highway"].notna()
        frame["highway"] = (frame["mode"] + " " + frame["highway"]).where(both)
        note_duplicates(frame, raw, "highway", log)
        for name, kmh in frame.loc[both, ["highway", "kmh"]].itertuples(index=False):
            mode, _, highway = name.partition(" ")
            speeds.setdefault(mode, {})[highway] = kmh
    if log.failed:
        raise InputError([fault for fault in log.faults() if fault.severity == "error"])
    return speeds
