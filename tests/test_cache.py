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
