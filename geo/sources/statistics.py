"""Read a table of figures by old commune."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from geo.errors import InputError
from geo.settings import Settings
from geo.sources.cells import align_ids, note_duplicates, read_columns
from geo.sources.columns import COMMUNES, Column
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.tables import read_table


def read_statistic(
    path: Path, columns: Sequence[str], *, commune_ids: Sequence[str], settings: Settings
) -> pd.DataFrame:
    """Return the numeric `columns` of a csv or xlsx file by commune.

    Parameters
    ----------
    path : pathlib.Path
        A table with a column of commune ids, under any name that a data folder may use for it.
    columns : sequence of str
        Headers of the figures wanted; an empty cell is a figure that is not known.
    commune_ids : sequence of str
        Ids that may occur.
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        Index commune_id; the columns asked for, float with NaN.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, or holds an unknown or repeated id or a cell that is no number.
    """
    log = FaultLog()
    files = FolderFiles(path.parent, settings=settings, log=log)
    identity = next(column for column in COMMUNES if column.name == "commune_id")
    wanted = (identity, *(Column(name=name, kind="number") for name in columns))
    raw = read_table(files, path, wanted)
    if raw is None:
        raise InputError(_errors(log))
    frame = read_columns(raw, wanted, log)
    for name in columns:
        if frame.attrs["headers"][name] not in raw.headers:
            found = ", ".join(header for header in raw.headers if header)
            log.add("column_missing", file=raw.file, row=raw.header_row, column=name, found=found or "-", allowed=name)
    frame["commune_id"] = align_ids(frame, raw, "commune_id", commune_ids, log, where="boundaries/communes")
    note_duplicates(frame, raw, "commune_id", log)
    if errors := _errors(log):
        raise InputError(errors)
    return frame.set_index("commune_id")[list(columns)]


def _errors(log: FaultLog) -> list:
    return [fault for fault in log.faults() if fault.severity == "error"]
