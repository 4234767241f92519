"""Why no choice is possible: constraints that conflict, none of them idle, and the smallest change that mends it.

The conflict is irreducible: a deletion filter drops one constraint after the other and keeps it out wherever the rest
still conflict, so that giving up any one of those left would dissolve this conflict. A change is the least that is
enough on its own, everything else held: for a cap the least that any choice uses, for a minimum the most that every
unit can meet, for a pin or a prohibition giving it up. Where none is enough alone, the caps are raised together by
the least sum of shares (elastic model).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.choice.constraints import Cap, Limits, Rule
from geo.choice.milp import Columns, is_feasible, least_excess, least_use, undominated
from geo.choice.score import Options
from geo.errors import Fault, InfeasibleError

_MOST_UNITS = 20
_MOST_NAMED = 12
_T = TypeVar("_T")


class ConflictError(InfeasibleError):
    """No choice keeps all constraints.

    Attributes
    ----------
    faults : tuple of Fault
        ``conflict_unit`` for each unit whose own rules conflict, then ``conflict_units`` with what would mend all of
        them; else ``conflict_city``.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def no_choice(options: Options, scored: NDArray[np.bool_], limits: Limits) -> ConflictError:
    """Return the error that says why there is no choice.

    Parameters
    ----------
    options : Options
    scored : ndarray of bool, shape (n_options,)
        Which options have a score at all; the others cannot be chosen.
    limits : Limits
        No choice keeps them.
    """
    case = _Case(options, scored)
    alone = [unit for unit in case.units() if not case.left(limits.rules, unit).any()]
    if not alone:
        caps, rules = case.conflict(limits)
        changes = list(case.changes(limits, caps, rules)) or [case.joint_change(limits)]
        values = {"rules": _named(caps, rules), "changes": _listed(changes)}
        return ConflictError([Fault(key="conflict_city", values=values)])
    faults = [case.unit_fault(limits, unit) for unit in alone[:_MOST_UNITS]]
    if len(alone) > _MOST_UNITS:
        faults.append(Fault(key="and_more", values={"n": str(len(alone) - _MOST_UNITS)}))
    figures = [rule for rule in limits.rules if rule.level is not None]
    changes = list(case.changes(limits, [], figures)) if len(alone) > 1 else []
    if changes:
        faults.append(Fault(key="conflict_units", values={"n": str(len(alone)), "changes": _listed(changes)}))
    return ConflictError(faults)


@dataclass(frozen=True)
class _Case:
    """Options among which no choice is possible."""

    options: Options
    scored: NDArray[np.bool_]

    def units(self) -> list[int]:
        """Return the units that have an option with a score."""
        return np.unique(self.options.unit[self.scored]).tolist()

    def left(self, rules: Sequence[Rule], unit: int | None = None) -> NDArray[np.bool_]:
        """Return which options the rules leave, of one unit or of all."""
        left = self.scored.copy() if unit is None else self.scored & (self.options.unit == unit)
        for rule in rules:
            left[rule.rows] = False
        return left

    def columns(self, caps: Sequence[Cap], rules: Sequence[Rule]) -> Columns | None:
        """Return what is left to choose from, without what uses more for nothing; None if a unit has nothing left."""
        rows = np.flatnonzero(self.left(rules))
        unit = self.options.unit[rows]
        if len(np.unique(unit)) < len(self.units()):
            return None
        use = np.stack([cap.use[rows] for cap in caps]) if caps else np.zeros((1, len(rows)))
        limit = np.array([cap.limit for cap in caps], float) if caps else np.zeros(1)
        kept = undominated(unit, np.zeros(len(rows)), use)
        number = np.unique(unit[kept], return_inverse=True)[1]
        zeros = np.zeros(len(kept))
        return Columns(unit=number, value=zeros, rank=zeros.astype(np.int64), use=use[:, kept], limit=limit)

    def possible(self, caps: Sequence[Cap], rules: Sequence[Rule]) -> bool:
        """Whether a choice keeps these."""
        columns = self.columns(caps, rules)
        return columns is not None and is_feasible(columns)

    def conflict(self, limits: Limits) -> tuple[list[Cap], list[Rule]]:
        """Return caps and rules that conflict, none of which could be left out."""
        rules = list(limits.rules)
        for key in dict.fromkeys(rule.key for rule in rules):
            fewer = [rule for rule in rules if rule.key != key]
            rules = rules if self.possible(limits.caps, fewer) else fewer
        rules = _irreducible(rules, lambda some: not self.possible(limits.caps, some))
        caps = _irreducible(list(limits.caps), lambda some: not self.possible(some, rules))
        rules = _irreducible(rules, lambda some: not self.possible(caps, some))
        return caps, rules

    def unit_fault(self, limits: Limits, unit: int) -> Fault:
        """Return what conflicts within one unit, whatever the rest of the city does."""
        of_unit = self.options.unit == unit
        rules = [rule for rule in limits.rules if of_unit[rule.rows].any()]
        rules = _irreducible(rules, lambda some: not self.left(some, unit).any())
        changes = []
        for rule in rules:
            others = [other for other in limits.rules if other is not rule]
            left = self.left(others, unit)
            if rule.level is not None and not np.isnan(rule.level[left]).all():
                changes.append(_assignment(rule.key, _nearest(rule, rule.level[left])))
            elif rule.level is None and left.any():
                changes.append(f"− {_rule_name(rule)}")
        values = {
            "unit": str(self.options.unit_ids[unit]),
            "rules": _named([], rules),
            "changes": _listed(changes),
        }
        return Fault(key="conflict_unit", values=values)

    def changes(self, limits: Limits, caps: Sequence[Cap], rules: Sequence[Rule]) -> Iterator[str]:
        """Yield the changes each of which is enough on its own."""
        for cap in caps:
            columns = self.columns(limits.caps, limits.rules)
            need = None if columns is None else least_use(columns, limits.caps.index(cap))
            if need is not None:
                yield _assignment(cap.key, need)
        for rule in rules:
            others = [other for other in limits.rules if other is not rule]
            if rule.level is None:
                if self.possible(limits.caps, others):
                    yield f"− {_rule_name(rule)}"
            else:
                level = self._level_that_fits(limits.caps, others, rule)
                if level is not None:
                    yield _assignment(rule.key, level)

    def joint_change(self, limits: Limits) -> str:
        """Return the caps to raise together where none is enough alone: the least sum of shares."""
        columns = self.columns(limits.caps, limits.rules)
        uses = None if columns is None else least_excess(columns)
        if uses is None:
            return "–"
        over = [(cap, use) for cap, use in zip(limits.caps, uses, strict=True) if use > cap.limit * (1 + 1e-9)]
        return " & ".join(_assignment(cap.key, float(use)) for cap, use in over)

    def _level_that_fits(self, caps: Sequence[Cap], others: list[Rule], rule: Rule) -> float | None:
        """Return the strictest figure that leaves a choice, by bisection over the figures that occur."""
        sign = 1.0 if _is_ceiling(rule) else -1.0
        reached = sign * np.asarray(rule.level, float)
        levels = np.unique(reached[np.isfinite(reached)])

        def fits(place: int) -> bool:
            loosened = replace(rule, rows=np.flatnonzero(~(reached <= levels[place])))
            return self.possible(caps, [*others, loosened])

        if not len(levels) or not fits(len(levels) - 1):
            return None
        low, high = -1, len(levels) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle) else (middle, high)
        return float(sign * levels[high])


def _irreducible(items: list[_T], conflicts: Callable[[list[_T]], bool]) -> list[_T]:
    """Return a part of `items` that conflicts and of which no item could be left out (deletion filter)."""
    kept = list(items)
    for item in items:
        fewer = [other for other in kept if other is not item]
        if conflicts(fewer):
            kept = fewer
    return kept


def _is_ceiling(rule: Rule) -> bool:
    return rule.key.startswith("max_")


def _nearest(rule: Rule, levels: NDArray[np.float64]) -> float:
    """Return the figure nearest to the one asked for that one of `levels` meets."""
    return float(np.nanmin(levels) if _is_ceiling(rule) else np.nanmax(levels))


def _named(caps: Sequence[Cap], rules: Sequence[Rule]) -> str:
    names = [_assignment(cap.key, cap.limit) for cap in caps] + [_rule_name(rule) for rule in rules]
    more = len(names) - _MOST_NAMED
    return _listed([*names[:_MOST_NAMED], *([f"… (+{more})"] if more > 0 else [])])


def _rule_name(rule: Rule) -> str:
    return f"constraints.{rule.key} = {rule.subject}"


def _assignment(key: str, value: float) -> str:
    group = "choice" if key == "max_sites" else "constraints"
    # A figure is rounded to the loose side, so that setting it as told is enough.
    step = 10.0 ** -(0 if float(value).is_integer() else 4)
    loose = np.ceil(value / step - 1e-6) if key.startswith("max_") else np.floor(value / step + 1e-6)
    return f"{group}.{key} = {loose * step:.10g}"


def _listed(words: Sequence[str] | Iterator[str]) -> str:
    return "; ".join(words) or "–"
