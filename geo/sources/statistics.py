"""Read a table of figures by old commune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo.errors import Fault, InputError
from geo.settings import Settings
from geo.sources.cells import align_ids, note_duplicates, read_columns
from geo.sources.columns import COMMUNES, WHOLE_BY_NATURE, Column, match_headers
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.tables import RawTable, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Figures by old commune.

    Attributes
    ----------
    figures : pandas.DataFrame
        Index commune_id; the columns asked for, float with NaN.
    notes : tuple of Fault
        What was read otherwise than it stands, or may be.
    """

    figures: pd.DataFrame
    notes: tuple[Fault, ...]


def read_statistic(
    path: Path,
    *,
    commune_ids: Sequence[str],
    settings: Settings,
    add: Sequence[str] = (),
    average: Sequence[str] = (),
    weight: str | None = None,
) -> Statistic:
    """Return numeric columns of a csv or xlsx file by commune.

    Parameters
    ----------
    path : pathlib.Path
        A table with a column of commune ids, under any name that a data folder may use for it.
    commune_ids : sequence of str
        Ids that may occur.
    settings : Settings
    add, average : sequence of str
        Headers of the figures wanted; an empty cell is a figure that is not known. Those to add up are taken to be
        whole by nature: where numbers like 1.250 may be thousands, they are refused.
    weight : str, optional
        Header of a count, likewise, none of them negative.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, is asked for its ids as figures, or holds an unknown or repeated id or
        a cell that is no number, or one whose point seems to separate thousands.
    """
    log = FaultLog()
    files = FolderFiles(path.parent, settings=settings, log=log)
    identity = next(column for column in COMMUNES if column.name == "commune_id")
    figures = {name: Column(name=name, kind="number", grouped_below=0) for name in average}
    figures |= {name: Column(name=name, kind="number", grouped_below=WHOLE_BY_NATURE) for name in add}
    if weight is not None:
        figures[weight] = Column(name=weight, kind="number", grouped_below=WHOLE_BY_NATURE, low=0)
    wanted = (identity, *figures.values())
    raw = read_table(files, path, wanted)
    if raw is None:
        raise InputError(_errors(log))
    _refuse_ids(raw, wanted, list(figures), log)
    frame = read_columns(raw, wanted, log)
    for name in figures:
        if frame.attrs["headers"][name] not in raw.headers:
            found = ", ".join(header for header in raw.headers if header)
            log.add("column_missing", file=raw.file, row=raw.header_row, column=name, found=found or "-", allowed=name)
    frame["commune_id"] = align_ids(frame, raw, "commune_id", commune_ids, log, where="boundaries/communes")
    note_duplicates(frame, raw, "commune_id", log)
    if errors := _errors(log):
        raise InputError(errors)
    return Statistic(figures=frame.set_index("commune_id")[list(figures)], notes=tuple(log.faults()))


def _refuse_ids(raw: RawTable, columns: tuple[Column, ...], names: list[str], log: FaultLog) -> None:
    """Refuse to take the ids of the communes for a figure.

    Raises
    ------
    InputError
        One of `names` is their column, by whatever header.
    """
    found = match_headers(raw.headers, columns)
    at = found.get("commune_id")
    if at is not None and any(found.get(name) == at for name in names):
        others = ", ".join(header for i, header in enumerate(raw.headers) if header and i != at)
        log.add("column_is_id", file=raw.file, row=raw.header_row, column=raw.headers[at], allowed=others or "-")
        raise InputError(_errors(log))


def _errors(log: FaultLog) -> list[Fault]:
    return [fault for fault in log.faults() if fault.severity == "error"]
