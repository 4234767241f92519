import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from geo.cache import cached


def stored(folder: Path, calls: list[int], name: str = "thing-abc") -> list[float]:
    def make() -> list[float]:
        calls.append(1)
        return [1.0, float("inf")]

    return cached(folder, name, make=make, pack=lambda v: {"v": np.array(v)}, unpack=lambda a: a["v"].tolist())


def test_a_thing_is_made_once_and_comes_back_the_same(tmp_path: Path) -> None:
    calls: list[int] = []
    assert stored(tmp_path / "new", calls) == stored(tmp_path / "new", calls) == [1.0, float("inf")]
    assert len(calls) == 1


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_made_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "thing-abc.npz").write_bytes(content)
    calls: list[int] = []
    stored(tmp_path, calls)
    stored(tmp_path, calls)
    assert len(calls) == 1


def test_another_digest_is_another_thing(tmp_path: Path) -> None:
    calls: list[int] = []
    stored(tmp_path, calls, "thing-abc"), stored(tmp_path, calls, "thing-abd")
    assert len(calls) == 2


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert stored(blocked, []) == [1.0, float("inf")]


def test_nothing_half_written_stays_behind(tmp_path: Path) -> None:
    stored(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["thing-abc.npz"]


def big(folder: Path, name: str) -> None:
    """Keep 0.4 MB."""
    cached(folder, name, make=lambda: np.zeros(50_000), pack=lambda v: {"v": v}, unpack=lambda a: a["v"])


def test_what_was_not_used_for_longest_goes_when_the_folder_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_MAX_CACHE_MB", "1")
    (tmp_path / "notes.txt").write_bytes(bytes(2_000_000))
    for seconds, name in ((1000, "older but used"), (2000, "old")):
        big(tmp_path, name)
        os.utime(tmp_path / f"{name}.npz", (seconds, seconds))
    big(tmp_path, "older but used")
    big(tmp_path, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.npz", "notes.txt", "older but used.npz"]


def test_without_a_limit_everything_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_MAX_CACHE_MB", "0")
    for name in "abcd":
        big(tmp_path, name)
    assert len(list(tmp_path.iterdir())) == 4


def test_what_is_larger_than_the_limit_is_kept_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_MAX_CACHE_MB", "1")
    for name in ("a", "b"):
        cached(tmp_path, name, make=lambda: np.zeros(200_000), pack=lambda v: {"v": v}, unpack=lambda a: a["v"])
    assert [path.name for path in tmp_path.iterdir()] == ["b.npz"]


def test_processes_that_shrink_one_folder_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEO_MAX_CACHE_MB", "1")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: big(tmp_path, f"thing {i % 12}"), range(60)))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1_400_000
