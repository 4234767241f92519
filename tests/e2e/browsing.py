"""The app as a process of its own, and a visit to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Frame, Page

ROOT = Path(__file__).resolve().parents[2]
_START_S, _MAP_MS = 60, 240_000


@dataclass
class Visit:
    """A page of the app, what it tried to load from outside, and how much it was sent."""

    page: Page
    outside: list[str] = field(default_factory=list)
    received: int = 0

    @property
    def map_frame(self) -> Frame:
        """The frame of the map, once the map shows a plan."""
        self.page.frame_locator("iframe[title*='folium']").locator("#map_div[data-plan-digest]").wait_for(
            timeout=_MAP_MS
        )
        return next(frame for frame in self.page.frames if "streamlit_folium" in frame.url)


@contextmanager
def serve_app(**environment: str) -> Iterator[str]:
    """Start app.py on a free port of this machine and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(address, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"the app did not start within {_START_S} s, exit code {process.poll()}")
