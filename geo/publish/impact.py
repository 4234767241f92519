"""What a scenario does to a plan, in words and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from geo.errors import Fault, InputError
from geo.publish.reasons import number_text, percent_text
from geo.publish.tables import write_csv
from geo.study.impact import LOST_REASONS, Impact
from geo.text import t

#: Decimals of the columns of ``scenario_units.csv``, by how their names begin; persons are whole.
_DECIMALS = {"share": 4, "added": 2, "worst": 2, "mean": 2, "p95": 2}
_WORTH_TELLING_MIN = 0.05


def write_impact(impact: Impact, folder: Path, *, anew: pd.DataFrame | None = None) -> None:
    """Write ``scenario_units.csv`` (:class:`~geo.study.impact.Impact`) and ``scenario.toml`` with every place resolved.

    `anew`, from :func:`geo.study.impact.anew_table`, adds its columns to the former.

    Raises
    ------
    InputError
        A file cannot be written (key ``output_not_writable``).
    """
    write_csv(impact_table(impact, anew=anew), folder / "scenario_units.csv")
    path = folder / "scenario.toml"
    aside = path.with_name(f".{path.name}.tmp")
    try:
        aside.write_text(impact.scenario.to_toml(), encoding="utf-8", newline="\n")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault(key="output_not_writable", value=str(path), values=detail)) from error


def impact_table(impact: Impact, *, anew: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows of ``scenario_units.csv``: ``impact.units`` and `anew`, rounded, in the order of the plan."""
    units = (impact.units if anew is None else impact.units.join(anew)).rename_axis("unit_id").reset_index()
    for name in units.select_dtypes("number"):
        decimals = _DECIMALS.get(str(name).split("_")[0])
        rounded = units[name].round(decimals or 0) + 0.0  # no minus zero
        units[name] = rounded if decimals else rounded.astype("Int64")
    return units


def impact_texts(impact: Impact, *, lang: str) -> list[str]:
    """Return what a scenario comes to, in sentences: minutes, people, who is cut off and why, what rests on a guess."""
    totals, units = impact.totals, impact.units

    def people(name: str) -> str:
        return number_text(totals[f"{name}_population"], lang=lang)

    def minutes(value: float | None) -> str:
        return number_text(value, lang=lang, decimals=1)

    def share(name: str) -> str:
        return percent_text(totals[f"share_within_30min_{name}"], lang=lang, decimals=1)

    added = number_text(totals["added_min"], lang=lang, decimals=2)
    changed = t("scenario.added", lang=lang, added=added, units=totals["units_changed"], all=len(units))
    within = t("scenario.within", lang=lang, before=share("before"), after=share("after"))
    texts = [changed, within, t("scenario.people", lang=lang, slower=people("slower"), faster=people("faster"))]
    if units["added_min"].max() >= _WORTH_TELLING_MIN:
        worst = units.iloc[int(units["added_min"].argmax())]
        texts.append(t("scenario.worst", lang=lang, unit=worst["name"], added=minutes(worst["added_min"])))
    if totals["lost_population"] > 0:
        texts.append(t("scenario.lost", lang=lang, people=people("lost"), units=totals["units_with_lost"]))
        by_reason = {reason: totals[f"lost_{reason}_population"] for reason in LOST_REASONS}
        texts += [
            t(f"scenario.reason.{reason}", lang=lang, people=number_text(number, lang=lang))
            for reason, number in by_reason.items()
            if number > 0
        ]
    texts += [t("scenario.idle", lang=lang, name=name) for name in impact.idle]
    if impact.profile is not None:
        texts.append(t("scenario.over", lang=lang, profile=impact.profile.words(lang)))
    if impact.scenario.assumption or (impact.profile is not None and impact.profile.assumption):
        texts.append(t("scenario.assumption", lang=lang))
    return texts


def anew_text(impact: Impact, units: pd.DataFrame, totals: dict[str, Any], *, lang: str) -> str:
    """Return what choosing anew would change.

    Parameters
    ----------
    impact : Impact
    units : pandas.DataFrame
        From :func:`geo.study.impact.anew_table`.
    totals : dict
        ``Plan.totals`` of the plan chosen anew.
    lang : {"vi", "en", "fr"}
    """
    before, after = impact.totals["share_within_30min_after"], totals["share_within_30min"]
    return t(
        "scenario.anew",
        lang=lang,
        n=int(units["other_sites"].sum()),
        all=len(units),
        same=percent_text(before, lang=lang, decimals=1),
        share=percent_text(after, lang=lang, decimals=1),
        before=number_text(impact.totals["mean_time_min_after"], lang=lang, decimals=2),
        after=number_text(totals["mean_time_min"], lang=lang, decimals=2),
    )
