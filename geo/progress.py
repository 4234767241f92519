"""Tell how far a long work is, and keep the seconds of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Called with the name of a step and the share of it that is done; what it raises stops the work.
Progress = Callable[[str, float], None]


def keep_silent(_step: str, _share: float = 0.0) -> None:
    """Tell nobody: the :data:`Progress` where none is given."""


class Clock:
    """Tell of each step and keep its wall-clock seconds.

    Examples
    --------
    >>> clock = Clock()
    >>> with clock("read"):
    ...     pass
    >>> list(clock.seconds)
    ['read']
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._step = ""
        self._start = 0.0
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str) -> Clock:
        """Name the step that the next ``with`` block is."""
        self._step = step
        return self

    def __enter__(self) -> None:
        if self._progress is not None:
            self._progress(self._step, 0.0)
        self._start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.seconds[self._step] = round(time.perf_counter() - self._start, 3)
