"""Read the clauses of a resolution from the prose officials have, and check that a table of clauses is complete.

Two forms are read, also mixed. The legal one says of every commune how it goes::

    2. Sắp xếp toàn bộ diện tích tự nhiên, quy mô dân số của các phường A, B, một phần diện tích tự nhiên, quy mô dân
    số của phường C và phần còn lại của phường D sau khi sắp xếp theo quy định tại khoản 1 Điều này thành phường mới có
    tên gọi là phường E.

The short one of public tables lists names after the unit's, and marks remainders only::

    Phường E: Phường A, Phường B, Phường C, Phường D (phần còn lại sau khi sáp nhập vào phường F)

What is ambiguous, unknown or left out becomes a :class:`~geo.errors.Fault`; nothing is guessed in silence.
"""

from __future__ import annotations

import difflib
import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo.errors import Fault
from geo.merge.prose import (
    KINDS,
    PARTS,
    Clause,
    Mention,
    Passage,
    district_key,
    is_telling,
    name_key,
    read_clauses,
    read_note,
    shorten,
)
from geo.schemas import Clauses, check

#: English words for kinds, as tables of the units carry them.
_ENGLISH = {"ward": "phường", "commune": "xã", "township": "thị trấn"}


def _kind_and_base(name: str, kind: object = None) -> tuple[str | None, str]:
    """Return the kind, None where unknown, and the name without it, both as keys."""
    key = name_key(name)
    for word in KINDS:
        if key.startswith(f"{word} "):
            return word, key[len(word) + 1 :]
    given = name_key(kind) if isinstance(kind, str) else ""
    return _ENGLISH.get(given, given if given in KINDS else None), key


@dataclass(frozen=True, slots=True)
class _Place:
    """A commune or unit of the lists."""

    id: str
    name: str
    kind: str | None
    district: str
    label: str


class _Places:
    """Communes or units, found by name in any spelling."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._by_base: dict[str, list[_Place]] = {}
        nothing = [None] * len(frame)
        kinds, districts = (frame.get(column, nothing) for column in ("kind", "district_name"))
        for id_, name, kind, district in zip(frame.index, frame["name"], kinds, districts, strict=True):
            kind_key, base = _kind_and_base(name, kind)
            label = f"{name} ({district}, {id_})" if isinstance(district, str) else f"{name} ({id_})"
            place = _Place(str(id_), str(name), kind_key, district_key(district), label)
            self._by_base.setdefault(base, []).append(place)
        self.districts = {place.district for places in self._by_base.values() for place in places} - {""}

    def named(self, name: str, *, kinds: frozenset[str] = KINDS, district: str = "") -> list[_Place]:
        """Return the places of that name, of one of `kinds` and in `district` where it is given."""
        return [
            place
            for place in self._by_base.get(name_key(name), ())
            if (place.kind is None or place.kind in kinds) and (not district or place.district == district)
        ]

    def is_known(self, base: str) -> bool:
        """Say whether a place bears the name whose key is `base`."""
        return base in self._by_base

    def near(self, name: str) -> list[_Place]:
        """Return the places that bear the name elsewhere or as another kind, else those with the nearest names."""
        bases = [name_key(name)]
        if bases[0] not in self._by_base:
            bases = difflib.get_close_matches(bases[0], list(self._by_base), n=3, cutoff=0.7)
        return [place for base in bases for place in self._by_base[base]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedClauses:
    """Outcome of :func:`parse_clauses`.

    Attributes
    ----------
    table : pandas.DataFrame
        Table :class:`~geo.schemas.Clauses`; ``area_share`` is missing everywhere. Communes and units that could not be
        settled are left out.
    lines : tuple of int
        Line of the text where the clause of every row of `table` begins.
    faults : tuple of Fault
        Errors: what was left out, and why, with the candidates. Warnings: what was read between the lines. ``row`` is
        the line of the text where the clause begins.
    """

    table: pd.DataFrame
    lines: tuple[int, ...]
    faults: tuple[Fault, ...]


def parse_clauses(text: str, *, communes: pd.DataFrame, units: pd.DataFrame | None = None) -> ParsedClauses:
    """Read the clauses of a resolution from prose.

    Parameters
    ----------
    text : str
        Vietnamese legal prose or the short form of public tables, numbered or not, in any Unicode form.
    communes : pandas.DataFrame
        Index commune_id; columns ``name`` and, where known, ``kind`` and ``district_name``.
    units : pandas.DataFrame, optional
        Index unit_id; columns ``name`` and, where known, ``kind``. Without it a unit's id is its clause's number.

    Returns
    -------
    ParsedClauses
        Rows in the order of the clauses and of the names in them. A commune named without a phrase of the law goes
        whole if nothing else names it, else it is a ``part``: the short form does not tell land without people.
    """
    faults: list[Fault] = []
    clauses, passages = read_clauses(text, faults)
    if not clauses:
        faults.append(Fault(key="clause_none"))
    gazetteer = _Places(communes)
    _note_left_out(passages, gazetteer, faults)
    for clause in clauses:
        for mentions in clause.lists:
            _settle(mentions, gazetteer, clause.line, faults)
    _infer_relations(clauses, faults)
    _number(clauses, faults)
    _name_units(clauses, None if units is None else _Places(units), faults)
    _check_references(clauses, faults)
    table, lines = _table(clauses)
    return ParsedClauses(table=table, lines=lines, faults=tuple(sorted(faults, key=lambda fault: fault.row or 0)))


def _note_left_out(passages: Sequence[Passage], places: _Places, faults: list[Fault]) -> None:
    """Refuse what stands outside the clauses and moves a commune; tell how much else was left out."""
    others: list[tuple[int, str]] = []
    for line, sentences in passages:
        telling = [sentence for sentence in sentences if is_telling(sentence, is_known=places.is_known)]
        faults += [Fault(key="clause_left_out", row=line, value=shorten(sentence)) for sentence in telling]
        if len(telling) < len(sentences):
            others.append((line, ". ".join(sentence for sentence in sentences if sentence not in telling)))
    if others:
        (line, first), n = others[0], len(others)
        values = {"n": str(n)}
        faults.append(Fault(key="clause_skipped", severity="warning", row=line, value=shorten(first), values=values))


def _settle(mentions: Sequence[Mention], places: _Places, line: int, faults: list[Fault]) -> None:
    """Find the commune of every mention of a list; the last of several homonyms may carry the district of all."""
    for mention in mentions:
        for note in mention.notes:
            told = read_note(mention, note, districts=places.districts)
            if told != "taken":
                key = "clause_note_contradicts" if told == "contradicts" else "clause_note_ignored"
                severity = "error" if told == "contradicts" else "warning"
                values = {"note": shorten(note)}
                faults.append(Fault(key=key, severity=severity, row=line, value=_spelt(mention), values=values))
    following = ""
    for mention in reversed(mentions):
        found = places.named(mention.name, kinds=mention.kinds, district=mention.district)
        carried = [place for place in found if following and place.district == following]
        if len(found) > 1 and len(carried) == 1:
            values = {"used": carried[0].label, "candidates": _labels(found)}
            faults.append(
                Fault(key="clause_district_taken", severity="warning", row=line, value=_spelt(mention), values=values)
            )
            found, mention.district = carried, following
        following = mention.district
        if len(found) == 1:
            mention.commune_id, mention.commune_name = found[0].id, found[0].name
            continue
        values = {"candidates": _labels(found or places.near(mention.name)) or "–"}
        key = "clause_commune_ambiguous" if found else "clause_commune_unknown"
        faults.append(Fault(key=key, row=line, value=_spelt(mention), values=values))


def _infer_relations(clauses: Sequence[Clause], faults: list[Fault]) -> None:
    """Give a relation to the communes named without a phrase: whole if named once, else part."""
    count = Counter(mention.commune_id for clause in clauses for mention in clause.mentions if mention.commune_id)
    n_parts = 0
    for mention in (mention for clause in clauses for mention in clause.mentions):
        if mention.commune_id and mention.relation is None:
            mention.relation = "whole" if count[mention.commune_id] == 1 else "part"
            n_parts += mention.relation == "part"
    if n_parts:
        faults.append(Fault(key="clause_parts_inferred", severity="warning", values={"n": str(n_parts)}))


def _number(clauses: list[Clause], faults: list[Fault]) -> None:
    """Sort by number; where there are none, number so that the remainders come last, else as the text goes."""
    numbers = Counter(clause.number for clause in clauses if clause.number is not None)
    for clause in clauses:
        if clause.number is None and numbers:
            faults.append(Fault(key="clause_unnumbered", row=clause.line, value=clause.unit))
        elif clause.number is not None and numbers[clause.number] > 1:
            faults.append(Fault(key="clause_number_twice", row=clause.line, value=str(clause.number)))
    if numbers:
        free = max(numbers)
        for clause in clauses:
            if clause.number is None:
                free += 1
                clause.number = free
    else:
        order = _order(clauses)
        if order != sorted(order):
            faults.append(Fault(key="clause_order_inferred", severity="warning"))
        for number, position in enumerate(order, start=1):
            clauses[position].number = number
    clauses.sort(key=lambda clause: clause.number or 0)


def _order(clauses: Sequence[Clause]) -> list[int]:
    """Return the positions of `clauses`, parts before their remainder, otherwise as they stand."""
    named: dict[str, list[tuple[int, str | None]]] = {}
    for position, clause in enumerate(clauses):
        for mention in clause.mentions:
            if mention.commune_id:
                named.setdefault(mention.commune_id, []).append((position, mention.relation))
    later: list[set[int]] = [set() for _ in clauses]
    for rows in named.values():
        last = {position for position, relation in rows if relation == "remainder"}
        for position in {position for position, relation in rows if relation != "remainder"} - last:
            later[position] |= last
    waits = Counter(position for positions in later for position in positions)
    ready = [position for position in range(len(clauses)) if not waits[position]]
    order: list[int] = []
    while ready:
        order.append(heapq.heappop(ready))
        for position in sorted(later[order[-1]]):
            waits[position] -= 1
            if not waits[position]:
                heapq.heappush(ready, position)
    return order if len(order) == len(clauses) else list(range(len(clauses)))


def _name_units(clauses: Sequence[Clause], units: _Places | None, faults: list[Fault]) -> None:
    """Find the unit of every clause that names one; without a list, its first clause gives it its id."""
    builders: dict[str, Clause] = {}
    for clause in (clause for clause in clauses if clause.unit):
        if units is None:
            first = builders.get(name_key(clause.unit), clause)
            clause.unit_id, clause.unit_name = str(first.number), first.unit
            _note_builder(clause, name_key(clause.unit), builders, faults)
            continue
        kind, base = _kind_and_base(clause.unit)
        found = units.named(base, kinds=frozenset([kind]) if kind else KINDS)
        if len(found) == 1:
            clause.unit_id, clause.unit_name = found[0].id, found[0].name
            _note_builder(clause, clause.unit_id, builders, faults)
        else:
            values = {"candidates": _labels(found or units.near(base)) or "–"}
            faults.append(Fault(key="clause_unit_unknown", row=clause.line, value=clause.unit, values=values))


def _note_builder(clause: Clause, unit: str, builders: dict[str, Clause], faults: list[Fault]) -> None:
    """Remember that `clause` builds `unit`, or note that another one does."""
    first = builders.setdefault(unit, clause)
    if first is not clause:
        values = {"other": str(first.number), "line": str(first.line)}
        faults.append(Fault(key="clause_unit_twice", row=clause.line, value=clause.unit, values=values))


def _check_references(clauses: Sequence[Clause], faults: list[Fault]) -> None:
    """Compare the earlier clauses that a remainder refers to with those that name the commune."""
    named: dict[str, dict[str, str]] = {}
    for clause, mention in _settled(clauses):
        named.setdefault(mention.commune_id, {})[str(clause.number)] = name_key(clause.unit)
    for clause, mention in _settled(clauses):
        if mention.after:
            others = {
                number: unit for number, unit in named[mention.commune_id].items() if number != str(clause.number)
            }
            by_number = all(each.isdecimal() for each in mention.after)
            found = set(others if by_number else others.values())
            # one reference serves a list, so each of its communes needs only some of the clauses it names
            if not found <= mention.after or (mention.after - found and not by_number):
                values = {"said": _listed(mention.after), "found": _listed(found)}
                faults.append(
                    Fault(key="clause_reference", severity="warning", row=clause.line, value=mention.commune_name,
                          values=values)
                )  # fmt: skip


def _settled(clauses: Sequence[Clause]) -> Iterator[tuple[Clause, Mention]]:
    """Return the mentions whose commune is known, with their clause."""
    return ((clause, mention) for clause in clauses for mention in clause.mentions if mention.commune_id)


def _listed(names: Collection[str]) -> str:
    """Return clause numbers or names in their order."""
    return ", ".join(sorted(names, key=lambda name: (int(name) if name.isdecimal() else 0, name))) or "–"


def _labels(places: Sequence[_Place]) -> str:
    return ", ".join(place.label for place in places)


def _spelt(mention: Mention) -> str:
    return f"{next(iter(mention.kinds))} {mention.name}" if len(mention.kinds) == 1 else mention.name


def _table(clauses: Sequence[Clause]) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Return the table of the clauses, and the line of the text of each of its rows."""
    settled = [(clause, mention) for clause, mention in _settled(clauses) if clause.unit_id]
    rows = [
        (clause.number, clause.unit_id, clause.unit_name, mention.commune_id, mention.commune_name, mention.relation)
        for clause, mention in settled
    ]
    columns = ["clause", "unit_id", "unit_name", "commune_id", "commune_name", "relation"]
    frame = pd.DataFrame(rows, columns=columns).astype({"clause": "int64", **dict.fromkeys(columns[1:], "str")})
    return check(Clauses, frame.assign(area_share=np.nan)), tuple(clause.line for clause, _ in settled)


# --- Is a table of clauses complete? ---------------------------------------------------------------------------------
def check_clauses(
    table: pd.DataFrame,
    *,
    communes: pd.DataFrame,
    units: pd.DataFrame | None = None,
    rows: Sequence[int] | None = None,
    source: str = "clauses",
) -> list[Fault]:
    """Return what keeps `table` from dividing every old commune, once, between the new units.

    Parameters
    ----------
    table : pandas.DataFrame
        Table :class:`~geo.schemas.Clauses`.
    communes, units : pandas.DataFrame
        Index commune_id and unit_id; ``name`` where known. Without `units` theirs are not checked.
    rows : sequence of int, optional
        Row of the file, or line of the text, of every row of `table`; else its place, counted with a header.
    source : str
        What the table or the text is called.

    Returns
    -------
    list of Fault
        Errors: every commune and every unit has a clause, and what :func:`find_contradictions` says. Those
        without a row come last.
    """
    rows = range(2, len(table) + 2) if rows is None else rows
    faults = [*_unlisted(table["commune_id"], communes.index, "communes", rows)]
    if units is not None:
        faults += _unlisted(table["unit_id"], units.index, "units", rows)
    faults += find_contradictions(table, rows=rows)
    faults.sort(key=lambda fault: fault.row or 0)
    faults += _unnamed(table, communes, "commune", source)
    faults += [] if units is None else _unnamed(table, units, "unit", source)
    return faults


def _unlisted(ids: pd.Series, listed: pd.Index, where: str, rows: Sequence[int]) -> Iterator[Fault]:
    for position in np.flatnonzero(~ids.isin(listed)):
        value = str(ids.iloc[position])
        yield Fault(
            key="id_unknown", row=rows[int(position)], column=str(ids.name), value=value, values={"where": where}
        )


def _unnamed(table: pd.DataFrame, places: pd.DataFrame, what: str, source: str) -> Iterator[Fault]:
    """Name the communes or units that no row of `table` names."""
    column = f"{what}_id"
    missing = places[~places.index.isin(table[column])].sort_index()
    names = missing.get("name", missing.index)
    for id_, label in zip(missing.index, map(name_and_id, names, missing.index), strict=True):
        yield Fault(key=f"{what}_without_clause", column=column, value=id_, values={"where": source, what: label})


class _Row(NamedTuple):
    """A row of the table of clauses."""

    row: int
    clause: int
    unit_id: str
    commune_id: str
    relation: str
    commune: str
    unit: str


def find_contradictions(table: pd.DataFrame, *, rows: Sequence[int]) -> list[Fault]:
    """Return where clauses contradict one another: the rules of a resolution, for its text as for a folder's table.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns clause, unit_id, commune_id and relation, nothing missing; commune_name and unit_name where known.
    rows : sequence of int
        Row of the file of every row of `table`.

    Returns
    -------
    list of Fault
        Errors in the order of `rows`: a commune goes whole, named once, or is divided, with exactly one remainder, in
        the last clause that names it; all its people go with one part at most; no unit names it twice. ``column``
        is one of `table`.
    """
    columns = [table[name] for name in ("clause", "unit_id", "commune_id", "relation")]
    labels = [
        map(name_and_id, table.get(f"{what}_name", table[f"{what}_id"]), table[f"{what}_id"])
        for what in ("commune", "unit")
    ]
    groups: dict[str, list[_Row]] = {}
    for values in zip(rows, *columns, *labels, strict=True):
        row = _Row(*values)
        groups.setdefault(row.commune_id, []).append(row)
    return sorted((fault for group in groups.values() for fault in _check_commune(group)), key=lambda f: f.row or 0)


def name_and_id(name: object, id_: str) -> str:
    """Return how a message calls a commune or unit: by its name, where it is known, and its id."""
    return f"{name} ({id_})" if isinstance(name, str) and name != id_ else id_


def _check_commune(group: list[_Row]) -> Iterator[Fault]:
    """Check the rows that name one commune."""
    units: set[str] = set()
    for row in group:
        if row.unit_id in units:
            values = {"commune": row.commune, "unit": row.unit}
            yield Fault(key="pair_twice", row=row.row, column="commune_id", value=row.commune_id, values=values)
        units.add(row.unit_id)
    if len(group) == 1:
        if group[0].relation != "whole":
            yield _fault_of("part_of_undivided", group[0], allowed=("whole",))
        return
    if len(units) == 1:  # the double is all that is wrong
        return
    for row in group:
        if row.relation == "whole":
            yield _fault_of("whole_divided", row, allowed=(*PARTS, "remainder"), n=len(group))
    yield from _check_remainder(group)
    yield from _check_people(group)


def _check_remainder(group: list[_Row]) -> Iterator[Fault]:
    remainders = [row for row in group if row.relation == "remainder"]
    last = max(row.clause for row in group)
    if not remainders and not any(row.relation == "whole" for row in group):
        latest = max(group, key=lambda row: row.clause)
        yield _fault_of("remainder_missing", latest, allowed=("remainder",))
    for row in remainders[1:]:
        yield _fault_of("remainder_twice", row, allowed=PARTS)
    for row in remainders[:1]:
        if row.clause < last:
            yield _fault_of("remainder_not_last", row, allowed=PARTS, clause=row.clause, last=last)


def _check_people(group: list[_Row]) -> Iterator[Fault]:
    takers = [row for row in group if row.relation == "part_area_whole_population"]
    others = [row for row in group if row.relation == "part"]
    for row in [*takers[1:], *(others if takers else [])]:
        yield _fault_of("people_twice", row, allowed=("part_area_only",))


def _fault_of(key: str, row: _Row, *, allowed: Sequence[str], **values: object) -> Fault:
    said = {
        "commune": row.commune,
        "allowed": ", ".join(allowed),
        **{name: f"{value}" for name, value in values.items()},
    }
    return Fault(key=key, row=row.row, column="relation", value=row.relation, values=said)
