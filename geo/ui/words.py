"""Figures and names as the reader's language writes them, safe to show."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from geo.publish.reasons import number_text
from geo.text import t

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:&\"'^=])")


def number_locale(lang: str) -> dict[str, Any]:
    """Return how the language writes numbers, as a chart wants to be told."""
    sample = number_text(1234.5, lang=lang, decimals=1)
    return {"decimal": sample[-2], "thousands": sample[1], "grouping": [3], "currency": ["", ""]}


def minutes_text(value: float | None, *, lang: str) -> str:
    """Return a travel time in minutes, with its unit; "not known" where it is missing."""
    return _with_unit(value, "min", lang=lang, decimals=1)


def area_text(value: float | None, *, lang: str) -> str:
    """Return a floor area in square metres; "not known" where it is missing."""
    return _with_unit(value, "m2", lang=lang, decimals=0)


def _with_unit(value: float | None, unit: str, *, lang: str, decimals: int) -> str:
    text = number_text(value, lang=lang, decimals=decimals)
    return text if pd.isna(value) else t(f"ui.amount.{unit}", lang=lang, value=text)


def plain(text: str) -> str:
    """Return `text` such that Markdown shows it as it stands: names come from users."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))
