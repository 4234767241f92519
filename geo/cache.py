"""Keep arrays on disk by the digest of what they were made from; what was not used for longest goes first."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.settings import Settings

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
        Cache folder; made if needed. One that cannot be written is done without. It is held below
        ``Settings.max_cache_mb``.
    name : str
        Must hold a digest of everything the result depends on.
    make : callable
    pack, unpack : callable
        To and from plain arrays (no objects), lossless.
    """
    path = folder / f"{name}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            value = unpack({key: stored[key] for key in stored.files})
        _note_use(path)
        return value
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
        return
    _shrink(path.parent, keep=path, limit_bytes=1_000_000 * Settings().max_cache_mb)


def _note_use(path: Path) -> None:
    """Set the time of the file to now: many disks do not note when a file is read."""
    with suppress(OSError):
        os.utime(path)


def _shrink(folder: Path, *, keep: Path, limit_bytes: int) -> None:
    """Delete what was not used for longest until the folder is small enough; other processes may do the same."""
    if not limit_bytes:
        return
    found = []
    for path in (*folder.glob("*.npz"), *folder.glob("*.tmp")):
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((stat.st_mtime_ns, path, stat.st_size))
    surplus = sum(size for _, _, size in found) - limit_bytes
    for _, path, size in sorted(found):
        if surplus <= 0:
            return
        if path != keep:
            with suppress(OSError):  # gone already, or held open where that forbids deleting
                path.unlink()
            surplus -= size
