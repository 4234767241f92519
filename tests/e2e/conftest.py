"""The app in a real browser that can reach nothing but 127.0.0.1."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Route, sync_playwright

from tests.e2e.browsing import FLAGS, Visit


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str], Visit]]:
    """Open an address in a fresh context; requests to anywhere but 127.0.0.1 are refused and written down."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, locale="vi-VN")

    def open_address(address: str) -> Visit:
        visited = Visit(context.new_page())

        def guard(route: Route) -> None:
            if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
                route.continue_()
            else:
                visited.outside.append(route.request.url)
                route.abort()

        def count(frame: str | bytes) -> None:
            visited.received += len(frame)

        visited.page.route("**/*", guard)
        visited.page.on("websocket", lambda socket: socket.on("framereceived", count))
        visited.page.goto(address)
        return visited

    yield open_address
    context.close()
