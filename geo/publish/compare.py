"""What two plans differ in, in words and as tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from geo.profile import Scenario
from geo.publish.reasons import number_text, percent_text
from geo.publish.tables import write_csv
from geo.study.compare import Comparison
from geo.text import t

#: Decimals of the columns of the table of units, by how their names end or begin; the rest are texts.
_DECIMALS = {
    "population": 0, "moved_m": 0, "added_min": 2, "worst_added_min": 2, "mean_time_min": 2, "share_within_30min": 4,
    "norm_met_pct": 1,
}  # fmt: skip
_WORTH_TELLING_MIN = 0.05
#: Decimals of the totals that are no counts.
_DECIMALS_OF_TOTALS = {"mean_time_min": 2, "norm_met_pct": 1, "objective": 4}


def write_comparison(found: Comparison, path: Path, *, lang: str) -> None:
    """Write the units to `path` and the parameters that differ beside it, as ``<stem>_params.csv``.

    Raises
    ------
    InputError
        A file cannot be written (key ``output_not_writable``).
    """
    write_csv(compared_units(found), path)
    write_csv(params_table(found, lang=lang), path.with_name(f"{path.stem}_params.csv"))


def compared_units(found: Comparison) -> pd.DataFrame:
    """Return every unit, before and after: ``unit_id`` and the columns of ``found.units``, rounded."""
    units = found.units.rename_axis("unit_id").reset_index()
    for name in units.columns:
        decimals = _decimals(str(name))
        if decimals is not None:
            rounded = units[name].astype(float).round(decimals) + 0.0  # no minus zero
            units[name] = rounded if decimals else rounded.astype("Int64")
    return units


def _decimals(name: str) -> int | None:
    stem = name.removesuffix("_before").removesuffix("_after")
    return 0 if stem.endswith("population") else _DECIMALS.get(stem)


def params_table(found: Comparison, *, lang: str) -> pd.DataFrame:
    """Return the parameters that differ as texts: columns ``name``, ``before``, ``after``, as a file writes them."""
    table = found.params.map(lambda value: _value_text(value, lang)) if len(found.params) else found.params
    return table.rename_axis("name").reset_index()


def _value_text(value: Any, lang: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Scenario):
        return value.words(lang)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Mapping):
        return str(value.get("name", ""))
    if isinstance(value, (tuple, list)):
        pairs = all(isinstance(item, (tuple, list)) for item in value)
        return ", ".join(" + ".join(map(str, item)) if pairs else _value_text(item, lang) for item in value)
    return str(value)


def totals_texts(found: Comparison, *, lang: str) -> list[tuple[str, str, str]]:
    """Return the figures of both plans: what, before, after."""

    def told(name: str, value: float) -> str:
        if name.startswith("share"):
            return percent_text(value, lang=lang, decimals=1)
        return number_text(value, lang=lang, decimals=_DECIMALS_OF_TOTALS.get(name, 0))

    return [
        (t(f"choice.compare.{name}", lang=lang), told(str(name), row["before"]), told(str(name), row["after"]))
        for name, row in found.totals.iterrows()
    ]


def comparison_texts(found: Comparison, *, lang: str) -> list[str]:
    """Return what changes, in sentences: where, for how many people, and how many minutes they lose or gain."""
    agreement, units = found.agreement, len(found.units)
    changes = found.units["change"].value_counts()

    def number(value: float | None, decimals: int = 0) -> str:
        return number_text(value, lang=lang, decimals=decimals)

    def say(key: str, **values: Any) -> str:
        return t(f"compare.{key}", lang=lang, **values)

    counts = {name: int(changes.get(name, 0)) for name in ("number", "buildings", "roles")}
    texts = [say("changed", n=sum(counts.values()), all=units, **counts)]
    texts.append(
        say("elsewhere", people=number(agreement["people_elsewhere"]), moved=number(agreement["mean_moved_m"]))
    )
    if not found.paired:
        return [*texts, say("not_paired")]
    added = agreement["added_min"]
    if added is not None:
        texts.append(say("longer" if round(added, 2) >= 0 else "shorter", minutes=number(abs(added), 2)))
    slower, faster = (number(agreement[f"{name}_population"]) for name in ("slower", "faster"))
    texts.append(say("people", slower=slower, faster=faster))
    for key, sign in (("most_lost", 1), ("most_gained", -1)):
        ranked = (sign * found.units["added_min"]).dropna()
        if len(ranked) and ranked.max() >= _WORTH_TELLING_MIN:
            unit = found.units.loc[ranked.index].iloc[int(ranked.argmax())]
            texts.append(say(key, unit=unit["name"], minutes=number(abs(unit["added_min"]), 1)))
    if agreement["lost_population"] or agreement["regained_population"]:
        lost, regained = (number(agreement[f"{name}_population"]) for name in ("lost", "regained"))
        texts.append(say("lost", lost=lost, regained=regained))
    return texts
