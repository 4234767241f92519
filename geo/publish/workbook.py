"""``plan.xlsx``: the plan as a workbook for the people who work with it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from geo.plan import Plan
from geo.publish.access import access_sheet
from geo.publish.findings import findings_table
from geo.publish.norms import figure_rows, norm_rows
from geo.publish.provenance import note_texts, optimality_words, provenance_rows, version_line
from geo.publish.reasons import count_meeting_norm, coverage_text, list_text, modelled_text, source_text
from geo.publish.surplus import surplus_table
from geo.publish.tables import sites_table, units_table
from geo.publish.why import explanations_table
from geo.text import t

#: The workbook's date of creation, fixed so that the same plan gives the same bytes.
_CREATED = datetime(2025, 7, 1)

_NUMBER_FORMATS = {
    "text": "@",
    "wrapped": "@",
    "count": "#,##0",
    "score": "0.000",
    "minutes": "0.0",
    "percent": "0.0%",
    # with one place, 3,000 of Hanoi's people who arrive too late would vanish in 100.0%
    "share": "0.00%",
    "degrees": "0.000000",
    "area": "#,##0",
    "figure": "#,##0.###",
}
#: Excel's numbers of the paper sizes; the wide tables want the larger one.
_A3, _A4 = 8, 9
_LINE_POINTS = 15
_NOTE_WIDTH = 52
#: Bold characters that the two columns of the cover hold.
_COVER_WIDTH = 110
#: Kind and width in characters of every column a sheet may have.
_COLUMNS: dict[str, tuple[str, int]] = {
    "unit_id": ("text", 11),
    "name": ("text", 36),
    "n_sites": ("count", 8),
    "site_id": ("text", 14),
    "site_id_1": ("text", 14),
    "site_id_2": ("text", 14),
    "site_name_1": ("text", 46),
    "site_name_2": ("text", 46),
    "one_site_score": ("score", 11),
    "two_site_score": ("score", 11),
    "second_site_gain": ("score", 12),
    "score": ("score", 9),
    "score_0_1": ("score", 9),
    "location_0_1": ("score", 11),
    "size_0_1": ("score", 9),
    "access_0_1": ("score", 11),
    "conditions_0_1": ("score", 13),
    "penalty": ("score", 14),
    "mean_time_min": ("minutes", 13),
    "p95_time_min": ("minutes", 14),
    "minutes_between": ("minutes", 13),
    "share_within_30min": ("share", 12),
    "norm_met_pct": ("percent", 11),
    "norm_met_pct_1": ("percent", 11),
    "norm_met_pct_2": ("percent", 11),
    "staff": ("count", 9),
    "need_m2": ("area", 12),
    "role_staff": ("count", 11),
    "role_need_m2": ("area", 12),
    "population": ("count", 11),
    "usable_area_m2": ("area", 12),
    "win_share": ("percent", 12),
    "firmness": ("text", 14),
    "reason": ("wrapped", 100),
    "kind": ("text", 20),
    "chosen": ("text", 9),
    "role": ("text", 38),
    "lon": ("degrees", 12),
    "lat": ("degrees", 12),
    "position_source": ("text", 44),
    "data_source": ("text", 18),
    "severity": ("text", 11),
    "check": ("text", 40),
    "subject": ("text", 24),
    "finding": ("wrapped", 70),
    "remedy": ("wrapped", 60),
    "at_stake_km2": ("figure", 12),
    "median_time_min": ("minutes", 13),
    "worst_time_min": ("minutes", 13),
    "share_within_10min": ("share", 11),
    "share_within_15min": ("share", 11),
    "share_within_20min": ("share", 11),
    "share_within_5km": ("share", 11),
    "share_within_target": ("share", 12),
    "mean_km": ("figure", 12),
    "detour_mean": ("figure", 13),
    "detour_p95": ("figure", 13),
    "other_population": ("count", 13),
    "unreachable_population": ("count", 13),
    "access_reason": ("text", 34),
    "number": ("count", 6),
    "text": ("wrapped", 130),
    "address": ("text", 46),
    "old_owner": ("text", 40),
    "new_unit": ("text", 24),
    "land_area_m2": ("area", 12),
    "floor_area_m2": ("area", 12),
    "condition": ("text", 12),
    "proposed_use": ("text", 30),
    "legal_status": ("text", 30),
    "parameter": ("text", 30),
    "value": ("figure", 12),
    "meaning": ("wrapped", 90),
    "sureness": ("text", 34),
}


@dataclass(frozen=True, slots=True)
class _Styles:
    title: Format
    heading: Format
    banner: Format
    header: Format
    wrap: Format
    bold: Format
    cells: dict[str, Format]
    bold_cells: dict[str, Format]
    left_cells: dict[str, Format]


def plan_xlsx(plan: Plan, *, lang: str, explanations: pd.DataFrame | None = None) -> bytes:
    """Return the plan as a workbook, headings in `lang`.

    Sheets: cover (what it is, what is modelled, totals, provenance, parameters), units, buildings, one site against
    two for every unit, the explanations, the table of the space norms as officials fill it in, the figures behind it,
    the buildings that are not kept, audit. Numbers are numbers and percentages are percentages; no text is ever taken
    for a formula or a link.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
    explanations : pandas.DataFrame, optional
        From :func:`geo.publish.why.explanations_table` in `lang`; made here if left out.
    """
    if explanations is None:
        explanations = explanations_table(plan, lang=lang)
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        styles = _make_styles(book)
        label = modelled_text(plan, lang=lang)
        book.set_properties(
            {"title": t("publish.title", lang=lang, city=plan.city.name), "comments": label, "created": _CREATED}
        )
        _write_cover(_add_sheet(book, plan, "cover", lang=lang), plan, styles, lang=lang)
        for name, table in (
            ("units", _units_sheet(plan, lang=lang)),
            ("sites", _sites_sheet(plan, lang=lang)),
            ("options", _options_sheet(plan, lang=lang)),
            ("explanations", explanations),
        ):
            _write_table(_add_sheet(book, plan, name, lang=lang), table, styles, lang=lang, frozen_columns=2)
        if plan.city.network is not None:
            sheet = _add_sheet(book, plan, "access", lang=lang)
            _write_table(sheet, access_sheet(plan, lang=lang), styles, lang=lang, frozen_columns=2)
        _write_norms(_add_sheet(book, plan, "norm", lang=lang), plan, styles, lang=lang)
        for name, table in (("figures", _figures_sheet(plan, lang=lang)), ("surplus", surplus_table(plan, lang=lang))):
            _write_table(_add_sheet(book, plan, name, lang=lang), table, styles, lang=lang, frozen_columns=2)
        _write_table(_add_sheet(book, plan, "audit", lang=lang), _audit_sheet(plan, lang=lang), styles, lang=lang)
    return buffer.getvalue()


def _units_sheet(plan: Plan, *, lang: str) -> pd.DataFrame:
    table = units_table(plan, lang=lang)
    names = plan.sites["name"].to_dict()
    table.insert(4, "site_name_1", table["site_id_1"].map(lambda site_id: names.get(site_id, "")))
    table.insert(6, "site_name_2", table["site_id_2"].map(lambda site_id: names.get(site_id, "")))
    return _as_shares(table)


def _as_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Turn percentages into shares of 1, as a cell formatted as a percentage wants them; returns the table itself."""
    percentages = [name for name in table.columns if name.startswith("norm_met_pct")]
    table[percentages] = table[percentages] / 100
    return table


def _figures_sheet(plan: Plan, *, lang: str) -> pd.DataFrame:
    return pd.DataFrame(figure_rows(plan, lang=lang), columns=["parameter", "value", "meaning", "sureness"])


def _sites_sheet(plan: Plan, *, lang: str) -> pd.DataFrame:
    table = sites_table(plan)
    table.insert(1, "name", plan.sites["name"].to_numpy())
    table.insert(2, "kind", [t(f"publish.kind.{kind}", lang=lang) for kind in plan.sites["kind"]])
    table["chosen"] = _yes_no(table["chosen"], lang=lang)
    table["role"] = [t(f"publish.role.{role}", lang=lang) if role else "" for role in table["role"]]
    extra = plan.sites[["usable_area_m2", "mean_time_min"]].assign(
        **{
            name: [source_text(code, lang=lang) for code in plan.sites[name]]
            for name in ("position_source", "data_source")
        }
    )
    return _as_shares(table.join(extra.reset_index(drop=True)))


def _options_sheet(plan: Plan, *, lang: str) -> pd.DataFrame:
    table = plan.options.reset_index(drop=True)
    table.insert(1, "name", table["unit_id"].map(plan.units["name"]))
    return _as_shares(table.assign(chosen=_yes_no(table["chosen"], lang=lang)))


def _audit_sheet(plan: Plan, *, lang: str) -> pd.DataFrame:
    return findings_table(plan.city, lang=lang).reset_index(drop=True)


def _yes_no(flags: Iterable[bool], *, lang: str) -> list[str]:
    return [t("publish.yes" if flag else "publish.no", lang=lang) for flag in flags]


def _add_sheet(book: xlsxwriter.Workbook, plan: Plan, name: str, *, lang: str) -> Worksheet:
    sheet = book.add_worksheet(t(f"publish.sheet.{name}", lang=lang))
    sheet.set_landscape()
    sheet.set_paper(_A3 if name in ("units", "sites", "options", "access", "explanations", "surplus") else _A4)
    sheet.fit_to_pages(1, 0)
    label = modelled_text(plan, lang=lang, short=True)
    # An ampersand starts a code in a header or footer; two of them stand for one.
    line = f"{version_line(plan, lang=lang)}. {label}".replace("&", "&&")
    sheet.set_footer(f"&L&8{line[:200]}&R&8&P / &N")
    return sheet


def _make_styles(book: xlsxwriter.Workbook) -> _Styles:
    base = {"valign": "top"}

    def cell(kind: str, **extra: Any) -> Format:
        look: dict[str, Any] = {"num_format": _NUMBER_FORMATS[kind], "text_wrap": kind == "wrapped"}
        if kind in ("text", "wrapped"):
            look |= {"align": "left", "indent": 1}
        return book.add_format({**base, **look, **extra})

    return _Styles(
        title=book.add_format({"bold": True, "font_size": 16}),
        heading=book.add_format({"bold": True, "font_size": 12, "bottom": 1}),
        banner=book.add_format({"bold": True, "bg_color": "#FFF3CD", "border": 1, "text_wrap": True, "valign": "top"}),
        header=book.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "top",
                "bg_color": "#E3E8EF",
                "bottom": 1,
                "border_color": "#888888",
            }
        ),
        wrap=book.add_format({"text_wrap": True, "valign": "top"}),
        bold=book.add_format({"bold": True, "valign": "top"}),
        cells={kind: cell(kind) for kind in _NUMBER_FORMATS},
        bold_cells={kind: cell(kind, bold=True, top=1) for kind in _NUMBER_FORMATS},
        left_cells={kind: cell(kind, align="left", indent=1) for kind in _NUMBER_FORMATS},
    )


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any, style: Format) -> None:
    if value is None or pd.isna(value):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, style)
    else:
        sheet.write_number(row, column, float(value), style)


def _fit_row(sheet: Worksheet, row: int, text: str, width: int) -> None:
    """Make a row as high as its wrapped text needs; not every program does so when it opens the file."""
    n_lines = sum(max(1, math.ceil(len(line) / width)) for line in text.split("\n"))
    if n_lines > 1:
        sheet.set_row(row, _LINE_POINTS * n_lines)


def _write_header(sheet: Worksheet, labels: Sequence[str], styles: _Styles) -> None:
    for column, label in enumerate(labels):
        sheet.write_string(0, column, label, styles.header)
    sheet.set_row(0, 48)
    sheet.repeat_rows(0)


def _write_table(sheet: Worksheet, table: pd.DataFrame, styles: _Styles, *, lang: str, frozen_columns: int = 0) -> None:
    _write_header(sheet, [t(f"publish.column.{name}", lang=lang) for name in table.columns], styles)
    for column, name in enumerate(table.columns):
        kind, width = _COLUMNS[str(name)]
        sheet.set_column(column, column, width)
        for row, value in enumerate(table[name], start=1):
            _write_cell(sheet, row, column, value, styles.cells[kind])
            if kind == "wrapped":
                _fit_row(sheet, row, value, width)
    sheet.freeze_panes(1, frozen_columns)
    sheet.autofilter(0, 0, max(len(table), 1), len(table.columns) - 1)


def _write_norms(sheet: Worksheet, plan: Plan, styles: _Styles, *, lang: str) -> None:
    names = ("number", "item", "existing_m2", "people", "norm_m2", "comparison", "note")
    kinds = ("text", "text", "area", "count", "area", "percent", "wrapped")
    _write_header(sheet, [t(f"publish.norm.{name}", lang=lang) for name in names], styles)
    for column, width in enumerate((7, 60, 13, 10, 14, 13, _NOTE_WIDTH)):
        sheet.set_column(column, column, width)
    for row, values in enumerate(norm_rows(plan, lang=lang), start=1):
        formats = styles.cells if "." in values.number else styles.bold_cells
        for column, (value, kind) in enumerate(zip(values, kinds, strict=True)):
            _write_cell(sheet, row, column, value, formats[kind])
        _fit_row(sheet, row, values.note, _NOTE_WIDTH)
    sheet.freeze_panes(1, 2)


def _write_cover(sheet: Worksheet, plan: Plan, styles: _Styles, *, lang: str) -> None:
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, t("publish.title", lang=lang, city=plan.city.name), styles.title)
    sheet.merge_range(1, 0, 1, 1, "", styles.wrap)
    sheet.write_string(1, 0, t("publish.what", lang=lang), styles.wrap)
    if label := "\n".join(filter(None, (modelled_text(plan, lang=lang), coverage_text(plan, lang=lang)))):
        sheet.merge_range(2, 0, 2, 1, "", styles.banner)
        sheet.write_string(2, 0, label, styles.banner)
        _fit_row(sheet, 2, label, _COVER_WIDTH)
    row = 4
    for heading, lines in _cover_blocks(plan, lang=lang):
        sheet.write_string(row, 0, t(f"publish.cover.{heading}", lang=lang), styles.heading)
        sheet.write_blank(row, 1, None, styles.heading)
        for offset, (name, value, kind) in enumerate(lines, start=1):
            sheet.write_string(row + offset, 0, name, styles.bold)
            _write_cell(sheet, row + offset, 1, value, styles.left_cells[kind])
            if kind == "wrapped":
                _fit_row(sheet, row + offset, value, 90)
        row += len(lines) + 2


def _cover_blocks(plan: Plan, *, lang: str) -> list[tuple[str, list[tuple[str, Any, str]]]]:
    def label(group: str, name: str) -> str:
        return t(f"publish.{group}.{name}", lang=lang)

    # The total area alone hides the units that are short behind those with more than enough.
    totals = {**plan.totals, "units_meeting_norm": count_meeting_norm(plan.units)}
    notes = enumerate(note_texts(plan, lang=lang), start=1)
    blocks = [
        ("totals", [(label("total", k), *_total_cell(k, v, lang=lang)) for k, v in totals.items()]),
        ("optimality", _optimality_cells(plan, lang=lang)),
        ("provenance", [(label("provenance", k), v, "wrapped") for k, v in provenance_rows(plan, lang=lang)]),
        ("notes", [(str(number), note, "wrapped") for number, note in notes]),
        ("parameters", [(k, v, "figure") for k, v in _flattened(plan.params.model_dump(mode="json"))]),
    ]
    return [(heading, lines) for heading, lines in blocks if lines]


def _optimality_cells(plan: Plan, *, lang: str) -> list[tuple[str, Any, str]]:
    words = {
        "status": t("publish.optimality.proven", lang=lang),
        "solver": t(f"publish.optimality.solver_{plan.optimality['solver']}", lang=lang),
        **optimality_words(plan, lang=lang),
    }
    return [
        (
            t(f"publish.optimality.{name}", lang=lang),
            words.get(name, value),
            "wrapped" if name in words else "figure",
        )
        for name, value in {**plan.optimality, **words}.items()
    ]


def _total_cell(name: str, value: Any, *, lang: str) -> tuple[Any, str]:
    if isinstance(value, (list, tuple)):
        return list_text([str(item) for item in value], lang=lang), "wrapped"
    if name.endswith("_pct") and value is not None:
        return value / 100, "percent"
    return value, "share" if name.startswith("share_") else "minutes" if name.endswith("_min") else "count"


def _flattened(tree: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
