"""Read the sites that were decided on: one row per unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from geo.errors import InputError
from geo.settings import Settings
from geo.sources.cells import align_ids, note_duplicates, read_columns
from geo.sources.columns import UNITS, Column
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.tables import read_table

_SITES = (
    Column(name="site_id_1", kind="id", needed=True),
    Column(name="site_id_2", kind="id"),
)


def read_decided(path: Path, *, unit_ids: Sequence[str], site_ids: Sequence[str], settings: Settings) -> pd.DataFrame:
    """Return the sites of each unit from a csv or xlsx file, such as the ``units.csv`` of a plan.

    Parameters
    ----------
    path : pathlib.Path
        A table with the columns ``unit_id``, ``site_id_1`` and, where a unit has two, ``site_id_2``.
    unit_ids, site_ids : sequence of str
        Ids that may occur.
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        Index unit_id; columns ``site_id_1`` and ``site_id_2`` (missing where there is one site).

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, or holds an unknown or repeated id.
    """
    log = FaultLog()
    files = FolderFiles(path.parent, settings=settings, log=log)
    identity = next(column for column in UNITS if column.name == "unit_id")
    raw = read_table(files, path, (identity, *_SITES))
    if raw is None:
        raise InputError(_errors(log))
    frame = read_columns(raw, (identity, *_SITES), log)
    frame["unit_id"] = align_ids(frame, raw, "unit_id", unit_ids, log, where="boundaries/units")
    for column in _SITES:
        frame[column.name] = align_ids(frame, raw, column.name, site_ids, log, where="buildings")
    note_duplicates(frame, raw, "unit_id", log)
    if errors := _errors(log):
        raise InputError(errors)
    return frame.set_index("unit_id")[[column.name for column in _SITES]]


def _errors(log: FaultLog) -> list:
    return [fault for fault in log.faults() if fault.severity == "error"]
