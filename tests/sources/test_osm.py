from pathlib import Path

import numpy as np
import pytest

from benchmarks.reading import MOST_MB, MOST_SECONDS, REAL, measure
from geo.errors import InputError
from geo.params import HIGHWAY_CLASSES, MODES
from geo.sources.osm import read_osm

# 1 ── 2 ── 3, some hundred metres apart
NODES = {1: (105.800, 21.000), 2: (105.801, 21.000), 3: (105.802, 21.001)}


def extract(path: Path, *ways: dict[str, str], refs: tuple[int, ...] = (1, 2, 3), generator: str = "test") -> Path:
    nodes = "".join(f'<node id="{i}" lon="{lon}" lat="{lat}" version="1"/>' for i, (lon, lat) in NODES.items())
    nds = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    body = "".join(
        f'<way id="{number}" version="1">{nds}{"".join(f"<tag k={k!r} v={v!r}/>" for k, v in tags.items())}</way>'
        for number, tags in enumerate(ways, start=1)
    )
    path = path / "roads.osm"
    path.write_text(f'<osm version="0.6" generator="{generator}">{nodes}{body}</osm>', encoding="utf-8")
    return path


def modes_of(bits: int) -> dict[str, str]:
    """Return how each mode may go: '->', '<-', '<->' or nothing."""
    words = {0: "", 1: "->", 2: "<-", 3: "<->"}
    return {mode: words[int(bits) >> 2 * number & 3] for number, mode in enumerate(MODES)}


def test_a_way_becomes_a_segment_between_every_two_nodes(tmp_path: Path) -> None:
    network = read_osm(extract(tmp_path, {"highway": "primary_link"}))
    assert network.tail.tolist() == [0, 1]
    assert network.head.tolist() == [1, 2]
    assert [HIGHWAY_CLASSES[c] for c in network.highway] == ["primary", "primary"]
    assert network.length_m == pytest.approx([103.98, 151.8], rel=1e-3)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, ("<->", "<->", "<->")),
        ({"highway": "residential", "oneway": "yes"}, ("->", "->", "<->")),
        ({"highway": "residential", "oneway": "-1"}, ("<-", "<-", "<->")),
        ({"highway": "residential", "oneway": "yes", "oneway:motorcycle": "no"}, ("<->", "->", "<->")),
        ({"highway": "tertiary", "junction": "roundabout"}, ("->", "->", "<->")),
        ({"highway": "motorway"}, ("", "->", "")),
        ({"highway": "motorway", "motorcycle": "yes"}, ("->", "->", "")),
        ({"highway": "motorway", "oneway": "no"}, ("", "<->", "")),
        ({"highway": "footway"}, ("", "", "<->")),
        ({"highway": "path"}, ("<->", "", "<->")),
        ({"highway": "service", "access": "private"}, None),
        ({"highway": "service", "access": "no", "foot": "yes"}, ("", "", "<->")),
        ({"highway": "primary", "motorcar": "no"}, ("<->", "", "<->")),
        ({"highway": "primary", "motor_vehicle": "no"}, ("", "", "<->")),
        ({"highway": "construction"}, None),
        ({"highway": "pedestrian", "area": "yes"}, None),
        ({"route": "bus"}, None),
    ],
)
def test_tags_say_who_may_go_where(tmp_path: Path, tags: dict[str, str], expected: tuple[str, ...] | None) -> None:
    path = extract(tmp_path, {"highway": "primary"}, tags)
    network = read_osm(path)
    if expected is None:
        assert len(network.tail) == 2, "only the first way is a road"
    else:
        assert tuple(modes_of(network.open_to[2]).values()) == expected


def test_a_ferry_is_one_segment_with_its_length_duration_and_wait(tmp_path: Path) -> None:
    network = read_osm(extract(tmp_path, {"route": "ferry", "duration": "00:07", "interval": "00:15"}))
    assert (network.tail.tolist(), network.head.tolist()) == ([0], [1])
    assert network.length_m[0] == pytest.approx(103.98 + 151.8, rel=1e-3)
    assert network.duration_s[0] == 420
    assert network.wait_s[0] == 450


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 420), ("01:30", 5400), ("00:07:30", 450), ("soon", np.nan), ("²", np.nan)]
)
def test_durations_are_read_as_osm_writes_them(tmp_path: Path, text: str, seconds: float) -> None:
    network = read_osm(extract(tmp_path, {"route": "ferry", "duration": text}))
    assert network.duration_s[0] == pytest.approx(seconds, nan_ok=True)


def test_a_way_that_leaves_the_extract_keeps_the_part_inside(tmp_path: Path) -> None:
    network = read_osm(extract(tmp_path, {"highway": "primary"}, refs=(1, 2, 99)))
    assert len(network.tail) == 1


def test_a_gap_in_a_way_is_not_bridged_by_a_straight_line(tmp_path: Path) -> None:
    network = read_osm(extract(tmp_path, {"highway": "primary"}, refs=(1, 2, 99, 3, 1)))
    assert list(zip(network.tail.tolist(), network.head.tolist(), strict=True)) == [(0, 1), (2, 0)]


def test_a_modelled_extract_says_so_in_its_header(tmp_path: Path) -> None:
    assert not read_osm(extract(tmp_path, {"highway": "primary"})).modelled
    assert read_osm(extract(tmp_path, {"highway": "primary"}, generator="truso (modelled)")).modelled


@pytest.mark.parametrize(
    ("content", "key"),
    [(b"", "pbf_empty"), (b"\x00\x00\x00\x0d\x0a\x09OSMHeader", "pbf_unreadable"), (b"not a pbf", "pbf_unreadable")],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "roads.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_osm(path)
    (fault,) = error.value.faults
    assert (fault.key, fault.file) == (key, "roads.osm.pbf")


def test_an_extract_without_roads_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_osm(extract(tmp_path, {"building": "yes"}))
    assert error.value.faults[0].key == "pbf_no_roads"


def test_an_extract_whose_roads_lack_their_nodes_says_what_mends_it(tmp_path: Path) -> None:
    path = extract(tmp_path, {"highway": "primary"}, refs=(97, 98, 99))
    with pytest.raises(InputError, match="osmium sort") as error:
        read_osm(path)
    assert error.value.faults[0].key == "pbf_no_places"


needs_real = pytest.mark.skipif(not REAL.exists(), reason=f"real extract not here: {REAL.name}")


@needs_real
def test_the_real_inner_city_is_read_whole() -> None:
    network = read_osm(REAL)
    assert len(network.tail) > 200_000
    assert 4_000 < network.length_m.sum() / 1000 < 10_000
    assert not network.modelled


@needs_real
@pytest.mark.slow
def test_the_real_inner_city_is_read_in_less_than_15_seconds_and_500_megabytes() -> None:
    figures = measure("truso", REAL)
    assert figures["seconds"] < MOST_SECONDS
    assert figures["peak_mb"] < MOST_MB


@needs_real
def test_a_truncated_real_extract_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(REAL.read_bytes()[: REAL.stat().st_size // 2])
    with pytest.raises(InputError) as error:
        read_osm(path)
    assert error.value.faults[0].key == "pbf_unreadable"
