"""From raw cells to typed columns, every bad cell noted with its row."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from geo.sources.columns import ALLOWED_CHOICES, Column, fold, match_headers
from geo.sources.faultlog import FaultLog
from geo.sources.tables import RawTable
from geo.sources.thousands import point_meaning

_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_COMMA_NUMBER = re.compile(r"[+-]?\d{1,40},\d{1,40}")
#: Spaces between thousands, of whatever width; they never are a decimal sign.
_SPACED_NUMBER = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d*)?")
_DATE = re.compile(r"(\d{4})-\d\d-\d\d(?:T.*)?|(?:\d{1,2}[/.-]){1,2}(\d{4})")
#: A spreadsheet shows the number of a year under a format for dates as a day of 1905.
_YEAR_OF_NUMBERS = "1905"
_SPREADSHEET_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
#: What a spreadsheet makes of a long code and of one such as 1-2: a number with an exponent, a date.
_MADE_BY_SPREADSHEET = re.compile(r"\d([.,]\d+)?[eE]\+\d+|\d{4}-\d\d-\d\d[T ]00:00:00")
_INTEGRAL_FLOAT = re.compile(r"(\d+)\.0+")


def read_columns(raw: RawTable, columns: tuple[Column, ...], log: FaultLog) -> pd.DataFrame:
    """Return the columns of `columns` with typed values; missing ones are empty.

    Returns
    -------
    pandas.DataFrame
        One row per record of `raw`, in its order, index 0, 1, 2, ... Ids and texts are str or None, numbers float
        with NaN. Attributes ``headers`` maps each column to its header in the file.
    """
    found = match_headers(raw.headers, columns, width=raw.name_width)
    data: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for column in columns:
        position = found.get(column.name)
        headers[column.name] = column.name if position is None else raw.headers[position]
        if position is None:
            data[column.name] = _missing_column(raw, column, log)
            continue
        _note_twins(raw, position, log)
        texts = [_text_of(cell) for cell in raw.cells[position]]
        _note_rivals(raw, column, position, texts, log)
        data[column.name] = _convert(raw, column, headers[column.name], texts, log)
    _note_unknown_headers(raw, columns, found, log)
    frame = pd.DataFrame(data, index=pd.RangeIndex(len(raw)))
    frame.attrs["headers"] = headers
    return frame


def _missing_column(raw: RawTable, column: Column, log: FaultLog) -> Any:
    if column.needed:
        log.add(
            "column_missing",
            file=raw.file,
            row=raw.header_row,
            column=column.name,
            found=", ".join(h for h in raw.headers if h) or "-",
            allowed=", ".join(column.headers),
        )
    return _series([None] * len(raw), column)


def _note_unknown_headers(raw: RawTable, columns: tuple[Column, ...], found: dict[str, int], log: FaultLog) -> None:
    """Note headers that mean nothing here where something is missing that one of them may stand for."""
    known = {fold(name) for column in columns for name in column.headers}
    taken = set(found.values())
    unknown = [h for i, h in enumerate(raw.headers) if h and i not in taken and fold(h) not in known]
    missing = [column for column in columns if column.wanted and column.name not in found]
    if unknown and missing:
        names = ", ".join(column.name for column in missing)
        log.warn("headers_unknown", file=raw.file, row=raw.header_row, headers=", ".join(unknown), missing=names)


def _note_twins(raw: RawTable, position: int, log: FaultLog) -> None:
    header = raw.headers[position]
    if sum(fold(each) == fold(header) for each in raw.headers) > 1:
        log.add("column_twice", file=raw.file, row=raw.header_row, column=header)


def _note_rivals(raw: RawTable, column: Column, position: int, texts: list[str | None], log: FaultLog) -> None:
    """Note other columns of figures that mean the same by their header and say something else.

    Who calls a column by its own name says which one is meant.
    """
    if column.kind != "number" or fold(raw.headers[position]) == fold(column.name):
        return
    names = {fold(name) for name in column.headers}
    for other, header in enumerate(raw.headers):
        if other == position or fold(header) not in names or fold(header) == fold(raw.headers[position]):
            continue
        pairs = zip(raw.rows, texts, (_text_of(cell) for cell in raw.cells[other]), strict=True)
        row = next((row for row, text, rival in pairs if rival is not None and rival != text), None)
        if row is not None:
            log.warn("column_rival", file=raw.file, row=row, column=header, used=raw.headers[position])


def _text_of(cell: Any) -> str | None:
    """Return a cell as text; numbers without the decimal point that a format may have added."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower()
    if isinstance(cell, float | np.floating):
        return str(int(cell)) if float(cell).is_integer() and abs(float(cell)) < 1e15 else repr(float(cell))
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False)
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    return str(cell).strip() or None


def _series(values: list[Any], column: Column) -> pd.Series:
    numeric = column.kind in ("number", "integer")
    return pd.Series(values, dtype="float64" if numeric else object)


def _convert(raw: RawTable, column: Column, header: str, shown: list[str | None], log: FaultLog) -> pd.Series:
    texts = [_plain_number(text, column) for text in shown]
    comma = raw.decimal_comma and any(text and _COMMA_NUMBER.fullmatch(text) for text in texts)
    grouped = column.kind == "number" and _are_grouped(raw, column, header, texts, log, comma=comma)
    converters: dict[str, Callable[[str], tuple[Any, str | None]]] = {
        "id": lambda text: _as_text(text, ident=True),
        "text": _as_text,
        "choice": lambda text: _as_choice(text, column),
        "number": lambda text: _as_number(text, column, comma=comma, grouped=grouped),
        "integer": lambda text: _as_number(text, column, comma=comma),
    }
    convert = converters[column.kind]
    values: list[Any] = []
    for row, text, cell in zip(raw.rows, texts, shown, strict=True):
        value, problem = (None, "value_missing" if column.needed else None) if text is None else convert(text)
        if problem:
            _note(raw.file, row, header, cell, problem, column, log)
        values.append(value)
    return _series(values, column)


def _plain_number(text: str | None, column: Column) -> str | None:
    """Return a number without the spaces between its thousands, and the year of a date where a year is asked for."""
    if text is None or column.kind not in ("number", "integer"):
        return text
    if _SPACED_NUMBER.fullmatch(text):
        return re.sub(r"\s", "", text)
    date = _DATE.fullmatch(text) if column.name == "year_built" else None
    year = (date[1] or date[2]) if date else None
    return year if year and year != _YEAR_OF_NUMBERS else text


def _are_grouped(
    raw: RawTable, column: Column, header: str, texts: list[str | None], log: FaultLog, *, comma: bool
) -> bool:
    """Return whether the decimal sign, a point or a `comma`, separates thousands; note where nobody can tell."""
    pointed = [text and _with_point(text, comma=comma) for text in texts]
    meaning = point_meaning(pointed, grouped_below=column.grouped_below)
    if meaning == "open":
        first = next(i for i, text in enumerate(pointed) if text and "." in text)
        value = texts[first] or ""
        log.warn("number_open", file=raw.file, row=raw.rows[first], column=header, value=value, **_two_readings(value))
    return meaning == "thousands"


def _two_readings(text: str) -> dict[str, str]:
    """Return a number with a point read as thousands, and as decimals in two spellings that leave no doubt."""
    mark, value = "," if "," in text else ".", float(text.replace(",", "."))
    short, long = (f"{value:.{places}f}".replace(".", mark) for places in (2, 4))
    return {"mark": mark, "whole": f"{value * 1000:.0f}", "short": short, "long": long}


_NOTES = ("text_formula", "text_control", "id_changed")


def _note(file: str, row: int, header: str, text: str | None, problem: str, column: Column, log: FaultLog) -> None:
    where: dict[str, Any] = {"file": file, "row": row, "column": header, "value": text}
    if problem in _NOTES:
        log.warn(problem, **where)
    elif problem == "not_nfc":
        where.update(first_other_form(text or ""))
        log.add(problem, **where)
    elif problem == "number_grouped":
        where.update(_two_readings(text or ""))
        log.add(problem, **where)
    elif problem == "unknown_value":
        log.add(problem, **where, allowed=", ".join(ALLOWED_CHOICES[column.name]))
    elif problem == "out_of_range":
        log.add(problem, **where, allowed=column.bounds)
    else:
        log.add(problem, **where)


def _as_text(text: str, *, ident: bool = False) -> tuple[str | None, str | None]:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return None, "text_broken"
    if not unicodedata.is_normalized("NFC", text):
        return unicodedata.normalize("NFC", text), "not_nfc"
    if text in _SPREADSHEET_ERRORS:
        return None, "cell_error"
    if ident and text.startswith("="):
        return None, "formula_unsaved"
    if ident and _MADE_BY_SPREADSHEET.fullmatch(text):
        return text, "id_changed"
    if ident and (integral := _INTEGRAL_FLOAT.fullmatch(text)):
        return integral[1], None
    if any(unicodedata.category(c) in ("Cc", "Cf") for c in text):
        return text, "text_control"
    if text[0] in "=+@" or (text[0] == "-" and len(text) > 1 and not _NUMBER.fullmatch(text)):
        return text, "text_formula"
    return text, None


def _as_choice(text: str, column: Column) -> tuple[str | None, str | None]:
    value = column.choices.get(fold(text))
    return value, None if value else "unknown_value"


def _with_point(text: str, *, comma: bool) -> str:
    if not comma:
        return text
    return "?" if "." in text else text.replace(",", ".")  # in such a file a point separates thousands


def _as_number(text: str, column: Column, *, comma: bool, grouped: bool = False) -> tuple[float | None, str | None]:
    if text.startswith("=") or text in _SPREADSHEET_ERRORS:
        return None, "formula_unsaved" if text.startswith("=") else "cell_error"
    text = _with_point(text, comma=comma)
    if not _NUMBER.fullmatch(text):
        return None, "not_a_number"
    if grouped and "." in text:
        return None, "number_grouped"
    value = float(text)
    if not math.isfinite(value) or (column.kind == "integer" and not value.is_integer()):
        return None, "not_a_number"
    too_low = value <= column.low if column.open_low else value < column.low
    return (None, "out_of_range") if too_low or value > column.high else (value, None)


def first_other_form(text: str) -> dict[str, str]:
    """Return the first letter of `text` that is not in NFC, as found and as expected, with the code points."""
    for letter in re.findall(r"[^\u0300-\u036f][\u0300-\u036f]*", text):
        normal = unicodedata.normalize("NFC", letter)
        if normal != letter:
            return {"found_letter": _code_points(letter), "nfc_letter": f"{normal} {_code_points(normal)}"}
    return {"found_letter": "?", "nfc_letter": "?"}


def _code_points(text: str) -> str:
    return " ".join(f"U+{ord(c):04X}" for c in text)


def note_duplicates(frame: pd.DataFrame, raw: RawTable, column: str, log: FaultLog) -> None:
    """Note every row whose id an earlier row has."""
    first: dict[str, int] = {}
    header = frame.attrs["headers"][column]
    for row, value in zip(raw.rows, frame[column], strict=True):
        if isinstance(value, str) and first.setdefault(value, row) != row:
            log.add("id_duplicate", file=raw.file, row=row, column=header, value=value, first=first[value])


def align_ids(
    frame: pd.DataFrame, raw: RawTable, column: str, known: Iterable[str], log: FaultLog, *, where: str
) -> pd.Series:
    """Return a column of ids as `known` writes them.

    An id that lost its leading zeros (spreadsheets do that) is padded to the usual width where that gives a known id,
    with a warning; any other unknown id is a fault.

    Parameters
    ----------
    where : str
        File or files that list the known ids.
    """
    ids = set(known)
    width = usual_width(ids)
    header = frame.attrs["headers"][column]
    aligned = frame[column].copy()
    if not ids:
        return aligned
    for i, (row, value) in enumerate(zip(raw.rows, frame[column], strict=True)):
        if not isinstance(value, str) or value in ids:
            continue
        padded = value.zfill(width)
        place: dict[str, Any] = {"file": raw.file, "row": row, "column": header, "value": value}
        if value.isdecimal() and padded in ids:
            log.warn("id_padded", **place, used=padded)
            aligned.iloc[i] = padded
        else:
            log.add("id_unknown", **place, where=where)
    return aligned


def usual_width(ids: Iterable[str]) -> int:
    """Return the most frequent length of the ids, the longer one of equals; 0 where there are none."""
    counts = Counter(len(each) for each in ids)
    return max(counts, key=lambda width: (counts[width], width), default=0)
