"""Read tables (csv, xlsx) as text, every cell with its row, without guessing types."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from geo.sources.columns import Column
from geo.sources.files import FolderFiles
from geo.sources.grids import HEADER_ROWS_SEARCHED, Grid, is_filled, limited_rows, split_header
from geo.sources.workbooks import note_traps, read_sheet

TABLE_SUFFIXES = (".csv", ".xlsx")
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
        sheet = read_sheet(files, path, content, columns)
        raw = None if sheet is None else _table_from_grid(files, path, sheet.rows, columns, decimal_comma=False)
        if sheet is not None and raw is not None:
            note_traps(sheet, raw.headers, raw.rows, columns, file=raw.file, log=files.log)
        return raw
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
    head = [_QUOTED.sub("", line) for line in text.splitlines()[:HEADER_ROWS_SEARCHED]]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = Counter(line.count(delimiter) for line in head if delimiter in line)
        return max(((lines, count) for count, lines in counts.items()), default=(0, 0))

    return max(_DELIMITERS, key=agreement)


def _csv_rows(files: FolderFiles, path: Path, text: str, delimiter: str) -> Grid | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return limited_rows(files, path, reader)
    except csv.Error as error:
        files.log.add("csv_broken", file=files.name(path), row=reader.line_num, detail=error)
    return None


def _table_from_grid(
    files: FolderFiles,
    path: Path,
    grid: Grid,
    columns: tuple[Column, ...],
    *,
    decimal_comma: bool,
) -> RawTable | None:
    name = files.name(path)
    if not grid:
        files.log.add("empty_file", file=name)
        return None
    headers, header_row, records = split_header(grid, columns)
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
        header_row=header_row,
        decimal_comma=decimal_comma,
    )


def _of_one_width(
    files: FolderFiles, name: str, records: list[tuple[int, list[Any]]], width: int
) -> Iterator[tuple[int, list[Any]]]:
    for number, row in records:
        if len(row) < width or is_filled(row[width:]):
            files.log.add("row_width", file=name, row=number, found=len(row), expected=width)
        else:
            yield number, row
