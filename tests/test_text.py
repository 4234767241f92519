"""Every message exists in every language, with the same places for values."""

from __future__ import annotations

import ast
import re
import tomllib
import unicodedata
from pathlib import Path
from string import Formatter

import pytest

import geo
from geo.errors import Fault
from geo.text import LANGUAGES, catalogue

PACKAGE = Path(next(iter(geo.__path__)))
AREAS = sorted({file.name for file in (PACKAGE / "text").glob("*/*.toml")})


def _fields(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def _messages(lang: str, area: str) -> dict[str, str]:
    prefix = area.removesuffix(".toml") + "."
    return {key: text for key, text in catalogue(lang).items() if key.startswith(prefix)}


@pytest.mark.parametrize("lang", [lang for lang in LANGUAGES if lang != "en"])
@pytest.mark.parametrize("area", AREAS)
def test_all_languages_have_the_same_messages_with_the_same_values(area: str, lang: str) -> None:
    english, other = _messages("en", area), _messages(lang, area)
    assert sorted(other) == sorted(english)
    assert {key: _fields(text) for key, text in other.items()} == {key: _fields(text) for key, text in english.items()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_is_empty_and_every_fault_has_a_remedy(lang: str) -> None:
    messages = catalogue(lang)
    assert all(text.strip() for text in messages.values())
    faults = {key.removeprefix("faults.fault.") for key in messages if key.startswith("faults.fault.")}
    remedies = {key.removeprefix("faults.remedy.") for key in messages if key.startswith("faults.remedy.")}
    assert faults == remedies


def _fault_keys_in(source: str) -> set[str]:
    """Return the keys that a module gives to Fault(key=...), FaultLog.add and FaultLog.warn, as words or by a name."""
    keys: set[str] = set()
    tree = ast.parse(source)
    named: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, set()).update(_words_of(node.value))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        given = [keyword.value for keyword in node.keywords if keyword.arg == "key"] if name == "Fault" else []
        if name in ("add", "warn") and owner.endswith("log"):
            given = node.args[:1]
        for value in given:
            keys |= named.get(value.id, set()) if isinstance(value, ast.Name) else _words_of(value)
    return keys


def _words_of(node: ast.expr) -> set[str]:
    if isinstance(node, ast.IfExp):
        return _words_of(node.body) | _words_of(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_every_fault_key_of_the_code_has_a_text() -> None:
    used = set().union(*(_fault_keys_in(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py")))
    assert "params_unknown" in used
    assert "part_missing" in used
    assert sorted(key for key in used if f"faults.fault.{key}" not in catalogue("en")) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_fault_is_told_with_place_problem_and_remedy(lang: str) -> None:
    fault = Fault(key="id_duplicate", file="a.csv", row=7, column="site_id", value="S1", values={"first": "3"})
    line = fault.describe(lang=lang)
    assert all(part in line for part in ("a.csv", "7", "site_id", "S1", "3"))
    assert line.endswith(catalogue(lang)["faults.remedy.id_duplicate"])


def test_vietnamese_texts_are_in_nfc() -> None:
    for file in (PACKAGE / "text" / "vi").glob("*.toml"):
        assert unicodedata.is_normalized("NFC", file.read_text(encoding="utf-8")), file.name


@pytest.mark.parametrize("area", AREAS)
def test_the_files_are_plain_toml(area: str) -> None:
    for lang in LANGUAGES:
        tomllib.loads((PACKAGE / "text" / lang / area).read_text(encoding="utf-8"))


def test_the_french_apostrophe_is_one_sign() -> None:
    assert [key for key, words in catalogue("fr").items() if re.search(r"\w'\w", words)] == []
