"""Check that the files of a folder speak of the same communes and units."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geo.merge.clauses import find_contradictions, name_and_id
from geo.sources.boundaries import Part
from geo.sources.cells import align_ids, usual_width
from geo.sources.faultlog import FaultLog


def align_boundaries(
    communes: Part, clauses: Part, *, units: tuple[Part | None, ...], districts: Part | None, log: FaultLog
) -> None:
    """Make the ids of communes, clauses, units and districts agree, or note which do not.

    A file whose ids have lost their leading zeros is mended after the other one.
    """
    _pad_like(communes, "commune_id", clauses.ids("commune_id"), log)
    clauses.frame["commune_id"] = align_ids(
        clauses.frame, clauses.raw, "commune_id", communes.ids("commune_id"), log, where=communes.raw.file
    )
    _note_without_clause(communes, clauses, log)
    facts = [part for part in units if part is not None]
    listed = set().union(*(part.ids("unit_id") for part in facts))
    _pad_like(clauses, "unit_id", listed, log)
    named = clauses.ids("unit_id")
    for part in facts:
        part.frame["unit_id"] = align_ids(part.frame, part.raw, "unit_id", named, log, where=clauses.raw.file)
    if facts:
        _note_without_facts(clauses, facts, log)
    if districts is not None:
        _pad_like(communes, "district_id", districts.ids("district_id"), log)


def align_to_communes(part: Part | None, communes: Part, log: FaultLog) -> None:
    """Make the commune and district ids of another file agree with those of the communes."""
    if part is None:
        return
    for column in ("commune_id", "district_id"):
        if column in part.frame:
            part.frame[column] = align_ids(
                part.frame, part.raw, column, communes.ids(column), log, where=communes.raw.file
            )


def _pad_like(part: Part, column: str, model: set[str], log: FaultLog) -> None:
    """Pad ids that lost their zeros after `model`; other ids stay, whoever lists them reports them."""
    width = usual_width(model)
    header = part.frame.attrs["headers"][column]
    padded: list[object] = []
    for row, value in zip(part.raw.rows, part.frame[column], strict=True):
        used = value
        if isinstance(value, str) and value not in model and value.isdecimal() and value.zfill(width) in model:
            used = value.zfill(width)
            log.warn("id_padded", file=part.raw.file, row=row, column=header, value=value, used=used)
        padded.append(used)
    part.frame[column] = pd.Series(padded, dtype=object)


def _note_without_clause(communes: Part, clauses: Part, log: FaultLog) -> None:
    named = clauses.ids("commune_id")
    header = communes.frame.attrs["headers"]["commune_id"]
    for row, value, name in zip(communes.raw.rows, communes.frame["commune_id"], communes.frame["name"], strict=True):
        if isinstance(value, str) and value not in named:
            log.add(
                "commune_without_clause",
                file=communes.raw.file, row=row, column=header, value=value, where=clauses.raw.file,
                commune=name_and_id(name, value),
            )  # fmt: skip


def _note_without_facts(clauses: Part, facts: list[Part], log: FaultLog) -> None:
    listed = set().union(*(part.ids("unit_id") for part in facts))
    missing = sorted(clauses.ids("unit_id") - listed)
    if missing:
        where = ", ".join(part.raw.file for part in facts)
        log.warn("unit_without_facts", file=where, column="unit_id", value=", ".join(missing))


def check_relations(clauses: Part, log: FaultLog) -> None:
    """Note where the clauses contradict one another; communes with a bad or empty cell are left out, it is noted."""
    needed = ["clause", "unit_id", "commune_id", "relation"]
    bad = clauses.frame[needed].isna().any(axis=1).to_numpy()
    doubtful = set(clauses.frame["commune_id"][bad])
    used = ~bad & ~clauses.frame["commune_id"].isin(doubtful).to_numpy()
    rows = [row for row, use in zip(clauses.raw.rows, used, strict=True) if use]
    headers = clauses.frame.attrs["headers"]
    for fault in find_contradictions(clauses.frame[used].astype({"clause": int}), rows=rows):
        details: dict[str, Any] = dict(fault.values, row=fault.row, column=headers[fault.column], value=fault.value)
        log.add(fault.key, severity=fault.severity, file=clauses.raw.file, **details)
    _note_units_twice(clauses, log)


def _note_units_twice(clauses: Part, log: FaultLog) -> None:
    """Note the first row that gives a unit another clause; a warning, because a table may count otherwise."""
    named = clauses.frame[["clause", "unit_id", "unit_name"]].assign(row=clauses.raw.rows)
    named = named.dropna(subset=["clause", "unit_id"]).drop_duplicates(["clause", "unit_id"])
    for _, rows in named.groupby("unit_id", sort=False):
        if len(rows) > 1:
            first, other = rows.iloc[0], rows.iloc[1]
            log.warn(
                "unit_twice",
                file=clauses.raw.file, row=other["row"], column=clauses.frame.attrs["headers"]["clause"],
                value=int(other["clause"]), clause=int(first["clause"]),
                unit=name_and_id(first["unit_name"], first["unit_id"]),
            )  # fmt: skip
