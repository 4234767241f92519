"""An explanation as sentences of a language, in words that an official can sign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from geo.params import CRITERIA
from geo.plan import Plan
from geo.publish.reasons import list_text, number_text, percent_text, reason_text
from geo.study.counterfactual import BuildingChange
from geo.study.explain import Explanation, OptionFigures, explain_units
from geo.text import t


def explanation_texts(plan: Plan, explained: Explanation, *, lang: str) -> list[str]:
    """Return the sentences: the reason, the choice, the runner-up, what would turn it, the second site, the budget.

    Parameters
    ----------
    plan : Plan
        The plan that was explained.
    explained : Explanation
        From :func:`geo.study.explain.explain_unit`.
    lang : {"vi", "en", "fr"}
    """
    return list(_Speaker(plan, explained, lang, plan.sites["name"].to_dict()).sentences())


def explanation_parts(plan: Plan, explained: Explanation, *, lang: str) -> dict[str, list[str]]:
    """Return the sentences by what they are about, in this order; a part of which there is nothing to say is left out.

    The parts are ``reason``, ``chosen``, ``runner_up``, ``turning`` (what would make another choice win),
    ``second_site``, ``budget`` and ``firmness``. Parameters are those of :func:`explanation_texts`.
    """
    speaker = _Speaker(plan, explained, lang, plan.sites["name"].to_dict())
    parts = ((name, list(sentences)) for name, sentences in speaker.parts())
    return {name: sentences for name, sentences in parts if sentences}


def explanations_table(plan: Plan, *, lang: str) -> pd.DataFrame:
    """Return the sentences of every unit: columns ``unit_id``, ``name``, ``number`` (from 1), ``text``.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
    """
    site_names = plan.sites["name"].to_dict()
    rows = [
        (explained.unit_id, name, number, text)
        for name, explained in zip(plan.units["name"], explain_units(plan), strict=True)
        for number, text in enumerate(_Speaker(plan, explained, lang, site_names).sentences(), start=1)
    ]
    return pd.DataFrame(rows, columns=["unit_id", "name", "number", "text"])


class _Speaker:
    def __init__(self, plan: Plan, explained: Explanation, lang: str, site_names: Mapping[Any, str]) -> None:
        self._plan, self._case, self._lang, self._names = plan, explained, lang, site_names

    def _say(self, key: str, **values: str) -> str:
        return t(f"choice.{key}", lang=self._lang, **values)

    def _number(self, value: float | None, decimals: int = 0) -> str:
        return number_text(value, lang=self._lang, decimals=decimals)

    def _signed(self, value: float, decimals: int = 0) -> str:
        if math.isnan(value):
            return self._number(None)
        return ("+" if value > 0 else "") + self._number(value, decimals)

    def _option(self, site_ids: Sequence[str]) -> str:
        """Return the buildings of an option, of two with the role of each."""
        names = [self._site(site_id) for site_id in site_ids]
        return names[0] if len(names) == 1 else self._say("explain.pair", first=names[0], second=names[1])

    def _site(self, site_id: str) -> str:
        return f"{self._names[site_id]} ({site_id})"

    def sentences(self) -> Iterator[str]:
        """Yield every sentence."""
        for _, sentences in self.parts():
            yield from sentences

    def parts(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the sentences of each part."""
        case = self._case
        unit = cast("pd.Series[Any]", self._plan.units.loc[case.unit_id])
        yield "reason", [reason_text(unit, lang=self._lang, max_sites=self._plan.params.choice.max_sites)]
        if case.chosen is None:
            yield "chosen", [self._say("explain.none")]
            return
        yield "chosen", [self._chosen(case.chosen)]
        yield "runner_up", self._runner_up(case.chosen)
        yield "turning", [*self._changes(case.chosen), *self._weights()]
        yield "second_site", self._second_site()
        yield "budget", self._standing()
        yield "firmness", self._firmness()

    def _firmness(self) -> Iterator[str]:
        if not math.isnan(self._case.win_share):
            share = percent_text(self._case.win_share, lang=self._lang)
            firmness = t(f"publish.firmness.{self._case.firmness}", lang=self._lang)
            yield self._say("explain.firmness", share=share, firmness=firmness)

    def _chosen(self, chosen: OptionFigures) -> str:
        first, *rest = (self._site(site_id) for site_id in chosen.site_ids)
        score = self._number(chosen.score, 3)
        if not rest:
            return self._say("explain.chosen_one", first=first, score=score)
        return self._say("explain.chosen_two", first=first, second=rest[0], score=score)

    def _runner_up(self, chosen: OptionFigures) -> Iterator[str]:
        other = self._case.runner_up
        if other is None:
            yield self._say("explain.no_runner_up")
            return
        sites, score = self._option(other.site_ids), self._number(other.score, 3)
        if other.score > chosen.score:
            yield self._say("explain.limited", sites=sites, score=score)
            return
        yield self._say("explain.runner_up", sites=sites, score=score, lag=self._number(chosen.score - other.score, 3))
        yield self._say("explain.ahead", chosen=self._ahead(chosen, other), runner_up=self._ahead(other, chosen))

    def _changes(self, chosen: OptionFigures) -> Iterator[str]:
        other = self._case.runner_up
        if other is None or other.score > chosen.score:
            return
        for change in self._case.building_changes:
            yield self._change(change)
        if not self._case.building_changes:
            yield self._say("explain.no_change")

    def _ahead(self, one: OptionFigures, other: OptionFigures) -> str:
        better = [name for name in CRITERIA if one.criteria[name] - other.criteria[name] > 5e-4]
        better += ["penalty"] * (other.penalty - one.penalty > 5e-4)
        return list_text([self._say(f"criterion.{name}") for name in better], lang=self._lang)

    def _change(self, change: BuildingChange) -> str:
        site = self._site(change.site_id)
        if isinstance(change.needed, str):
            now = self._number(None) if change.now is None else self._say(f"condition.{change.now}")
            needed = self._say(f"condition.{change.needed}")
            return self._say(f"change.{change.figure}", site=site, now=now, needed=needed)
        known = None if change.now is None else float(change.now)
        more = self._number(change.needed - (known or 0.0))
        values = {"site": site, "now": self._number(known), "needed": self._number(change.needed), "more": more}
        return self._say(f"change.{change.figure}", **values)

    def _weights(self) -> Iterator[str]:
        if not self._case.weight_ranges:
            return
        ends = [
            (kind, found.criterion, bound, taker, found.now)
            for found in self._case.weight_ranges
            for kind, bound, taker in (("below", found.low, found.below), ("above", found.high, found.above))
            if taker >= 0
        ]
        for kind, criterion, bound, taker, now in ends:
            swapped = self._case.chosen is not None and {*self._case.takers[taker]} == {*self._case.chosen.site_ids}
            yield self._say(
                f"explain.{'swap' if swapped else 'weight'}_{kind}",
                criterion=self._say(f"criterion.{criterion}"),
                bound=self._number(bound, 3),
                now=self._number(now, 2),
                sites=self._option(self._case.takers[taker]),
            )
        if not ends:
            yield self._say("explain.weights_never")

    def _second_site(self) -> Iterator[str]:
        one, two = self._case.one_site, self._case.two_sites
        if one is None or two is None:
            return
        values = {
            "score": self._signed(two.score - one.score, 3),
            "area": self._signed(two.usable_area_m2 - one.usable_area_m2),
            "minutes": self._signed(two.mean_time_min - one.mean_time_min, 1),
            "norm": self._signed(two.norm_met_pct - one.norm_met_pct),
            "between": self._number(two.minutes_between, 1),
        }
        if self._case.chosen is not None and len(self._case.chosen.site_ids) == 2:
            yield self._say("explain.second_buys", **values)
        else:
            yield self._say("explain.second_would_buy", sites=self._option(two.site_ids), **values)

    def _standing(self) -> Iterator[str]:
        place = self._case.standing
        if place is None:
            return
        values = {"rank": str(place.rank), "n": str(place.n_wanting), "granted": str(place.n_granted)}
        if self._case.chosen is not None and len(self._case.chosen.site_ids) == 2:
            yield self._say("explain.standing_granted", **values)
        else:
            gains = {
                "value": self._number(place.weighted_gain, 6),
                "marginal": self._number(place.marginal_gain, 6),
            }
            yield self._say("explain.standing_denied", **values, **gains)
