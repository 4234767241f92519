"""The app in a real browser that can reach nothing but 127.0.0.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Route

from tests.e2e.browsing import Visit


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
