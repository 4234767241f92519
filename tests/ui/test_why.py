"""The unit card tells why, when asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from geo.text import LANGUAGES, t


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_unit_card_explains_the_choice_when_asked(start: Callable[..., AppTest], lang: str) -> None:
    app = start(lang=lang, unit="00020")
    before = len(app.markdown)
    toggle = app.toggle(key="card_why")
    assert toggle.label == t("choice.card.why", lang=lang)
    toggle.set_value(True).run()
    assert not app.exception
    assert len(app.markdown) == before + 1
    assert t("publish.firmness.firm", lang=lang) in app.markdown[-1].value or "%" in app.markdown[-1].value
