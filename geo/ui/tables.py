"""Tables whose figures stand as the reader's language writes them, and still sort as numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from geo.publish.reasons import number_text, percent_text

#: What stands for a figure that is not known.
MISSING = "–"
#: The colour of a figure of 1; one of 0 stays white. Dark text can be read on all of them.
_SHADE = (158, 202, 225)


def in_words(
    table: pd.DataFrame,
    decimals: Mapping[str, int],
    *,
    lang: str,
    percent: Collection[str] = (),
    shaded: Collection[str] = (),
) -> Styler:
    """Return `table` with the figures of some columns written as `lang` does.

    Streamlit's own formats write a decimal point, or what the browser is set to, whatever the language of the page.

    Parameters
    ----------
    table : pandas.DataFrame
        Its values stay, so that the reader can still sort by them.
    decimals : mapping of str to int
        Places after the comma, by column.
    lang : str
    percent : collection of str
        Columns of percentages, to be written with their sign.
    shaded : collection of str
        Columns of figures between 0 and 1 that are darker the higher they are.
    """
    written: dict[Any, str | Callable[[object], str] | None] = {
        name: partial(_percent if name in percent else _number, decimals=places, lang=lang)
        for name, places in decimals.items()
    }
    return table.style.format(written).map(_shaded, subset=list(shaded))


def _number(value: Any, *, decimals: int, lang: str) -> str:
    return MISSING if pd.isna(value) else number_text(value, lang=lang, decimals=decimals)


def _percent(value: Any, *, decimals: int, lang: str) -> str:
    return MISSING if pd.isna(value) else percent_text(value / 100, lang=lang, decimals=decimals)


def _shaded(value: Any) -> str:
    if pd.isna(value):
        return ""
    share = min(max(value, 0.0), 1.0)
    return "background-color: #" + "".join(f"{round(255 - share * (255 - channel)):02x}" for channel in _SHADE)
