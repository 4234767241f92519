"""Check that the files of a folder speak of the same communes and units."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

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
    for row, value in zip(communes.raw.rows, communes.frame["commune_id"], strict=True):
        if isinstance(value, str) and value not in named:
            log.add(
                "commune_without_clause",
                file=communes.raw.file, row=row, column=header, value=value, where=clauses.raw.file,
            )  # fmt: skip


def _note_without_facts(clauses: Part, facts: list[Part], log: FaultLog) -> None:
    listed = set().union(*(part.ids("unit_id") for part in facts))
    missing = sorted(clauses.ids("unit_id") - listed)
    if missing:
        where = ", ".join(part.raw.file for part in facts)
        log.warn("unit_without_facts", file=where, column="unit_id", value=", ".join(missing))


def check_relations(clauses: Part, log: FaultLog) -> None:
    """Check that every commune goes whole to one unit, or in parts with exactly one remainder."""
    groups: dict[str, list[_Mention]] = {}
    columns = (clauses.frame[name] for name in ("commune_id", "unit_id", "relation"))
    for row, commune, unit, relation in zip(clauses.raw.rows, *columns, strict=True):
        if isinstance(commune, str):
            groups.setdefault(commune, []).append(_Mention(row, unit, relation))
    for commune, group in sorted(groups.items()):
        if all(isinstance(each.unit, str) and isinstance(each.relation, str) for each in group):
            _check_commune(commune, group, clauses, log)  # else what is wrong is noted already


class _Mention(NamedTuple):
    """A row of the clauses that names a commune."""

    row: int
    unit: str
    relation: str


def _check_commune(commune: str, group: list[_Mention], clauses: Part, log: FaultLog) -> None:
    headers = clauses.frame.attrs["headers"]
    relations = [each.relation for each in group]
    where: dict[str, Any] = {"file": clauses.raw.file, "column": headers["relation"], "commune": commune}
    for n, each in enumerate(group):
        if each.unit in [other.unit for other in group[:n]]:
            log.add("pair_twice", file=clauses.raw.file, row=each.row, column=headers["commune_id"], value=commune)
    if len(group) > 1 and "whole" in relations:
        for each in group:
            if each.relation == "whole":
                log.add("whole_divided", **where, row=each.row, value="whole", n=len(group))
    elif relations.count("remainder") > 1:
        for each in [each for each in group if each.relation == "remainder"][1:]:
            log.add("remainder_twice", **where, row=each.row, value="remainder")
    elif relations != ["whole"] and "remainder" not in relations:
        log.add("remainder_missing", **where, row=group[-1].row, value=group[-1].relation)
