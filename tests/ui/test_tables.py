"""Figures of a table as the language writes them, over values that stay numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from geo.ui.tables import MISSING, in_words

TABLE = pd.DataFrame({"share": [12.5, float("nan")], "people": [1234.5, 9.0], "score": [0.0, 1.0]})


@pytest.mark.parametrize(
    ("lang", "people", "share"),
    [("vi", "1.234,5", "12,5 %"), ("en", "1,234.5", "12.5%"), ("fr", "1\u202f234,5", "12,5 %")],
)
def test_a_figure_is_written_as_the_language_does_and_its_value_stays(lang: str, people: str, share: str) -> None:
    styled = in_words(TABLE, {"share": 1, "people": 1}, lang=lang, percent=("share",))
    cells = [
        [cell["display_value"] for cell in row if cell["type"] == "td"]
        for row in styled._translate(False, False)["body"]
    ]
    assert [text.replace("\xa0", " ") for text in cells[0][:2]] == [share, people]
    assert cells[1][0] == MISSING
    assert styled.data.equals(TABLE)


def test_a_higher_share_is_darker_and_the_ends_are_white_and_the_shade() -> None:
    html = in_words(TABLE, {}, lang="en", shaded=("score",)).to_html()
    assert "#ffffff" in html
    assert "#9ecae1" in html
