"""Tables whose figures stand as the reader's language writes them, and still sort as numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from geo.publish.reasons import number_text

#: What stands for a figure that is not known.
MISSING = "–"
_NONE: Mapping[str, str] = MappingProxyType({})


def in_words(
    table: pd.DataFrame, decimals: Mapping[str, int], *, lang: str, suffix: Mapping[str, str] = _NONE
) -> Styler:
    """Return `table` with the figures of some columns written as `lang` does.

    Parameters
    ----------
    table : pandas.DataFrame
        Its values stay, so that the reader can still sort by them.
    decimals : mapping of str to int
        Places after the comma, by column.
    lang : str
    suffix : mapping of str to str
        What follows the figure, by column, such as `` %``.
    """
    written: dict[Any, str | Callable[[object], str] | None] = {
        name: partial(_written, decimals=places, suffix=suffix.get(name, ""), lang=lang)
        for name, places in decimals.items()
    }
    return table.style.format(written)


def _written(value: Any, *, decimals: int, suffix: str, lang: str) -> str:
    return MISSING if pd.isna(value) else number_text(value, lang=lang, decimals=decimals) + suffix
