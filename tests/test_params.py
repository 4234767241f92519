from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ParamsError
from geo.params import Params, read_params


def test_defaults_round_trip_through_toml(tmp_path: Path) -> None:
    params = Params().with_values({"weights.size": 0.55, "access.speeds_kmh.car.trunk": 44})
    path = tmp_path / "params.toml"
    path.write_text(params.to_toml(), encoding="utf-8")
    assert read_params(path) == params
    assert read_params(path).digest == params.digest


def test_the_digest_changes_with_any_value_and_only_then() -> None:
    assert Params().digest == Params().with_values({"weights.size": 0.3}).digest
    assert Params().digest != Params().with_values({"access.speeds_kmh.walk.steps": 2.0}).digest


def test_overrides_are_read_as_toml_else_as_a_word() -> None:
    params = read_params(overrides=["weights.size=0.5", "access.mode=walk", "choice.max_sites=140"])
    assert (params.weights.size, params.access.mode, params.choice.max_sites) == (0.5, "walk", 140)


@pytest.mark.parametrize(
    ("override", "key", "name"),
    [
        ("weights.sise=0.5", "params_unknown", "weights.sise"),
        ("size=0.5", "params_unknown", "size"),
        ("weights.size=7", "params_value", "weights.size"),
        ("access.mode=tram", "params_value", "access.mode"),
        ("access.speeds_kmh.tram.trunk=7", "params_unknown", "access.speeds_kmh.tram.trunk"),
        ("access.speeds_kmh.car.trank=7", "params_value", "access.speeds_kmh.car"),
        ("weights.size", "params_override", None),
    ],
)
def test_a_wrong_override_is_named(override: str, key: str, name: str | None) -> None:
    with pytest.raises(ParamsError) as error:
        read_params(overrides=[override])
    assert [(fault.key, fault.column) for fault in error.value.faults] == [(key, name)]
    assert str(error.value)


def test_several_wrong_values_in_a_file_are_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[weights]\nsize = 9\nheight = 1\n[choice]\nmax_sites = "many"\n', encoding="utf-8")
    with pytest.raises(ParamsError) as error:
        read_params(path)
    assert {fault.column for fault in error.value.faults} == {"weights.size", "weights.height", "choice.max_sites"}
    assert {fault.file for fault in error.value.faults} == {"mine.toml"}


def test_a_file_that_is_not_toml_is_an_error_of_the_parameters(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe[weights")
    with pytest.raises(ParamsError):
        read_params(path)


def test_all_weights_zero_is_an_error() -> None:
    with pytest.raises(ParamsError):
        Params().with_values({f"weights.{name}": 0 for name in ("location", "size", "access", "conditions")})


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(any))
def test_weights_are_normalised_to_one(values: list[float]) -> None:
    names = ("location", "size", "access", "conditions")
    weights = Params().with_values({f"weights.{n}": v for n, v in zip(names, values, strict=True)}).weights
    assert sum(weights.normalised().values()) == pytest.approx(1)


def test_the_decree_brings_its_table_and_what_is_set_stays(tmp_path: Path) -> None:
    old = Params().with_values({"norms.decree": "152/2017"})
    assert (old.norms.secretary_m2, old.norms.specialist_m2, old.norms.common_area_share) == (15, 5, 0.7)
    own = Params().with_values({"norms.specialist_m2": 11}).with_values({"norms.decree": "152/2017"})
    assert (own.norms.secretary_m2, own.norms.specialist_m2) == (15, 11)
    path = tmp_path / "norms.toml"
    path.write_text('[norms]\ndecree = "152/2017"\nsecretary_m2 = 20\n', encoding="utf-8")
    read = read_params(path).norms
    assert (read.secretary_m2, read.deputy_or_chair_m2) == (20, 12)
    assert old.with_values({"norms.decree": "155/2025"}) == Params()
    with pytest.raises(ParamsError):
        Params().with_values({"norms.decree": "1/1900"})
