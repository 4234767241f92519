"""Keep arrays on disk by the digest of what they were made from."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Arrays = dict[str, NDArray]
_log = logging.getLogger(__name__)


def digest_of_text(*parts: str) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `parts`."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def cached(
    folder: Path, name: str, *, make: Callable[[], T], pack: Callable[[T], Arrays], unpack: Callable[[Arrays], T]
) -> T:
    """Return what ``make()`` returns, from the cache if it was made before.

    Parameters
    ----------
    folder : pathlib.Path
        Cache folder; made if needed. One that cannot be written is done without.
    name : str
        Must hold a digest of everything the result depends on.
    make : callable
    pack, unpack : callable
        To and from plain arrays (no objects), lossless.
    """
    path = folder / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return unpack({key: stored[key] for key in stored.files})
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("cache file %s is damaged and is made again: %s", path.name, error)
    value = make()
    _store(path, pack(value))
    return value


def _store(path: Path, arrays: Arrays) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    except OSError as error:
        _log.warning("nothing is cached: %s", error)
        return
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        Path(aside).replace(path)
    except OSError as error:
        _log.warning("nothing is cached: %s", error)
        Path(aside).unlink(missing_ok=True)
