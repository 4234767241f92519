"""What only a browser can show of the weights: a slider knows its choice by the words of a language."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from geo.params import CRITERIA
from geo.text import t
from tests.e2e.browsing import serve_app

pytestmark = pytest.mark.browser


def test_the_weights_survive_a_change_of_language(browser: Browser, data_dir: Path) -> None:
    with serve_app(GEO_DATA_DIR=str(data_dir)) as address:
        page = browser.new_page()
        page.goto(f"{address}/unit?weights.size=0.8")
        first = page.get_by_role("slider", name=t("ui.criterion.location", lang="vi"))
        expect(first).to_have_attribute("aria-valuetext", "0,25", timeout=60_000)
        page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first.click()
        page.get_by_role("option", name="English").click()
        for name, shown in zip(CRITERIA, ("0.25", "0.80", "0.30", "0.15"), strict=True):
            slider = page.get_by_role("slider", name=t(f"ui.criterion.{name}", lang="en"))
            expect(slider).to_have_attribute("aria-valuetext", shown)
        slider.press("ArrowRight")
        page.wait_for_url("**weights.conditions=0.2*")
        assert "weights.size=0.8" in page.url
        assert "weights.access" not in page.url
        page.close()
