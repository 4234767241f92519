"""What only a browser can show of the pages: sorting by number, stopping a work, an upload, and small screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import ROOT, Visit, serve_app

pytestmark = pytest.mark.browser
Open = Callable[[str], Visit]
_IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"
_CELLS = "[data-testid='stDataFrame'] canvas [role='gridcell'][aria-colindex='{}']"
_PAGES = ("", "unit", "frontier", "robust", "scenarios", "compare", "export", "data")


@pytest.fixture(scope="module")
def embedded() -> Iterator[str]:
    """The app on the embedded data."""
    with serve_app(GEO_DATA_DIR=str(ROOT / "data")) as address:
        yield address


def wait(visit: Visit) -> None:
    visit.page.wait_for_timeout(500)
    visit.page.locator(_IDLE).wait_for(timeout=120_000)


def test_a_table_with_decimal_commas_sorts_by_number(embedded: str, visit: Open) -> None:
    seen = visit(f"{embedded}/?lang=vi")
    table = seen.page.get_by_test_id("stDataFrame").first
    table.wait_for(timeout=120_000)
    wait(seen)
    box = table.bounding_box()
    assert box is not None
    scores = seen.page.locator(_CELLS.format(3))
    before = [float(text) for text in scores.all_text_contents()]
    assert before != sorted(before)
    seen.page.mouse.click(box["x"] + 215, box["y"] + 15)
    expect(scores.first).not_to_have_text(str(before[0]))
    after = [float(text) for text in scores.all_text_contents()]
    assert after in (sorted(after), sorted(after, reverse=True))
    assert len(set(after)) > 3


def test_a_long_work_stops_when_the_reader_says_so(embedded: str, visit: Open) -> None:
    seen = visit(f"{embedded}/robust?lang=en&weights.size=0.35")
    page = seen.page
    page.get_by_role("radio", name="Travel times").or_(page.get_by_role("button", name="Travel times")).first.click(
        timeout=120_000
    )
    start, stop = page.get_by_role("button", name="Compute"), page.get_by_role("button", name="Stop", exact=True)
    start.click()
    expect(page.get_by_role("progressbar")).to_be_visible(timeout=60_000)
    stop.click()
    expect(stop).to_have_count(0, timeout=30_000)
    wait(seen)
    expect(start).to_be_enabled()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    assert seen.outside == []


def test_an_inventory_is_uploaded_named_on_the_pages_and_given_back(embedded: str, visit: Open) -> None:
    seen = visit(f"{embedded}/data?lang=en")
    page = seen.page
    page.get_by_text("Plan with your own inventory").click(timeout=120_000)
    table = pd.read_csv(ROOT / "data" / "buildings" / "inventory.csv", dtype=str).iloc[::2]
    file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": table.to_csv(index=False).encode()}
    page.locator("input[type='file']").set_input_files(file)
    page.get_by_role("button", name="Plan with this inventory").click()
    banner = page.get_by_text(f"Your list of buildings: mine.csv ({len(table)} buildings)")
    expect(banner).to_be_visible(timeout=240_000)
    page.get_by_role("link", name="Overview").or_(page.get_by_role("link", name="Map")).first.click()
    signs = page.frame_locator("iframe[title*='folium']").locator("[data-site]")
    expect(signs).to_have_count(len(table), timeout=60_000)
    page.get_by_role("link", name="How many sites?").click()
    expect(page.get_by_role("heading", name="How many sites?")).to_be_visible()
    expect(banner).to_be_visible(timeout=60_000)
    other = visit(f"{embedded}/frontier?lang=en")
    expect(other.page.get_by_role("heading", name="How many sites?")).to_be_visible(timeout=120_000)
    wait(other)
    expect(other.page.get_by_text("Your list of buildings")).to_have_count(0)
    page.get_by_role("link", name="Data", exact=True).click()
    page.get_by_role("button", name="Back to the city’s inventory").click()
    expect(banner).to_have_count(0, timeout=60_000)
    page.get_by_role("link", name="Overview").or_(page.get_by_role("link", name="Map")).first.click()
    expect(signs).to_have_count(903, timeout=60_000)
    assert seen.outside == []


@pytest.mark.parametrize("lang", ["vi", "fr"])
def test_every_page_fits_a_telephone_and_loads_nothing_from_outside(embedded: str, visit: Open, lang: str) -> None:
    for name in _PAGES:
        seen = visit(f"{embedded}/{name}?lang={lang}")
        seen.page.set_viewport_size({"width": 390, "height": 844})
        expect(seen.page.get_by_role("heading", level=1)).to_be_visible(timeout=240_000)
        wait(seen)
        title = seen.page.get_by_role("heading", level=1).bounding_box()
        header = seen.page.get_by_test_id("stHeader").bounding_box()
        assert title is not None
        assert header is not None
        assert title["y"] >= header["y"] + header["height"] - 8, f"{name}: the header covers the title"
        main = seen.page.get_by_test_id("stMain")
        assert main.evaluate("area => area.scrollWidth <= area.clientWidth"), f"{name}: wider than the screen"
        assert seen.outside == []
        seen.page.close()
