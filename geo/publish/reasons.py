"""Codes and figures of a plan as sentences and numbers of a language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
from babel.numbers import format_decimal, format_percent

from geo.plan import Plan
from geo.schemas import MODELLED
from geo.sources.elsewhere import is_hanoi
from geo.text import t

_LOCALES = {"vi": "vi_VN", "en": "en_GB", "fr": "fr_FR"}
_NBSP = "\N{NO-BREAK SPACE}"
#: Codes of where a position or a figure comes from.
_SOURCES = (MODELLED, "osm_bus_stop", "osm_poi")
#: What is nearer to 1 is all: the error of a sum, far below one person of a city.
_WHOLE = 1e-9


def number_text(value: float | None, *, lang: str, decimals: int = 0) -> str:
    """Return `value` as the language writes numbers; "not known" where it is missing."""
    if value is None or pd.isna(value):
        return t("publish.unknown", lang=lang)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    return _formatted(round(float(value), decimals) + 0.0, pattern, lang)


@lru_cache(maxsize=8192)  # a plan writes the same few thousand figures into every file
def _formatted(value: float, pattern: str, lang: str) -> str:
    return str(format_decimal(value, format=pattern, locale=_LOCALES[lang]))


def percent_text(value_0_1: float | None, *, lang: str, decimals: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage of the language; "not known" where it is missing.

    A share below 1 never reads as 100 %: "> 99 %" or, with a decimal, "> 99.9 %".
    """
    if value_0_1 is None or pd.isna(value_0_1):
        return t("publish.unknown", lang=lang)
    value = float(value_0_1)
    text = _formatted_percent(value, decimals, lang)
    if value < 1 - _WHOLE and text == _formatted_percent(1.0, decimals, lang):
        nearly = _formatted_percent(1 - 10.0 ** -(decimals + 2), decimals, lang)
        return f">{'' if lang == 'en' else _NBSP}{nearly}"
    return text


@lru_cache(maxsize=8192)
def _formatted_percent(value_0_1: float, decimals: int, lang: str) -> str:
    places = "." + "0" * decimals if decimals else ""
    pattern = f"#,##0{places}%" if lang == "en" else f"#,##0{places}{_NBSP}%"
    return str(format_percent(value_0_1, format=pattern, locale=_LOCALES[lang]))


def count_meeting_norm(units: pd.DataFrame) -> int:
    """Return in how many of ``Plan.units`` the area of the chosen sites is known to reach the space norm."""
    return int((units["norm_met_pct"] >= 100).sum())


def source_text(source: str | None, *, lang: str) -> str:
    """Return the words for a code such as "osm_bus_stop (60 m)"; any other source as it stands."""
    if source is None or pd.isna(source):
        return ""
    code, _, error = str(source).partition(" ")
    if code not in _SOURCES:
        return str(source)
    return f"{t(f'publish.source.{code}', lang=lang)} {error}".rstrip()


def list_text(words: Sequence[str], *, lang: str) -> str:
    """Return "a, b and c"; "none" for no words."""
    if not words:
        return t("publish.nothing", lang=lang)
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {t('publish.and', lang=lang)} {words[-1]}"


def modelled_text(plan: Plan, *, lang: str, short: bool = False) -> str:
    """Return what of a plan is made by a model or rests on an assumption; empty where nothing does.

    Where the units have official outlines and other data are modelled, it says both; a network profile comes last.
    """
    sentences = [profile_text(plan, lang=lang, short=short)]
    if plan.city.modelled:
        parts = list_text([t(f"publish.part.{part}", lang=lang) for part in plan.city.modelled], lang=lang)
        sentences.insert(0, t("publish.modelled_short" if short else "publish.modelled", lang=lang, parts=parts))
        if "communes" in plan.city.modelled:
            sentences.insert(0, t("publish.official_outlines", lang=lang))
    return " ".join(filter(None, sentences))


def coverage_text(plan: Plan, *, lang: str) -> str:
    """Return for whom the figures of the city do not speak: units without roads or without a site; empty for none."""
    units, sentences = plan.units, []
    roadless = units.index.isin(plan.totals["units_without_network"])
    if roadless.any():
        covered = units["population"].where(~roadless).sum() / units["population"].sum()
        values = {"covered": number_text((~roadless).sum(), lang=lang), "units": number_text(len(units), lang=lang)}
        values["people"] = percent_text(covered, lang=lang)
        sentences.append(t("publish.coverage.roads", lang=lang, **values))
    if without := int((units["n_sites"] == 0).sum()):
        values = {"without": number_text(without, lang=lang), "units": number_text(len(units), lang=lang)}
        sentences.append(t("publish.coverage.sites", lang=lang, **values))
    return " ".join(sentences)


def profile_text(plan: Plan, *, lang: str, short: bool = False) -> str:
    """Return under which network profile a plan is made, and whether that is an assumption; empty where under none."""
    profile = plan.params.access.scenario
    if profile is None:
        return ""
    sentences = [t("publish.profile", lang=lang, title=profile.words(lang))]
    if not short:
        sentences += [profile.about.get(lang, "")]
        sentences += [t("scenario.source", lang=lang, source=profile.source)] if profile.source else []
        sentences += [t("scenario.day", lang=lang, day=profile.on.isoformat())] if profile.on else []
    sentences += [t("publish.profile_assumed", lang=lang)] if profile.assumption else []
    return " ".join(text if text.endswith(".") else f"{text}." for text in sentences if text)


def attribution_texts(plan: Plan, *, lang: str) -> list[str]:
    """Return whom the data are owed to and which rules the plan follows, a sentence each."""
    resolution = [t("publish.attribution.units", lang=lang)] if is_hanoi(plan.units) else []
    norms = t("publish.attribution.norms", lang=lang, decree=plan.params.norms.decree)
    return [t("publish.attribution.osm", lang=lang), *resolution, norms]


def reason_text(unit: pd.Series[Any], *, lang: str, max_sites: int | None = None) -> str:
    """Return why a unit gets one site or two, in a few sentences.

    Parameters
    ----------
    unit : pandas.Series
        A row of ``Plan.units``.
    lang : {"vi", "en", "fr"}
    max_sites : int, optional
        The city's budget, ``params.choice.max_sites``.

    Returns
    -------
    str
        The reason of the choice, then how far the norm is met, then travel times or why there are none.

    Raises
    ------
    KeyError
        The reason is a code that no message stands for.
    """
    sentences = [
        t(
            f"publish.reason.{unit['reason']}",
            lang=lang,
            gain=number_text(unit["second_site_gain"], lang=lang, decimals=3),
            two_score=number_text(unit["two_site_score"], lang=lang, decimals=3),
            max_sites=number_text(max_sites, lang=lang),
        )
    ]
    if pd.notna(unit["norm_met_pct"]):
        figures = {"norm": "norm_met_pct", "norm_1": "norm_met_pct_1", "norm_2": "norm_met_pct_2"}
        shares = {name: percent_text(unit[column] / 100, lang=lang) for name, column in figures.items()}
        sentences.append(
            t("publish.reason.norm_pair" if unit["n_sites"] == 2 else "publish.reason.norm", lang=lang, **shares)
        )
    if unit["n_sites"]:
        sentences += _travel_sentences(unit, lang=lang)
    return " ".join(sentences)


def _travel_sentences(unit: pd.Series[Any], *, lang: str) -> list[str]:
    if pd.isna(unit["mean_time_min"]):
        code = unit["access_reason"]
        return [t(f"publish.access_reason.{code}", lang=lang)] if code else []
    sentences = [
        t(
            "publish.reason.travel",
            lang=lang,
            mean=number_text(unit["mean_time_min"], lang=lang, decimals=1),
            share=percent_text(unit["share_within_30min"], lang=lang),
        )
    ]
    if unit["unreachable_population"] >= 0.5:
        people = number_text(unit["unreachable_population"], lang=lang)
        sentences.append(t("publish.reason.unreachable", lang=lang, people=people))
    return sentences
