"""The two tables of a plan, and their CSV files.

Every other output takes its figures from these tables, so a map and a workbook never differ from the CSV.
"""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from geo.errors import Fault, InputError
from geo.plan import Plan
from geo.publish.reasons import modelled_text, reason_text
from geo.publish.surplus import SURPLUS_COLUMNS, surplus_table
from geo.text import t

#: Columns of ``units.csv`` in order, with the decimals of a number; None marks text.
UNIT_COLUMNS: dict[str, int | None] = {
    "unit_id": None,
    "name": None,
    "n_sites": 0,
    "site_id_1": None,
    "site_id_2": None,
    "one_site_score": 4,
    "two_site_score": 4,
    "second_site_gain": 4,
    "mean_time_min": 2,
    "p95_time_min": 2,
    "share_within_30min": 4,
    "norm_met_pct": 1,
    "norm_met_pct_1": 1,
    "norm_met_pct_2": 1,
    "population": 0,
    "staff": 0,
    "need_m2": 1,
    "win_share": 2,
    "firmness": None,
    "reason": None,
}

#: Columns of ``sites.csv`` in order, as above; ``chosen`` is written as true or false.
SITE_COLUMNS: dict[str, int | None] = {
    "site_id": None,
    "unit_id": None,
    "lon": 6,
    "lat": 6,
    "score_0_1": 4,
    "location_0_1": 4,
    "size_0_1": 4,
    "access_0_1": 4,
    "conditions_0_1": 4,
    "chosen": None,
    "role": None,
    "role_staff": 0,
    "role_need_m2": 1,
    "norm_met_pct": 1,
}

#: A spreadsheet takes a cell that begins so for a formula (OWASP: CSV injection); full-width forms count too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def units_table(plan: Plan, *, lang: str) -> pd.DataFrame:
    """Return the columns of ``units.csv``: one row per unit in the order of the city, numbers rounded.

    ``firmness`` is a word and ``reason`` a sentence in `lang`; the sentence ends by naming what is modelled, because a
    CSV has no other place for it.
    """
    table = plan.units.rename_axis("unit_id").reset_index()
    label = modelled_text(plan, lang=lang, short=True)
    max_sites = plan.params.choice.max_sites
    table["reason"] = [
        f"{reason_text(unit, lang=lang, max_sites=max_sites)} {label}".strip() for _, unit in plan.units.iterrows()
    ]
    table["firmness"] = [t(f"publish.firmness.{code}", lang=lang) if code else "" for code in table["firmness"]]
    return _rounded(table, UNIT_COLUMNS)


def sites_table(plan: Plan) -> pd.DataFrame:
    """Return the columns of ``sites.csv``: one row per building in the order of the city, numbers rounded."""
    return _rounded(plan.sites.rename_axis("site_id").reset_index(), SITE_COLUMNS)


def units_csv(plan: Plan, *, lang: str) -> bytes:
    """Return ``units.csv``; see :func:`csv_bytes`."""
    return csv_bytes(units_table(plan, lang=lang), UNIT_COLUMNS)


def surplus_csv(plan: Plan, *, lang: str) -> bytes:
    """Return ``surplus.csv``, the buildings that are not kept; see :func:`csv_bytes`."""
    return csv_bytes(surplus_table(plan, lang=lang), SURPLUS_COLUMNS)


def sites_csv(plan: Plan) -> bytes:
    """Return ``sites.csv``; see :func:`csv_bytes`."""
    return csv_bytes(sites_table(plan), SITE_COLUMNS)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write `table` to `path` as :func:`csv_bytes` does, in full precision; see :func:`write_file`."""
    named = table.rename(columns=neutralise_formula)
    write_file(csv_bytes(named, dict.fromkeys(named.columns)), path)


def write_file(content: bytes, path: Path) -> None:
    """Write `content` to `path`: aside, then renamed.

    Raises
    ------
    InputError
        The file cannot be written (key ``output_not_writable``).
    """
    aside = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault(key="output_not_writable", value=str(path), values=detail)) from error


def csv_bytes(table: pd.DataFrame, columns: dict[str, int | None]) -> bytes:
    r"""Return `table` as CSV: comma, ``\n``, fixed decimals, empty where a value is missing.

    The file begins with the UTF-8 byte order mark: without it Excel reads UTF-8 as the machine's old code page and
    garbles Vietnamese, while pandas, R's readr, QGIS and LibreOffice drop the mark silently. Python's csv module
    wants ``encoding="utf-8-sig"``. A text cell that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in table[list(columns)].itertuples(index=False, name=None):
        writer.writerow(_cell(value, decimals) for value, decimals in zip(row, columns.values(), strict=True))
    return buffer.getvalue().encode("utf-8-sig")


def neutralise_formula(text: str) -> str:
    """Return `text` so that no spreadsheet runs it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _cell(value: Any, decimals: int | None) -> str:
    if pd.isna(value):
        return ""
    if decimals is not None:
        return f"{value:.{decimals}f}"
    if isinstance(value, str):
        # A lone carriage return is written without quotes before Python 3.13, and would break the row.
        return neutralise_formula(value).replace("\r\n", "\n").replace("\r", "\n")
    return str(value).lower()


def _rounded(table: pd.DataFrame, columns: dict[str, int | None]) -> pd.DataFrame:
    rounded = table[list(columns)].copy()
    for name, decimals in columns.items():
        if decimals is not None:
            # Adding 0.0 turns a rounded -0.0 into 0.0.
            rounded[name] = rounded[name].astype(float).round(decimals) + 0.0
        if decimals == 0 and rounded[name].notna().all():
            rounded[name] = rounded[name].astype("int64")
    return rounded
