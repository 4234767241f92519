"""Tell a point that separates thousands from a decimal one: 1.250 is a quarter more than 1 here, and 1250 there.

A grouped number begins with one to three digits, no zero first, and has three after its point; a workbook that took
it for a decimal one has dropped zeros at its end. One number that cannot come from that shows that points are decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from statistics import median
from typing import Literal

Meaning = Literal["decimals", "thousands", "open"]

_POINTED = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{1,3}")
_MILLIONS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")
_WHOLE = re.compile(r"[+-]?\d{1,40}")
#: Of numbers that lost the zeros at their end, nine in ten keep three digits.
_MOST = 0.5


def point_meaning(texts: Iterable[str | None], *, grouped_below: float | None) -> Meaning:
    """Say what the points in a column of numbers mean.

    Parameters
    ----------
    texts : iterable of str or None
        The cells, with points; those that are no numbers do not count.
    grouped_below : float or None
        As in :class:`~geo.sources.columns.Column`.

    Returns
    -------
    {"decimals", "thousands", "open"}
        Open where nothing tells: all look grouped, and 1.250 and 1250 are equally likely.
    """
    cells = [text for text in texts if text]
    pointed = [text for text in cells if _POINTED.fullmatch(text)]
    if grouped_below is None:
        return "decimals"
    if any(_MILLIONS.fullmatch(text) for text in cells):
        return "thousands"
    if not _look_grouped(pointed):
        return "decimals"
    typical = median(abs(float(text)) for text in pointed)
    if typical < grouped_below:
        return "thousands"
    whole = [abs(float(text)) for text in cells if _WHOLE.fullmatch(text) and float(text)]
    if not whole:
        return "decimals" if grouped_below else "open"
    # Read as thousands, whole numbers are smaller than those with a point; the likelier reading brings them together.
    return "thousands" if max(whole) < 1000 and median(whole) ** 2 > 1000 * typical**2 else "decimals"


def _look_grouped(pointed: list[str]) -> bool:
    """Say whether all `pointed` may be grouped numbers, most of them with all their digits."""
    n_full = sum(len(text.partition(".")[2]) == 3 for text in pointed)
    return n_full > _MOST * len(pointed) and all(_GROUPED.fullmatch(text) for text in pointed)
