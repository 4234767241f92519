"""What only a browser can show: a slider knows its choice by the words of a language, and captions can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from geo.params import CRITERIA
from geo.text import t
from tests.e2e.browsing import serve_app

pytestmark = pytest.mark.browser
#: Colour of a text, and how much of it is left by the opacity of all that it lies in.
_LOOK = """node => {
  let opacity = 1;
  for (let part = node; part; part = part.parentElement) opacity *= Number(getComputedStyle(part).opacity);
  return [getComputedStyle(node).color, opacity];
}"""


@pytest.fixture
def page(browser: Browser, data_dir: Path) -> Iterator[Page]:
    """The page of a unit, with a weight moved by the link."""
    with serve_app(GEO_DATA_DIR=str(data_dir)) as address:
        page = browser.new_page()
        page.goto(f"{address}/unit?weights.size=0.8")
        first = page.get_by_role("slider", name=t("ui.criterion.location", lang="vi"))
        expect(first).to_have_attribute("aria-valuetext", "0,25", timeout=60_000)
        yield page
        page.close()


def test_the_weights_survive_a_change_of_language(page: Page) -> None:
    page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first.click()
    page.get_by_role("option", name="English").click()
    for name, shown in zip(CRITERIA, ("0.25", "0.80", "0.30", "0.15"), strict=True):
        slider = page.get_by_role("slider", name=t(f"ui.criterion.{name}", lang="en"))
        expect(slider).to_have_attribute("aria-valuetext", shown)
    slider.press("ArrowRight")
    page.wait_for_url("**weights.conditions=0.2*")
    assert "weights.size=0.8" in page.url
    assert "weights.access" not in page.url


def contrast(one: list[float], other: list[float]) -> float:
    """Return the contrast of two colours (0 to 255) after WCAG 2."""

    def luminance(colour: list[float]) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_captions_can_be_read(page: Page) -> None:
    caption = page.get_by_test_id("stSidebar").get_by_test_id("stCaptionContainer").locator("p").first
    expect(caption).to_be_visible()
    colour, opacity = caption.evaluate(_LOOK)
    red, green, blue, *alpha = [float(part) for part in re.findall(r"[\d.]+", colour)]
    share = opacity * (alpha[0] if alpha else 1.0)
    sidebar = 240.0  # a little darker than it is
    seen = [sidebar + share * (channel - sidebar) for channel in (red, green, blue)]
    assert contrast(seen, [sidebar] * 3) >= 4.5


def test_the_tab_key_passes_the_map_in_a_few_steps(page: Page) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link").first.click()
    page.frame_locator("iframe[title*='folium']").locator("#map_div[data-plan-digest]").wait_for(timeout=60_000)
    page.get_by_role("button", name=f"Help for {t('ui.map.layer.tiles', lang='vi')}").focus()
    for _ in range(7):  # the map, its buttons, its attribution
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") not in ("IFRAME", "BODY"):
            return
    raise AssertionError("the map keeps the Tab key")
