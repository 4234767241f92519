"""What only a browser can show: the map draws, follows a slider, keeps its zoom, and nothing comes from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Frame, expect

from tests.e2e.browsing import ROOT, Visit, serve_app
from tests.toy import replace_in, toy_folder

pytestmark = pytest.mark.browser
Open = Callable[[str], Visit]

_DIGEST = "document.querySelector('#map_div').dataset.planDigest"
_ZOOM = "Number(document.querySelector('#map_div').dataset.zoom)"
_SIGNS = """Object.fromEntries([...document.querySelectorAll('[data-site]')].map(
    (sign) => [sign.dataset.site, [sign.dataset.score, sign.getAttribute('fill'), sign.getAttribute('d')]]))"""
#: A point of the unit's polygon that no sign covers, in the frame's pixels.
_FREE_POINT = """(unit) => {
  const box = unit.getBoundingClientRect();
  for (let i = 1; i < 20; i++) for (let j = 1; j < 20; j++) {
    const [x, y] = [box.left + (box.width * i) / 20, box.top + (box.height * j) / 20];
    if (document.elementFromPoint(x, y) === unit) return { x: x - box.left, y: y - box.top };
  }
}"""
HOSTILE = '<img src=x onerror=\\"top.hit=1\\">`${top.hit=1}` <script>top.hit=1</script>'


def screenshot(visit: Visit, name: str, folder: Path) -> None:
    target = Path(os.environ.get("GEO_SCREENSHOT_DIR", folder))
    target.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=target / f"{name}.png")


def move_slider(visit: Visit, frame: Frame, label: str, key: str) -> float:
    """Press a key on a slider and return the milliseconds until the map shows another plan."""
    before = frame.evaluate(_DIGEST)
    slider = visit.page.get_by_role("slider", name=label)
    slider.focus()
    start = time.perf_counter()
    slider.press(key)
    frame.wait_for_function(f"before => {_DIGEST} !== before", arg=before)
    return 1000 * (time.perf_counter() - start)


def settle(visit: Visit) -> None:
    """Wait until the app has nothing more to do."""
    visit.page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for(timeout=60_000)
    for unfinished in ("[data-stale='true']", "[data-testid='stSkeleton']"):
        expect(visit.page.locator(unfinished)).to_have_count(0, timeout=30_000)


@pytest.fixture(scope="module")
def embedded() -> Iterator[str]:
    """The app on the embedded data."""
    with serve_app(GEO_DATA_DIR=str(ROOT / "data")) as address:
        yield address


def test_a_slider_recolours_the_map_keeps_the_zoom_and_loads_nothing_from_outside(
    embedded: str, visit: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = visit(embedded)
    frame = seen.map_frame
    settle(seen)
    assert frame.locator("[data-unit]").count() == 126
    assert frame.locator("[data-site]").count() == 903
    screenshot(seen, "overview", tmp_path)
    whole_city = frame.evaluate(_ZOOM)
    frame.get_by_role("button", name="Zoom in").click()
    frame.wait_for_function(f"before => {_ZOOM} > before", arg=whole_city)
    zoomed, signs = frame.evaluate(_ZOOM), frame.evaluate(_SIGNS)

    move_slider(seen, frame, "Quy mô", "End")
    assert frame.evaluate(_ZOOM) == zoomed
    moved: dict[str, Any] = frame.evaluate(_SIGNS)
    recoloured = [site for site in signs if signs[site][:2] != moved[site][:2]]
    assert len(recoloured) > len(signs) / 2
    reshaped = [site for site in signs if signs[site][2] != moved[site][2]]
    assert reshaped, "no site was chosen or dropped although the weight of size went to its end"

    times, sizes = [], []
    for key in ("ArrowLeft",) * 7:
        settle(seen)
        before = seen.received
        times.append(move_slider(seen, frame, "Quy mô", key))
        settle(seen)
        sizes.append(seen.received - before)
    with capsys.disabled():
        print(f"\nslider to map: median {median(times):.0f} ms of {[round(t) for t in times]}; ", end="")
        print(f"median {median(sizes) / 1024:.0f} KB received a rerun")
    assert frame.evaluate(_ZOOM) == zoomed
    assert seen.outside == []


def test_the_arrow_keys_of_the_table_lead_from_unit_to_unit(embedded: str, visit: Open) -> None:
    seen = visit(embedded)
    frame = seen.map_frame
    settle(seen)
    seen.page.get_by_test_id("stDataFrame").locator("canvas").first.focus()
    selected = []
    for _ in range(2):
        seen.page.keyboard.press("ArrowDown")
        seen.page.wait_for_function(
            "before => location.search !== before", arg=f"?unit={selected[-1]}" if selected else ""
        )
        selected.append(seen.page.url.rsplit("=", 1)[1])
        settle(seen)
    assert len(set(selected)) == 2
    outlines = frame.locator("[data-unit][stroke='#d1006c']")
    expect(outlines).to_have_count(1)
    expect(outlines).to_have_attribute("data-unit", selected[-1])


def test_a_click_on_a_unit_comes_back_and_leads_to_its_page(embedded: str, visit: Open, tmp_path: Path) -> None:
    seen = visit(f"{embedded}/?lang=en")
    frame = seen.map_frame
    settle(seen)
    unit = frame.locator("[data-unit='09619']")  # Ba Vi, in the far west
    point = unit.evaluate(_FREE_POINT)
    unit.click(position=point)
    seen.page.wait_for_url("**unit=09619*")
    expect(seen.page.get_by_role("button", name="Compare one site and two")).to_be_visible()
    settle(seen)
    screenshot(seen, "selected", tmp_path)
    seen.page.get_by_role("button", name="Compare one site and two").click()
    expect(seen.page.get_by_role("heading", name="One site or two?")).to_be_visible()
    seen.page.wait_for_url("**/unit?*unit=09619*")
    settle(seen)
    seen.page.set_viewport_size({"width": 1500, "height": 1900})
    screenshot(seen, "unit", tmp_path)
    assert seen.outside == []


@pytest.mark.parametrize(("page", "heading"), [("export", "Export"), ("data", "Data")])
def test_the_other_pages_load_nothing_from_outside(
    embedded: str, visit: Open, tmp_path: Path, page: str, heading: str
) -> None:
    seen = visit(f"{embedded}/{page}?lang=en")
    expect(seen.page.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=240_000)
    settle(seen)
    screenshot(seen, page, tmp_path)
    assert seen.outside == []


def test_names_that_are_scripts_never_run(visit: Open, tmp_path: Path) -> None:
    folder = toy_folder(tmp_path / "toy")
    for name in ("Phường Tây", "Phường Đông"):
        replace_in(folder / "boundaries" / "units.geojson", name, HOSTILE)
    replace_in(folder / "city.toml", "Toy", HOSTILE)
    for name in ("UBND Phường Ánh", "UBND Xã Cửa", "UBND Huyện Nhì", "Nhà văn hoá"):
        replace_in(folder / "buildings" / "inventory.csv", name, HOSTILE.replace("\\", "").replace('"', "'"))
    with serve_app(GEO_DATA_DIR=str(folder)) as address:
        seen = visit(f"{address}/?lang=en")
        frame = seen.map_frame
        settle(seen)
        for kind in ("unit", "site"):
            for sign in frame.locator(f"[data-{kind}]").all():
                sign.dispatch_event("mouseover")
                sign.dispatch_event("click")
        seen.page.wait_for_url("**unit=*")
        settle(seen)
        assert "onerror" in frame.locator(".leaflet-tooltip").first.inner_text()
        for page in ("unit", "data"):
            seen.page.goto(f"{address}/{page}?lang=en&unit=00020")
            expect(seen.page.get_by_role("heading").first).to_be_visible()
            settle(seen)
            assert seen.page.evaluate("window.hit") is None
        assert seen.outside == []
