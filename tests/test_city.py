from pathlib import Path

import pytest

from geo import city as city_module
from geo.city import City, check_city, load_city
from geo.errors import InputError
from geo.settings import Settings
from tests.sources.test_osm import extract
from tests.toy import toy_folder


def with_network(folder: Path, content: bytes | None = None) -> Path:
    (folder / "network").mkdir(exist_ok=True)
    path = folder / "network" / "roads.osm.pbf"
    if content is None:
        import osmium

        source = extract(folder.parent, {"highway": "primary"})
        with osmium.SimpleWriter(str(path)) as writer:
            for thing in osmium.FileProcessor(str(source)):
                writer.add(thing)
    else:
        path.write_bytes(content)
    return folder


def test_a_folder_becomes_a_city_with_every_building_in_its_unit(toy_city: City) -> None:
    assert toy_city.units.index.tolist() == ["00010", "00020"]
    assert toy_city.sites["unit_id"].to_dict() == {"S1": "00010", "S2": "00020", "S3": "00020", "S4": "00020"}
    assert toy_city.crs.to_epsg() == 32648
    assert {"read", "merge", "network"} <= set(toy_city.seconds)


def test_the_digest_follows_the_content_not_the_place(tmp_path: Path, settings: Settings) -> None:
    here, there = toy_folder(tmp_path / "here"), toy_folder(tmp_path / "there")
    assert load_city(here, settings=settings).digest == load_city(there, settings=settings).digest
    inventory = there / "buildings" / "inventory.csv"
    inventory.write_text(inventory.read_text(encoding="utf-8").replace("2500", "2501"), encoding="utf-8")
    assert load_city(here, settings=settings).digest != load_city(there, settings=settings).digest


def test_what_is_cached_of_a_city_is_made_anew_for_another_reader(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times, points and distances are named by the digest of the city."""
    folder = toy_folder(tmp_path / "toy")
    before = load_city(folder, settings=settings).digest
    monkeypatch.setattr(city_module, "_READER_VERSION", "next")
    assert load_city(folder, settings=settings).digest != before


def test_a_network_is_parsed_once_and_then_read_from_the_cache(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_network(toy_folder(tmp_path / "toy"))
    first = load_city(folder, settings=settings).network
    monkeypatch.setattr("geo.city.read_network", None)
    second = load_city(folder, settings=settings).network
    assert first is not None
    assert second is not None
    assert first.length_m.tolist() == second.length_m.tolist()
    assert (first.modelled, first.digest) == (second.modelled, second.digest)


def test_check_opens_the_network_too_and_says_everything_at_once(tmp_path: Path, settings: Settings) -> None:
    folder = with_network(toy_folder(tmp_path / "toy"), b"\x00\x00\x00\x0d broken")
    inventory = folder / "buildings" / "inventory.csv"
    inventory.write_text(inventory.read_text(encoding="utf-8").replace("S2,", "S1,"), encoding="utf-8")
    errors = {fault.key for fault in check_city(folder, settings=settings) if fault.severity == "error"}
    assert "pbf_unreadable" in errors
    assert len(errors) > 1
    with pytest.raises(InputError) as loading:
        load_city(folder, settings=settings)
    assert {fault.key for fault in loading.value.faults} == errors
    assert "network/roads.osm.pbf" in str(loading.value)


def test_a_fault_elsewhere_does_not_parse_a_known_network_again(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_network(toy_folder(tmp_path / "toy"))
    load_city(folder, settings=settings)
    monkeypatch.setattr("geo.city.read_network", None)
    inventory = folder / "buildings" / "inventory.csv"
    inventory.write_text(inventory.read_text(encoding="utf-8").replace("S2,", "S1,"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_city(folder, settings=settings)
    assert [fault.key for fault in error.value.faults if fault.severity == "error"] == ["id_duplicate"]


def test_a_network_that_is_a_folder_is_told(tmp_path: Path, settings: Settings) -> None:
    folder = toy_folder(tmp_path / "toy")
    (folder / "network" / "roads.osm.pbf").mkdir(parents=True)
    assert [fault.severity for fault in check_city(folder, settings=settings)].count("error") >= 1


def test_a_sound_folder_passes_the_check(tmp_path: Path, settings: Settings) -> None:
    faults = check_city(with_network(toy_folder(tmp_path / "toy")), settings=settings)
    assert [fault for fault in faults if fault.severity == "error"] == []
