"""Names in windows-1258 and TCVN3 are recognised by their words, read and told of; what may be both is refused."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geo.cli import app
from geo.settings import Settings
from geo.sources.encodings import (
    TCVN3,
    WINDOWS_1258,
    declared_encoding,
    is_shown_tcvn3,
    is_syllable,
    share_vietnamese,
    tell_encoding,
)
from geo.sources.folder import read_folder
from tests.prose_writer import LEGAL, law, prose
from tests.toy import COMMUNES, errors_in, faults_in, told, write_features, write_shapefile

FACTS = Path(__file__).parents[2] / "data" / "facts"
LETTERS = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ"
#: "Phường Đông Ngạc, xã Thuỵ Hương" as the fonts of ABC store it, byte for byte.
BYTES = b"Ph\xad\xeang \xa7\xabng Ng\xb9c, x\xb7 Thu\xfe H\xad\xacng"
TEXT = "Phường Đông Ngạc, xã Thuỵ Hương"


def names_of(file: str) -> list[str]:
    with (FACTS / file).open(encoding="utf-8", newline="") as stream:
        return [row["name"] for row in csv.DictReader(stream)]


NAMES = sorted({*names_of("communes_2024.csv"), *names_of("units_2025.csv")})


def without_toned_capitals(text: str) -> str:
    """Return `text` as TCVN3 can hold it: Ánh as ánh."""
    return "".join(letter if letter.isascii() or letter in LETTERS else letter.lower() for letter in text)


def in_tcvn3(text: str) -> bytes:
    """Encode by searching, letter by letter, which byte the decoder reads as it."""
    back = {}
    for byte in range(256):
        with contextlib.suppress(UnicodeError):
            back[TCVN3.read(bytes([byte]).decode("latin-1"))] = byte
    return bytes(back[letter] for letter in without_toned_capitals(text))


def in_1258(text: str) -> bytes:
    """Encode with tone marks after their letters, as windows-1258 does."""
    found = b""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = [part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323"]
        rest = unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones))
        found += (rest + "".join(tones)).encode("cp1258")
    return found


def shown(content: bytes) -> str:
    return content.decode("latin-1")


def test_the_bytes_of_abc_fonts_are_read() -> None:
    assert TCVN3.read(shown(BYTES)) == TEXT


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv, the independent table, is not installed")
def test_every_letter_agrees_with_the_table_of_the_c_library() -> None:
    content = in_tcvn3(LETTERS)
    process = subprocess.run(["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"], input=content, capture_output=True)
    if process.returncode:
        pytest.skip("this iconv does not know TCVN 5712")
    assert unicodedata.normalize("NFC", process.stdout.decode()) == LETTERS


@given(st.text(alphabet=LETTERS + "abc XYZ,-.09"))
def test_any_text_comes_back(text: str) -> None:
    assert TCVN3.read(shown(in_tcvn3(text))) == text
    assert WINDOWS_1258.read(shown(in_1258(text))) == text


def test_every_word_of_every_name_of_the_city_is_a_syllable() -> None:
    words = {word for name in NAMES for word in re.findall(r"[^\W\d_]+", name)}
    assert not [word for word in words if not is_syllable(word)]


@pytest.mark.parametrize("word", ["nghiêng", "quyết", "giếng", "Ươm", "khuỷu", "Ý"])
def test_other_syllables_are_recognised(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["Café", "Phóc¸", "bắm̀", "Hát̀", "đàt", "xyz", "ß", ""])
def test_what_is_no_syllable_is_not(word: str) -> None:
    assert not is_syllable(word)


def test_all_names_of_the_city_tell_their_encoding() -> None:
    assert tell_encoding([shown(in_tcvn3(name)) for name in NAMES]) is TCVN3
    assert tell_encoding([shown(in_1258(name)) for name in NAMES]) is WINDOWS_1258
    assert is_shown_tcvn3([shown(in_tcvn3(name)) for name in NAMES])
    assert not is_shown_tcvn3(NAMES)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8))
def test_a_few_names_never_tell_the_wrong_encoding(names: list[str]) -> None:
    for write, right in ((in_tcvn3, TCVN3), (in_1258, WINDOWS_1258)):
        texts = [shown(write(name)) for name in names]
        found = tell_encoding(texts)
        if not all(text.isascii() for text in texts):
            assert found is right or (isinstance(found, tuple) and right in found)


@given(st.lists(st.sampled_from([name for name in NAMES if max(name) > "\xff"]), min_size=1))
def test_names_in_unicode_are_left_alone(names: list[str]) -> None:
    assert not is_shown_tcvn3(names)


@pytest.mark.parametrize("text", ["Café de la Gare", "Müller Straße", "Hà", "Bé Cò", "12 m² °C", ""])
def test_other_texts_of_latin_letters_are_left_alone(text: str) -> None:
    assert not is_shown_tcvn3([text])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("TCVN3\n", TCVN3), ("tcvn-5712-1", TCVN3), ("ABC", TCVN3), ("1258", WINDOWS_1258), ("ANSI 1258", WINDOWS_1258)],
)
def test_a_declared_encoding_is_understood(text: str, encoding: object) -> None:
    assert declared_encoding(text) is encoding


def test_no_words_are_no_evidence() -> None:
    assert share_vietnamese([], TCVN3.read) == 0
    assert tell_encoding(["abc"]) == ()


# ---- files ------------------------------------------------------------------------------------------------------


def parts_with(folder: Path, names: dict[str, str], content: dict[str, bytes], cpg: bytes | None) -> dict[str, bytes]:
    """Return a shapefile of the communes whose names are the bytes of `content`."""
    frame = gpd.read_file(folder / "boundaries" / "communes.geojson")
    width = max(len(each) for each in content.values())
    places = {commune_id: f"<{i}>".ljust(width, "x") for i, commune_id in enumerate(names)}
    frame["name"] = frame["commune_id"].map(places)
    frame["dist_name"] = "Quan"
    frame = frame.drop(columns="district_name")
    write_shapefile(folder / "parts" / "communes.shp", frame)
    parts = {path.name: path.read_bytes() for path in (folder / "parts").iterdir()}
    shutil.rmtree(folder / "parts")
    for commune_id, place in places.items():
        parts["communes.dbf"] = parts["communes.dbf"].replace(place.encode(), content[commune_id].ljust(width, b" "))
    parts.pop("communes.cpg", None)
    return parts if cpg is None else {**parts, "communes.cpg": cpg}


def zip_communes(folder: Path, content: dict[str, bytes], *, cpg: bytes | None = None) -> None:
    (folder / "parts").mkdir()
    parts = parts_with(folder, {key: name for key, (name, *_) in COMMUNES.items()}, content, cpg)
    (folder / "boundaries" / "communes.geojson").unlink()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    (folder / "boundaries" / "communes.zip").write_bytes(stream.getvalue())


def commune_names(folder: Path) -> list[str]:
    return list(read_folder(folder, settings=Settings()).communes["name"])


@pytest.mark.parametrize("cpg", [None, b"TCVN3", b"ISO-8859-1", b"UTF-8", b"1258"])
def test_a_zipped_shapefile_in_tcvn3_is_read_and_told_of(folder: Path, cpg: bytes | None) -> None:
    content = {key: in_tcvn3(name) for key, (name, *_) in COMMUNES.items()}
    assert content["00004"] == b"X\xb7 \xa7\xabng"
    zip_communes(folder, content, cpg=cpg)
    assert commune_names(folder) == ["Phường ánh", "Phường Bưởi", "Xã Cửa", "Xã Đông"]
    (fault,) = [fault for fault in faults_in(folder) if fault.key == "text_recoded"]
    assert (fault.severity, fault.file) == ("warning", "boundaries/communes.zip")
    assert told(fault)["encoding"] == "TCVN3"
    assert told(fault)["n"] == "4"
    assert told(fault)["after"] == "Phường Bưởi"


@pytest.mark.parametrize("cpg", [None, b"1258", b"windows-1258"])
def test_a_zipped_shapefile_in_windows_1258_is_read_in_nfc(folder: Path, cpg: bytes | None) -> None:
    zip_communes(folder, {key: in_1258(name) for key, (name, *_) in COMMUNES.items()}, cpg=cpg)
    names = commune_names(folder)
    assert names == [name for name, *_ in COMMUNES.values()]
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert [told(f)["encoding"] for f in faults_in(folder) if f.key == "text_recoded"] == ["windows-1258"]


#: Each of these is a name of either encoding: Xă, Bé | Xó, Bộ.
TWO_WAYS = dict.fromkeys(COMMUNES, b"X\xe3 B\xe9")


def test_words_that_may_be_two_things_are_refused_with_both(folder: Path) -> None:
    zip_communes(folder, TWO_WAYS)
    (fault,) = errors_in(folder)
    assert fault.key == "text_ambiguous"
    assert told(fault)["candidates"] == "windows-1258 (“Xă Bé”), TCVN3 (“Xó Bộ”)"


@pytest.mark.parametrize(("cpg", "name"), [(b"TCVN3", "Xó Bộ"), (b"1258", "Xă Bé")])
def test_a_cpg_settles_what_the_words_do_not(folder: Path, cpg: bytes, name: str) -> None:
    zip_communes(folder, TWO_WAYS, cpg=cpg)
    assert set(commune_names(folder)) == {name}


#: As a French office writes them.
FRENCH = {"00001": "Étrez", "00002": "Péronnas", "00003": "Curtafond", "00004": "Saint-Denis-lès-Bourg"}


@pytest.mark.parametrize("cpg", [b"ISO-8859-1", b"1252", b"CP1252"])
def test_a_declared_western_encoding_holds_where_nothing_is_vietnamese(folder: Path, cpg: bytes) -> None:
    zip_communes(folder, {key: name.encode("cp1252") for key, name in FRENCH.items()}, cpg=cpg)
    assert commune_names(folder) == list(FRENCH.values())


def test_a_western_encoding_that_nobody_declares_is_refused(folder: Path) -> None:
    zip_communes(folder, {key: name.encode("cp1252") for key, name in FRENCH.items()})
    assert [fault.key for fault in errors_in(folder)] == ["not_utf8"]


def test_letters_that_only_windows_1252_has_are_read_and_told(folder: Path) -> None:
    zip_communes(folder, dict.fromkeys(COMMUNES, "Sacré-Cœur".encode("cp1252")), cpg=b"1252")
    assert set(commune_names(folder)) == {"Sacré-Cœur"}
    assert [told(fault)["encoding"] for fault in faults_in(folder) if fault.key == "text_recoded"] == ["windows-1252"]


def test_words_of_no_vietnamese_are_refused(folder: Path) -> None:
    zip_communes(folder, dict.fromkeys(COMMUNES, b"Stra\xdfe \x81"))
    assert [fault.key for fault in errors_in(folder)] == ["not_utf8"]


def test_a_geopackage_with_tcvn3_taken_for_latin_letters_is_mended(folder: Path) -> None:
    place = folder / "boundaries" / "communes.geojson"
    frame = gpd.read_file(place)
    for column in ("name", "district_name"):
        frame[column] = [shown(in_tcvn3(text)) for text in frame[column]]
    place.unlink()
    frame.to_file(place.with_suffix(".gpkg"), layer="communes", driver="GPKG")
    assert commune_names(folder)[1:] == ["Phường Bưởi", "Xã Cửa", "Xã Đông"]
    assert [told(f)["n"] for f in faults_in(folder) if f.key == "text_recoded"] == ["8"]


def test_a_geojson_with_tcvn3_headers_is_mended_too(folder: Path) -> None:
    place = folder / "boundaries" / "communes.geojson"
    features = [
        {
            "type": "Feature",
            "properties": {
                "Mã xã".replace("ã", "·"): row["commune_id"],
                "Tªn": shown(in_tcvn3(row["name"])),
                "district_id": row["district_id"],
            },
            "geometry": row["geometry"].__geo_interface__,
        }
        for row in gpd.read_file(place).to_dict("records")
    ]
    write_features(place, features)
    assert commune_names(folder)[3] == "Xã Đông"


# --- Prose pasted from a document in the fonts of ABC. ---------------------------------------------------------------
@pytest.fixture
def clauses_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Give the command `truso clauses` a text; return its result and the path of its table."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(text: str) -> Any:
        (tmp_path / "law.txt").write_text(text, encoding="utf-8")
        lists = ["--communes", str(FACTS / "communes_2024.csv"), "--units", str(FACTS / "units_2025.csv")]
        words = ["clauses", str(tmp_path / "law.txt"), *lists, "--out", str(tmp_path / "out.csv"), "--lang", "en"]
        return CliRunner().invoke(app, words)

    return run


LAW = prose(law(), words=LEGAL, gather=True, unit_first=False, numbered=True)


def test_a_resolution_pasted_in_tcvn3_is_read_and_told_of(clauses_of: Callable[[str], Any], tmp_path: Path) -> None:
    result = clauses_of(f"“NghÞ quyÕt” – 2025\n{shown(in_tcvn3(LAW))} 30 km²")
    assert result.exit_code == 0, result.output
    assert len(pd.read_csv(tmp_path / "out.csv")) == 795
    assert "TCVN3" in result.output


def test_where_only_some_words_are_in_tcvn3_it_is_named_instead_of_a_wall_of_faults(
    clauses_of: Callable[[str], Any],
) -> None:
    fonts = str.maketrans("ăâêôơưđ", "¨©ª«¬\xad®")
    result = clauses_of(f"NGHỊ QUYẾT\n{LAW.translate(fonts)}")
    assert result.exit_code == 1
    assert "law.txt, row 2, value “" in result.output
    assert "TCVN3" in result.output
    assert "No clause in" not in result.output


@pytest.mark.parametrize("extra", ["", " · § 5 «Tân» 30 km² ± 2°C µ", " Ủy ban Nhân dân ở Đà Nẵng và à, é, ê"])
def test_prose_in_unicode_is_left_alone(clauses_of: Callable[[str], Any], extra: str) -> None:
    result = clauses_of(LAW + extra)
    assert result.exit_code == 0, result.output
    assert "TCVN3" not in result.output
