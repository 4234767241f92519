"""Read the sheet of a workbook that holds the table, and tell what its reader sees otherwise than a program does."""

from __future__ import annotations

import io
import re
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import unescape

from geo.sources.columns import Column, match_headers
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.sources.grids import MAX_COLUMNS, Grid, limited_rows, split_header

if TYPE_CHECKING:
    import openpyxl

_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*>")
_HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
_NUMBER = re.compile(rb"\br=[\"'](\d+)[\"']")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^<>]*\bref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")
#: A cell with a formula and no value; one of the type ``str`` has the empty text as its value.
_UNSAVED = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b[^<>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)"
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_PLACE = re.compile(rb"\br=[\"']([A-Z]+)(\d+)[\"']")
_TEXT_RESULT = re.compile(rb"\bt=[\"']str[\"']")
_SHOWN_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The rows of a sheet, and what it is made of besides.

    Attributes
    ----------
    rows : Grid
        A formula whose result the file does not hold stands as its text, with ``=`` before it.
    merged : tuple of (int, int, int)
        Position of the column, first and last row of every cell that is merged over several rows.
    hidden : frozenset of int
        Rows that are not shown.
    """

    rows: Grid
    merged: tuple[tuple[int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()


def read_sheet(files: FolderFiles, path: Path, content: bytes, columns: tuple[Column, ...]) -> Sheet | None:
    """Return the visible sheet that names most of `columns`, the first of equals.

    None where it cannot be read, with the reason in the log; no rows where every sheet is empty.
    """
    import openpyxl  # here, because it takes long to import and most folders hold no workbook

    members = files.unzip(path, content, suffixes=(".xml", ".rels"))
    if members is None:
        return None
    if any(b"<!DOCTYPE" in member[:4096] for member in members.values()):
        files.log.add("format_mismatch", file=files.name(path), expected="XLSX")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and validations openpyxl does not know are none of ours
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            return _best_sheet(files, path, book, members, columns)
    except Exception as error:  # openpyxl raises whatever its parsers raise on a damaged workbook
        files.log.add("file_unreadable", file=files.name(path), detail=error)
    return None


def _best_sheet(
    files: FolderFiles, path: Path, book: openpyxl.Workbook, members: dict[str, bytes], columns: tuple[Column, ...]
) -> Sheet | None:
    filled: list[tuple[str, Sheet]] = []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # a workbook may claim a million empty columns
        rows = limited_rows(files, path, (_without_empty_end(row) for row in sheet.iter_rows(values_only=True)))
        if rows is None:
            return None
        found = _with_traps(rows, members.get(sheet._worksheet_path.lstrip("/"), b""))
        if found.rows:
            filled.append((sheet.title, found))
    if not filled:
        return Sheet(rows=[])
    used, best = max(filled, key=lambda each: len(match_headers(split_header(each[1].rows, columns)[0], columns)))
    for title, _ in filled:
        if title != used:
            files.log.warn("sheet_ignored", file=files.name(path), value=title, used=used)
    return best


def _without_empty_end(row: tuple[Any, ...]) -> list[Any]:
    """Return a row of a workbook without the empty cells at its end, the last of which may only have a style."""
    if row[MAX_COLUMNS:].count(None) == len(row[MAX_COLUMNS:]):
        row = row[:MAX_COLUMNS]
    width = next((i for i in range(len(row), 0, -1) if row[i - 1] is not None), 0)
    return list(row[:width])


def _with_traps(rows: Grid, xml: bytes) -> Sheet:
    merged = [
        (_position(left), int(top), int(bottom))
        for left, top, right, bottom in _MERGED.findall(xml)
        if left == right and top != bottom
    ]
    hidden = [_NUMBER.search(tag) for tag in _ROW.findall(xml) if _HIDDEN.search(tag)]
    by_number = dict(rows)
    for attributes, formula in _UNSAVED.findall(xml):
        place = _PLACE.search(attributes)
        if place and not _TEXT_RESULT.search(attributes):
            row = by_number.setdefault(int(place[2]), [])  # a row of such formulas alone seemed to be empty
            _put(row, _position(place[1]), f"={unescape(formula.decode('utf-8', 'replace'))}")
    numbers = frozenset(int(number[1]) for number in hidden if number)
    return Sheet(rows=sorted(by_number.items()), merged=tuple(sorted(merged)), hidden=numbers)


def _put(row: list[Any], position: int, formula: str) -> None:
    if position < MAX_COLUMNS:
        row += [None] * (position + 1 - len(row))
        row[position] = formula


def _position(letters: bytes) -> int:
    """Return the position of a column, 0 for A."""
    position = 0
    for letter in letters:
        position = 26 * position + letter - 64
    return position - 1


def note_traps(
    sheet: Sheet, headers: tuple[str, ...], rows: list[int], columns: tuple[Column, ...], *, file: str, log: FaultLog
) -> None:
    """Note rows that are hidden, though read, and merged cells, only the first row of which has the value.

    Parameters
    ----------
    headers, rows
        Of the table in the sheet.
    columns : tuple of Column
        Those that are read of it.
    """
    kept = set(rows)
    hidden = sorted(sheet.hidden & kept)
    if hidden:
        log.warn("rows_hidden", file=file, n=len(hidden), rows=_listed([str(number) for number in hidden]))
    for position in sorted(set(match_headers(headers, columns).values())):
        spans = [(first, last) for at, first, last in sheet.merged if at == position and first in kept]
        merged = [f"{first}–{last}" for first, last in spans if bisect_right(rows, last) > bisect_right(rows, first)]
        if merged:
            log.warn("cells_merged", file=file, column=headers[position], n=len(merged), rows=_listed(merged))


def _listed(rows: list[str]) -> str:
    return ", ".join(rows[:_SHOWN_ROWS]) + (", …" if len(rows) > _SHOWN_ROWS else "")
