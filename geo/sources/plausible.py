"""Flag populations that lost zeros: compare each figure with the sum of its parts.

A unit is compared with the old communes that its clauses name, a district with its communes. Parts of a divided
commune are taken as equal, since a zero more or less shows all the same. A file that holds a second count is its own
witness, row by row. Census and estimate may be years apart, so
every ratio is taken relative to the median one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.sources.boundaries import Part
from geo.sources.columns import fold
from geo.sources.faultlog import FaultLog

#: A figure of a unit is off from this factor on. Measured on Hanoi, the census of 2019 against the official figures of
#: 2025: all ratios lie between 0.5 and 2.6 of the median, so nothing sound is flagged.
_OFF = 4.0
#: A figure is off beside another count in its row from this factor on: none of Hanoi's communes changed 5.7 times as
#: much as the rest in ten years.
_UNLIKE = 6.0
#: A commune is suspected if it is so much more thinly settled than the rest of its unit, ...
_THIN = 3.0
#: ... the unit lacks people, and with the zeros put back it would not.
_LACKING, _AGREEING = 0.95, (0.75, 1.3)
#: A district and its communes come from one count and agree to this share.
_SAME_COUNT = 0.02
#: The median tells the growth of a city from this many figures on.
_ENOUGH = 5
_FACTORS = (10, 100, 1000)
#: Folded headers of another count of the same people, such as ``population_2009``.
_OTHER_COUNT = re.compile(r"(population|danso|sodan)(nam|truoc|kytruoc|earlier)?(\d{4})?")


@dataclass(slots=True, kw_only=True)
class _Figures:
    """Populations by id, and where each stands."""

    people: dict[str, float] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, part: Part | None, column: str) -> None:
        """Take the figures of a file; they come before those taken already."""
        if part is None:
            return
        header = part.frame.attrs["headers"]["population"]
        for row, key, value in zip(part.raw.rows, part.frame[column], part.frame["population"], strict=True):
            if isinstance(key, str) and np.isfinite(value):
                self.people[key] = float(value)
                self.places[key] = {"file": part.raw.file, "row": row, "column": header, "value": f"{value:.10g}"}

    @property
    def files(self) -> str:
        return ", ".join(dict.fromkeys(place["file"] for place in self.places.values()))


def note_lost_zeros(
    communes: Part,
    by_commune: Part | None,
    units: Iterable[Part | None],
    districts: Part | None,
    clauses: Part | None,
    log: FaultLog,
) -> None:
    """Warn of populations about 10, 100 or 1000 times too small or too large for the sum of their parts."""
    parts = _Figures()
    parts.add(communes, "commune_id")
    parts.add(by_commune, "commune_id")
    if parts.people and not any(parts.people.values()):
        log.warn("population_none", file=parts.files)
    density = _density(communes, parts.people)
    suspected = _note_unlike_other_count(communes, log) | _note_unlike_other_count(by_commune, log)
    if districts is not None:
        wholes = _Figures()
        wholes.add(districts, "district_id")
        pairs = communes.frame[["commune_id", "district_id"]].dropna()
        shares = {key: dict.fromkeys(group["commune_id"], 1.0) for key, group in pairs.groupby("district_id")}
        suspected |= _compare(
            wholes, parts, shares, {}, log, agreeing=(1 - _SAME_COUNT, 1 + _SAME_COUNT), known=suspected
        )
    if clauses is not None:
        wholes = _Figures()
        for part in units:
            wholes.add(part, "unit_id")
        suspected |= _compare(wholes, parts, _shares(clauses), density, log, agreeing=_AGREEING, known=suspected)


def _note_unlike_other_count(part: Part | None, log: FaultLog) -> set[str]:
    """Warn of communes whose figure is far from another count in the same row; return them."""
    if part is None:
        return set()
    figures = _Figures()
    figures.add(part, "commune_id")
    suspected: set[str] = set()
    for header, cells in zip(part.raw.headers, part.raw.cells, strict=True):
        if header == part.frame.attrs["headers"]["population"] or not _OTHER_COUNT.fullmatch(fold(header or "")):
            continue
        other = dict(zip(part.frame["commune_id"], pd.to_numeric(pd.Series(cells), errors="coerce"), strict=True))
        ratios = {key: value / other[key] for key, value in figures.people.items() if value > 0 and other[key] > 0}
        growth = float(np.median(list(ratios.values()))) if len(ratios) >= _ENOUGH else 1.0
        for key, ratio in ratios.items():
            if key not in suspected and not 1 / _UNLIKE < ratio / growth < _UNLIKE:
                suspected.add(key)
                expected = f"{float(f'{other[key] * growth:.2g}'):.0f}"
                factor = max(10 ** round(abs(np.log10(ratio / growth))), 10)
                log.warn("population_unlike", **figures.places[key], factor=factor, expected=expected, other=header)
    return suspected


def _compare(
    wholes: _Figures,
    parts: _Figures,
    shares: Mapping[Any, Mapping[str, float]],
    density: Mapping[str, float],
    log: FaultLog,
    *,
    agreeing: tuple[float, float],
    known: Iterable[str] = (),
) -> set[str]:
    """Warn of wholes unlike their parts, then of parts that make a whole lack people; return the latter."""
    sums = _sums(wholes, parts, shares)
    ratios = {key: total / wholes.people[key] for key, total in sums.items()}
    growth = float(np.median(list(ratios.values()))) if len(ratios) >= _ENOUGH else 1.0
    if not 1 / _OFF < growth < _OFF:
        found, expected = (f"{sum(figures[key] for key in ratios):.0f}" for figures in (wholes.people, sums))
        log.warn("population_scale", file=wholes.files, found=found, expected=expected, other=parts.files)
    suspected: set[str] = set()
    for key, total in sorted(sums.items()):
        ratio = ratios[key] / growth
        if not 1 / _OFF < ratio < _OFF:
            _note_whole(wholes.places[key], ratio, total / growth, parts.files, log)
        elif ratio < (_LACKING if density else agreeing[0]):
            made = {part: ratio * share * parts.people[part] / total for part, share in shares[key].items()}
            for part, factor in _part_with_lost_zeros(made, density, agreeing):
                if part not in {*known, *suspected}:
                    suspected.add(part)
                    expected = f"{parts.people[part] * factor:.0f}"
                    log.warn("population_part", **parts.places[part], factor=factor, expected=expected, whole=key)
    return suspected


def _sums(wholes: _Figures, parts: _Figures, shares: Mapping[Any, Mapping[str, float]]) -> dict[str, float]:
    """Return what the parts make, for every whole with a figure whose parts all have one."""
    sums = {
        key: sum(share * parts.people[part] for part, share in members.items() if share)
        for key, members in shares.items()
        if wholes.people.get(key, 0) > 0 and all(part in parts.people for part in members)
    }
    return {key: total for key, total in sums.items() if total > 0}


def _note_whole(place: dict[str, Any], ratio: float, expected: float, other: str, log: FaultLog) -> None:
    factor = 10 ** round(abs(np.log10(ratio)))
    key = "population_too_small" if ratio > 1 else "population_too_large"
    log.warn(key, **place, factor=max(factor, 10), expected=f"{float(f'{expected:.2g}'):.0f}", other=other)


def _part_with_lost_zeros(
    made: Mapping[str, float], density: Mapping[str, float], agreeing: tuple[float, float]
) -> list[tuple[str, int]]:
    """Return the part, and the factor, with which the whole would agree; nothing where several would do.

    Parameters
    ----------
    made : mapping
        How much of the figure of the whole each part makes.
    """
    ratio = sum(made.values())
    found = [
        (part, factor)
        for part, share in made.items()
        for factor in _FACTORS
        if agreeing[0] <= ratio + (factor - 1) * share <= agreeing[1] and _is_thin(part, made, density)
    ]
    return found if len(found) == 1 else []


def _is_thin(part: str, parts: Iterable[str], density: Mapping[str, float]) -> bool:
    """Say whether a part is thinly settled beside the others; true where nothing is known of any density."""
    others = [density[other] for other in parts if other != part and other in density]
    if not density:
        return True
    return bool(others) and part in density and density[part] * _THIN < float(np.median(others))


def _density(communes: Part, population: Mapping[str, float]) -> dict[str, float]:
    """Return people per area of the communes, in any unit, since only ratios count."""
    if communes.layer is None:
        return {}
    areas = dict(zip(communes.frame["commune_id"], shapely.area(communes.layer.geometry), strict=True))
    return {key: population[key] / areas[key] for key in population if areas.get(key, 0) > 0}


def _shares(clauses: Part) -> dict[str, dict[str, float]]:
    """Return, for every unit, the share of each commune's people that goes to it."""
    frame = clauses.frame[["unit_id", "commune_id", "relation"]].dropna()
    takes_all = frame["relation"].isin(["whole", "part_area_whole_population"])
    settled = takes_all.groupby(frame["commune_id"]).transform("any")
    takes_some = frame["relation"].isin(["part", "remainder"]) & ~settled
    equal = takes_some / takes_some.groupby(frame["commune_id"]).transform("sum").clip(lower=1)
    shares: dict[str, dict[str, float]] = {}
    for unit, commune, share in zip(frame["unit_id"], frame["commune_id"], equal + takes_all, strict=True):
        shares.setdefault(unit, {})[commune] = float(share)
    return shares
