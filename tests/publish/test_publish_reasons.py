"""What a rounded figure may not say."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo.publish.reasons import percent_text
from geo.text import LANGUAGES


@pytest.mark.parametrize("decimals", [0, 1])
@given(share=st.floats(0.9, 1.1))
@example(share=0.995)
@example(share=0.9995)
def test_only_all_of_them_read_as_a_hundred_percent(decimals: int, share: float) -> None:
    for lang in LANGUAGES:
        all_of_them = percent_text(1.0, lang=lang, decimals=decimals)
        if share < 1 - 1e-9:
            assert percent_text(share, lang=lang, decimals=decimals) != all_of_them


def test_nearly_all_reads_as_more_than_what_the_places_can_hold() -> None:
    texts = [percent_text(0.99966, lang=lang, decimals=1) for lang in LANGUAGES]
    assert [text.replace("\xa0", " ") for text in texts] == ["> 99,9 %", ">99.9%", "> 99,9 %"]
    assert percent_text(0.9949, lang="en") == "99%"
    assert percent_text(0.9951, lang="en") == ">99%"
    assert percent_text(1 - 1e-12, lang="en") == "100%"
    assert percent_text(1.004, lang="en") == "100%"
