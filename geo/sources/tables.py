"""Read tables (csv, xlsx) as text, every cell with its row, without guessing types."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj

from geo.sources.columns import Column, match_headers
from geo.sources.files import FolderFiles

if TYPE_CHECKING:
    import openpyxl

TABLE_SUFFIXES = (".csv", ".xlsx")
_HEADER_ROWS_SEARCHED = 15
#: A cell far to the right makes a row of that width of every row; no table of a city has so many columns.
_MAX_COLUMNS = 256
_DELIMITERS = (",", ";", "\t")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A file as it is: headers, cells, and geometry where it has any.

    Attributes
    ----------
    file : str
        Relative to the data folder.
    headers : tuple of str
    cells : list of list
        One list of raw values per header.
    rows : list of int
        Row of each record as the user counts it.
    geometry : numpy.ndarray of shapely geometries, or None
        None inside where a geometry is missing or unreadable.
    crs : pyproj.CRS or None
        As the file declares it.
    placed : bool
        False where the declared CRS could not be understood: nobody knows where the geometry lies.
    header_row : int or None
        Row of the headers; None where the format keeps them apart.
    decimal_comma : bool
        The file may write 0,5 for one half.
    name_width : int or None
        Length the format cuts headers to.
    """

    file: str
    headers: tuple[str, ...]
    cells: list[list[Any]]
    rows: list[int]
    geometry: np.ndarray | None = None
    crs: pyproj.CRS | None = None
    placed: bool = True
    header_row: int | None = None
    decimal_comma: bool = False
    name_width: int | None = None

    def __len__(self) -> int:
        return len(self.rows)


def read_table(files: FolderFiles, path: Path, columns: tuple[Column, ...]) -> RawTable | None:
    """Read a csv or xlsx file; None where it cannot be read, with the reason in the log.

    Parameters
    ----------
    files : FolderFiles
    path : pathlib.Path
    columns : tuple of Column
        What the file should hold; the header is the row, among the first ones, that names most of them.
    """
    content = files.read(path)
    if content is None:
        return None
    if path.suffix.lower() == ".xlsx":
        grid = _xlsx_rows(files, path, content)
        return None if grid is None else _table_from_grid(files, path, grid, columns, decimal_comma=False)
    text = _decode(files, path, content)
    if text is None:
        return None
    delimiter = _delimiter_of(text)
    grid = _csv_rows(files, path, text, delimiter)
    return None if grid is None else _table_from_grid(files, path, grid, columns, decimal_comma=delimiter == ";")


def _decode(files: FolderFiles, path: Path, content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        value = content[error.start : error.start + 1].hex(" ")
        files.log.add("not_utf8", file=files.name(path), row=row, value=f"0x{value}")
        return None
    if "\0" in text:
        files.log.add("format_mismatch", file=files.name(path), expected="CSV")
        return None
    return text


def _delimiter_of(text: str) -> str:
    """Return what most lines hold equally often outside quotes: decimal commas are not in the header."""
    head = [_QUOTED.sub("", line) for line in text.splitlines()[:_HEADER_ROWS_SEARCHED]]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = Counter(line.count(delimiter) for line in head if delimiter in line)
        return max(((lines, count) for count, lines in counts.items()), default=(0, 0))

    return max(_DELIMITERS, key=agreement)


def _csv_rows(files: FolderFiles, path: Path, text: str, delimiter: str) -> list[tuple[int, list[Any]]] | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _limited(files, path, reader)
    except csv.Error as error:
        files.log.add("csv_broken", file=files.name(path), row=reader.line_num, detail=error)
    return None


def _xlsx_rows(files: FolderFiles, path: Path, content: bytes) -> list[tuple[int, list[Any]]] | None:
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
            return _sheet_rows(files, path, book)
    except Exception as error:  # openpyxl raises whatever its parsers raise on a damaged workbook
        files.log.add("file_unreadable", file=files.name(path), detail=error)
    return None


def _sheet_rows(files: FolderFiles, path: Path, book: openpyxl.Workbook) -> list[tuple[int, list[Any]]] | None:
    filled: list[tuple[str, list[tuple[int, list[Any]]]]] = []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # a workbook may claim a million empty columns
        rows = _limited(files, path, (_without_empty_end(row) for row in sheet.iter_rows(values_only=True)))
        if rows is None:
            return None
        if any(_filled(row) for _, row in rows):
            filled.append((sheet.title, rows))
    for title, _ in filled[1:]:
        files.log.warn("sheet_ignored", file=files.name(path), value=title, used=filled[0][0])
    return filled[0][1] if filled else []


def _limited(files: FolderFiles, path: Path, rows: Iterable[list[Any]]) -> list[tuple[int, list[Any]]] | None:
    kept: list[tuple[int, list[Any]]] = []
    limit = files.settings.max_rows
    for number, row in enumerate(rows, start=1):
        if number > limit + _HEADER_ROWS_SEARCHED:
            files.log.add("too_many_rows", file=files.name(path), row=number, allowed=limit)
            return None
        if len(row) > _MAX_COLUMNS:
            files.log.add("too_many_columns", file=files.name(path), row=number, allowed=_MAX_COLUMNS)
            return None
        if _filled(row):
            kept.append((number, row))
    return kept


def _without_empty_end(row: tuple[Any, ...]) -> list[Any]:
    """Return a row of a workbook without the empty cells at its end, the last of which may only have a style."""
    if row[_MAX_COLUMNS:].count(None) == len(row[_MAX_COLUMNS:]):
        row = row[:_MAX_COLUMNS]
    width = next((i for i in range(len(row), 0, -1) if row[i - 1] is not None), 0)
    return list(row[:width])


def _filled(row: list[Any]) -> bool:
    return any(cell is not None and str(cell).strip() for cell in row)


def _table_from_grid(
    files: FolderFiles,
    path: Path,
    grid: list[tuple[int, list[Any]]],
    columns: tuple[Column, ...],
    *,
    decimal_comma: bool,
) -> RawTable | None:
    name = files.name(path)
    if not grid:
        files.log.add("empty_file", file=name)
        return None
    start = _header_position(grid, columns)
    headers = tuple("" if cell is None else str(cell).strip() for cell in grid[start][1])
    records = grid[start + 1 :]
    if not records:
        files.log.add("no_rows", file=name)
        return None
    if path.suffix.lower() == ".csv":
        records = list(_of_one_width(files, name, records, len(headers)))
    return RawTable(
        file=name,
        headers=headers,
        cells=[[row[i] if i < len(row) else None for _, row in records] for i in range(len(headers))],
        rows=[number for number, _ in records],
        header_row=grid[start][0],
        decimal_comma=decimal_comma,
    )


def _header_position(grid: list[tuple[int, list[Any]]], columns: tuple[Column, ...]) -> int:
    """Return where the header is: officials put titles above their tables."""
    head = [tuple(str(cell or "") for cell in row) for _, row in grid[:_HEADER_ROWS_SEARCHED]]
    hits = [len(match_headers(row, columns)) for row in head]
    return hits.index(max(hits))


def _of_one_width(
    files: FolderFiles, name: str, records: list[tuple[int, list[Any]]], width: int
) -> Iterator[tuple[int, list[Any]]]:
    for number, row in records:
        if len(row) < width or _filled(row[width:]):
            files.log.add("row_width", file=name, row=number, found=len(row), expected=width)
        else:
            yield number, row
