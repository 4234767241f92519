"""The table of the space norms as officials fill it in, and the figures behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geo.params import Norms
from geo.plan import Plan
from geo.text import t

_NAN = float("nan")
#: An estimate below this many times the base is hardly more than the posts that any unit has.
_LITTLE = 1.25


class NormRow(NamedTuple):
    """A line of the table; `comparison` is a share (1: the norm is met), NaN stands for what is not known."""

    number: str
    item: str
    existing_m2: float
    people: float
    norm_m2: float
    comparison: float
    note: str


def norm_rows(plan: Plan, *, lang: str) -> list[NormRow]:
    """Return the table of the space norms: each unit, each of its buildings for its own role, then the whole city.

    People and areas of the buildings add up to those of their unit, and these to those of the city. Where a building's
    area is not known, the sums hold those that are.
    """
    rows: list[NormRow] = []
    totals = []
    columns = ["name", "site_id_1", "site_id_2", "staff", "need_m2"]
    units = plan.units[columns].to_dict(orient="index")
    for number, (unit_id, unit) in enumerate(units.items(), start=1):
        site_ids = list(filter(None, (unit["site_id_1"], unit["site_id_2"])))
        parts = [
            _site_row(plan, site_id, f"{number}.{part}", lang=lang) for part, site_id in enumerate(site_ids, start=1)
        ]
        item = t("publish.norm.unit_total", lang=lang, name=unit["name"], unit_id=unit_id)
        existing = _known_sum([part.existing_m2 for part in parts])
        people, norm_m2 = float(unit["staff"]), float(unit["need_m2"])
        total = _row(str(number), item, existing, people, norm_m2, _staff_note(plan, number - 1, lang=lang))
        totals.append(total)
        rows += [total, *parts]
    figures = [(row.existing_m2, row.people, row.norm_m2) for row in totals]
    existing, people, norm_m2 = (_known_sum([row[place] for row in figures]) for place in range(3))
    return [*rows, _row("", t("publish.norm.city_total", lang=lang), existing, people, norm_m2, "")]


def _site_row(plan: Plan, site_id: str, number: str, *, lang: str) -> NormRow:
    site: dict[Any, Any] = plan.sites.loc[site_id].to_dict()
    role = t(f"publish.role.{site['role']}", lang=lang)
    name = f"{site['name']} ({site_id})"
    return _row(number, name, site["usable_area_m2"], site["role_staff"], site["role_need_m2"], role)


def _row(number: str, item: str, existing_m2: float, people: float, norm_m2: float, note: str) -> NormRow:
    comparison = existing_m2 / norm_m2 if norm_m2 > 0 else _NAN
    return NormRow(number, item, existing_m2, people, norm_m2, comparison, note)


def _known_sum(figures: list[float]) -> float:
    return float(np.nansum(figures)) if np.isfinite(figures).any() else _NAN


def _staff_note(plan: Plan, place: int, *, lang: str) -> str:
    if plan.city.units["staff"].notna().to_numpy()[place]:
        return ""
    little = plan.units["staff"].to_numpy(float)[place] < _LITTLE * plan.params.norms.base_staff
    return t(f"publish.norm.{'little' if little else 'estimated'}_staff", lang=lang)


def figure_rows(plan: Plan, *, lang: str) -> list[tuple[str, Any, str, str]]:
    """Return every figure that the norms are computed with: parameter, value, what it is, how sure it is.

    A figure that differs from the default is the user's, and said to be so; the staff to house, which follows from
    three of them, stands last.
    """
    norms = plan.params.norms
    default = Norms(decree=norms.decree)
    rows: list[tuple[str, Any, str, str]] = []
    for name in Norms.model_fields:
        value = getattr(norms, name)
        sure = "source" if Norms.is_verified(name, norms.decree) else "unverified"
        state = sure if value == getattr(default, name) else "set"
        words = t(f"publish.figure.{name}", lang=lang), t(f"publish.sureness.{state}", lang=lang)
        rows.append((f"norms.{name}", value, *words))
    computed = t("publish.sureness.computed", lang=lang)
    return [*rows, ("", norms.staff_to_house, t("publish.figure.staff_to_house", lang=lang), computed)]
