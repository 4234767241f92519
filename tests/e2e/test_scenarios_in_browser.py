"""The pages of scenarios and of comparison in a real browser: within seconds, and nothing from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.e2e.browsing import ROOT, Visit, serve_app

pytestmark = pytest.mark.browser
#: The aim is 2 s on a machine with nothing else to do; a shared one takes longer.
_LIMIT_S = 6.0
_SENTENCES = "document.querySelector('[data-testid=stMain] li')"
_IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"
_CHART = "[data-testid='stVegaLiteChart'] :is(canvas, svg)"
_NAMES = (
    "Rush hour", "Night", "Đuống bridge closed", "Ring Road 1: petrol motorbikes barred",
    "Ring Road 1: petrol motorbikes left at the edge",
)  # fmt: skip


def click(seen: Visit, name: str) -> float:
    """Choose a scenario and return the seconds until its figures and its map stand."""
    before = seen.page.evaluate(f"{_SENTENCES}?.parentElement.innerText ?? ''")
    start = time.perf_counter()
    seen.page.get_by_role("radio", name=name).click()
    seen.page.wait_for_function(
        f"before => {_SENTENCES} && {_SENTENCES}.parentElement.innerText !== before", arg=before, timeout=60_000
    )
    seen.page.locator(_IDLE).wait_for(timeout=60_000)
    seen.page.locator(_CHART).wait_for(timeout=60_000)
    return time.perf_counter() - start


def test_a_click_on_a_scenario_shows_its_map_within_seconds_and_loads_nothing_from_outside(
    visit: Callable[[str], Visit], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_app(GEO_DATA_DIR=str(ROOT / "data")) as address:
        seen = visit(f"{address}/scenarios?lang=en")
        seen.page.get_by_role("radio", name=_NAMES[0]).wait_for(timeout=60_000)
        seen.page.locator(_IDLE).wait_for(timeout=60_000)
        seconds = [click(seen, name) for name in _NAMES]
        folder = Path(os.environ.get("GEO_SCREENSHOT_DIR", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=folder / "scenarios.png")
        with capsys.disabled():
            print(f"\nclick to map of differences: {[round(s, 2) for s in seconds]} s")
        assert median(seconds) < _LIMIT_S
        assert seen.outside == []


def test_two_files_are_compared_and_a_hostile_one_does_no_harm(visit: Callable[[str], Visit], tmp_path: Path) -> None:
    other = tmp_path / "b.toml"
    title = "<img src=x onerror='document.title=1'>"
    factors = "[access.scenario.speed_factors.motorbike]\nprimary = 0.6\n"
    profile = f'[access.scenario]\ntitle = {{ en = "{title}" }}\n{factors}'
    other.write_text(f"[choice]\nmax_sites = 200\n{profile}", encoding="utf-8")
    with serve_app(GEO_DATA_DIR=str(ROOT / "data")) as address:
        seen = visit(f"{address}/compare?lang=en")
        uploads = seen.page.locator("input[type=file]")
        uploads.nth(1).wait_for(state="attached", timeout=60_000)
        uploads.nth(1).set_input_files(other)
        seen.page.locator(_CHART).wait_for(timeout=120_000)
        seen.page.get_by_text("people lose a minute or more").wait_for(timeout=60_000)
        seen.page.locator(_IDLE).wait_for(timeout=60_000)
        seen.page.get_by_text(title).first.wait_for(timeout=10_000)
        seen.page.screenshot(path=Path(os.environ.get("GEO_SCREENSHOT_DIR", tmp_path)) / "compare.png", full_page=True)
        assert seen.page.title() != "1"
        assert seen.page.locator("[data-testid=stMain] img[src=x]").count() == 0
        with seen.page.expect_download() as got:
            seen.page.get_by_role("button", name="Units (CSV)").click()
        assert Path(got.value.path()).read_text(encoding="utf-8-sig").startswith("unit_id,name,population,change")
        assert seen.outside == []
