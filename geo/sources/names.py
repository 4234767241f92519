"""Read what a parse of prose needs: the text itself, and the names of communes or units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from geo.errors import Fault, InputError
from geo.settings import Settings
from geo.sources.boundaries import find_part, read_districts, read_part, text_columns
from geo.sources.cells import note_duplicates
from geo.sources.columns import COMMUNES, UNITS
from geo.sources.encodings import TCVN3, is_shown_tcvn3, read_shown_tcvn3, shown_tcvn3_words
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.tables import TABLE_SUFFIXES
from geo.sources.vectors import VECTOR_SUFFIXES

#: Names are told apart by the district's name, so prose does without its id, which a folder needs.
_COMMUNES = tuple(replace(column, needed=False) if column.name == "district_id" else column for column in COMMUNES)
_COLUMNS = {"communes": _COMMUNES, "units": UNITS}
#: Fewer words than this that may be TCVN3 are a chance.
_FEW = 3
_IDS = {"communes": "commune_id", "units": "unit_id"}


def read_prose(path: Path, *, settings: Settings) -> tuple[str, tuple[Fault, ...]]:
    """Return the text of a UTF-8 file, and warnings; what is TCVN3 in UTF-8 ("Hµ Néi") is read as it is meant.

    Raises
    ------
    InputError
        The file cannot be read, is empty, too large, not UTF-8, or TCVN3 in part.
    """
    log = FaultLog()
    content = FolderFiles(path.parent, settings=settings, log=log).read(path)
    if content is None:
        raise InputError(log.faults())
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise InputError(Fault(key="text_not_utf8", file=path.name, row=row)) from error
    return _mended(text, path.name)


def _mended(text: str, file: str) -> tuple[str, tuple[Fault, ...]]:
    """Return the text, converted if it is TCVN3; raise InputError where only some of its words are."""
    words = shown_tcvn3_words(text)
    if len(words) < _FEW:
        return text, ()
    row = text.count("\n", 0, text.find(words[0])) + 1
    values = {"encoding": TCVN3.name, "meant": read_shown_tcvn3(words[0])}
    if not is_shown_tcvn3([text]):
        raise InputError(Fault(key="prose_tcvn3", file=file, row=row, value=words[0], values=values))
    note = Fault(key="prose_recoded", severity="warning", file=file, row=row, value=words[0], values=values)
    return read_shown_tcvn3(text), (note,)


def read_names(path: Path, *, part: Literal["communes", "units"], settings: Settings) -> pd.DataFrame:
    """Return what communes or units are called, from a file or a data folder; polygons are not read.

    Parameters
    ----------
    path : pathlib.Path
        A table or vector file, or a data folder, whose ``boundaries/`` holds one.
    part : {"communes", "units"}
    settings : Settings

    Returns
    -------
    pandas.DataFrame
        Index commune_id or unit_id; columns ``name``, ``kind`` and, of communes, ``district_name``; NaN where missing.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, or an id or a name is missing or an id repeated.
    """
    log = FaultLog()
    files = FolderFiles(path if path.is_dir() else path.parent, settings=settings, log=log)
    found = find_part(files, part, suffixes=(*VECTOR_SUFFIXES, *TABLE_SUFFIXES), needed=True) if path.is_dir() else path
    table = read_part(files, found, _COLUMNS[part], attributes_only=True)
    if table is not None:
        note_duplicates(table.frame, table.raw, _IDS[part], log)
        for row, name in zip(table.raw.rows, table.frame["name"], strict=True):
            if not isinstance(name, str) and part == "units":  # a plan does without, prose does not
                log.add("value_missing", file=table.raw.file, row=row, column=table.frame.attrs["headers"]["name"])
    errors = [fault for fault in log.faults() if fault.severity == "error"]
    if table is None or errors:
        raise InputError(errors)
    frame = table.frame
    districts = read_districts(files) if path.is_dir() and part == "communes" else None
    if districts is not None:
        listed = districts.frame.set_index("district_id")["name"]
        frame["district_name"] = frame["district_id"].map(listed).fillna(frame["district_name"])
    frame.attrs = {}
    return text_columns(frame[[_IDS[part], *_wanted(frame)]]).set_index(_IDS[part])


def _wanted(frame: pd.DataFrame) -> list[str]:
    return [name for name in ("name", "kind", "district_name") if name in frame]
