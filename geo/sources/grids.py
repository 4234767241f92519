"""Rows of cells as a table file has them, and where their header is, which may stand in two rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geo.sources.columns import Column, match_headers
from geo.sources.files import FolderFiles

#: Rows that are not empty, each with its number as the user counts it.
Grid = list[tuple[int, list[Any]]]

HEADER_ROWS_SEARCHED = 15
#: A cell far to the right makes a row of that width of every row; no table of a city has so many columns.
MAX_COLUMNS = 256
#: A row of column numbers, as "A, B, (1), (2), (3)", has so many of them at least.
_FEWEST_NUMBERS = 3
_UNIT_OF_MEASURE = re.compile(r"(.*?)\s*(\([^()]*\))?")


def limited_rows(files: FolderFiles, path: Path, rows: Iterable[list[Any]]) -> Grid | None:
    """Return the rows that are not empty; None where there are too many or too wide ones, with the fault in the log."""
    kept: Grid = []
    limit = files.settings.max_rows
    for number, row in enumerate(rows, start=1):
        if number > limit + HEADER_ROWS_SEARCHED:
            files.log.add("too_many_rows", file=files.name(path), row=number, allowed=limit)
            return None
        if len(row) > MAX_COLUMNS:
            files.log.add("too_many_columns", file=files.name(path), row=number, allowed=MAX_COLUMNS)
            return None
        if is_filled(row):
            kept.append((number, row))
    return kept


def is_filled(row: list[Any]) -> bool:
    """Say whether any cell of a row holds something."""
    return any(cell is not None and str(cell).strip() for cell in row)


def split_header(grid: Grid, columns: tuple[Column, ...]) -> tuple[tuple[str, ...], int, Grid]:
    """Return the headers of a table, the row they stand in, and the rows below.

    The header is the row, among the first ones, that names most of `columns`: officials put titles above their tables.
    Where the row below names more of them, the two are one header: "Diện tích (m2)" over "Đất", "Sàn" means "Diện tích
    Đất (m2)" and "Diện tích Sàn (m2)". A row that only numbers the columns is left out.

    Parameters
    ----------
    grid : Grid
        At least one row.
    columns : tuple of Column
        What the file should hold.
    """
    head = [_texts(row) for _, row in grid[:HEADER_ROWS_SEARCHED]]
    hits = [len(match_headers(row, columns)) for row in head]
    start = hits.index(max(hits))
    headers, below = head[start], start + 1
    if below < len(head):
        joined = _joined(headers, head[below], columns)
        if set(match_headers(joined, columns)) > set(match_headers(headers, columns)):
            headers, below = joined, below + 1
    if below < len(grid) and _numbers_columns(_texts(grid[below][1])):
        below += 1
    return headers, grid[start][0], grid[below:]


def _texts(row: list[Any]) -> tuple[str, ...]:
    return tuple("" if cell is None else str(cell).strip() for cell in row)


def _joined(upper: tuple[str, ...], lower: tuple[str, ...], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the headers that two rows make; a merged cell of the upper one, filled once, stands over several."""
    width = max(len(upper), len(lower))
    upper, lower = (row + ("",) * (width - len(row)) for row in (upper, lower))
    headers: list[str] = []
    group = ""
    for above, below in zip(upper, lower, strict=True):
        group = above or (group if below else "")
        headers.append(_header_of(group, below, columns) if below else above)
    return tuple(headers)


def _header_of(group: str, own: str, columns: tuple[Column, ...]) -> str:
    match = _UNIT_OF_MEASURE.fullmatch(group)
    name, unit = (match[1], match[2] or "") if match else (group, "")
    whole = " ".join(part for part in (name, own, unit) if part)
    return next((text for text in (whole, own) if match_headers((text,), columns)), whole)


def _numbers_columns(row: tuple[str, ...]) -> bool:
    """Say whether a row holds nothing but 1, 2, 3, ..., in brackets or not, after letters such as A and B."""
    marks = [text.strip("()[] ") for text in row if text]
    numbers = [mark for mark in marks if not (len(mark) == 1 and mark.isalpha())]
    return len(numbers) >= _FEWEST_NUMBERS and numbers == [str(i) for i in range(1, len(numbers) + 1)]
