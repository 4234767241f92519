"""Clauses from prose: the words of the law, the short form, names in every spelling, notes and what stands around.

The prose of the property tests is written by tests/prose_writer.py, from tables; it shares nothing with the reader.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import Fault
from geo.merge.clauses import check_clauses, parse_clauses
from geo.schemas import RELATIONS
from geo.text import LANGUAGES
from tests.prose_writer import (
    COMMUNES,
    FACTS,
    LEGAL,
    MESSES,
    OTHER_WORDS,
    UNITS,
    clause_tables,
    law,
    other_tones,
    prose,
    short_form,
)

SHARED_UNITS = FACTS.parents[2] / "shared" / "data" / "hanoi" / "units_2025.geojson"


def rows(parsed: Any) -> list[tuple[Any, ...]]:
    return list(parsed.table[["clause", "unit_id", "commune_id", "relation"]].itertuples(index=False, name=None))


def keys(parsed: Any) -> list[str]:
    return [fault.key for fault in parsed.faults]


def told(fault: Fault) -> dict[str, str]:
    """Return the values of a fault's message."""
    return asdict(fault)["values"]


def parse(text: str, **options: Any) -> Any:
    return parse_clauses(text, **{"communes": COMMUNES, "units": UNITS, **options})


@given(
    table=clause_tables(),
    words=st.sampled_from([LEGAL, OTHER_WORDS]),
    gather=st.booleans(),
    unit_first=st.booleans(),
    numbered=st.booleans(),
    mess=st.sampled_from(sorted(MESSES)),
)
def test_any_table_written_as_legal_prose_is_read_back_exactly(
    table: pd.DataFrame, words: dict[str, str], gather: bool, unit_first: bool, numbered: bool, mess: str
) -> None:
    text = MESSES[mess](prose(table, words=words, gather=gather, unit_first=unit_first, numbered=numbered))
    parsed = parse(text)
    assert keys(parsed) == []
    assert rows(parsed) == list(table.itertuples(index=False, name=None))
    used = COMMUNES.loc[COMMUNES.index.isin(table["commune_id"])]
    assert check_clauses(parsed.table, communes=used, units=UNITS.loc[table["unit_id"].unique()]) == []


@given(table=clause_tables(), mess=st.sampled_from(sorted(MESSES)))
def test_the_short_form_is_read_back_but_for_what_it_does_not_say(table: pd.DataFrame, mess: str) -> None:
    parsed = parse(MESSES[mess](short_form(table)))
    said = table.assign(relation=table["relation"].where(~table["relation"].str.startswith("part"), "part"))
    assert rows(parsed) == list(said.itertuples(index=False, name=None))
    n_parts = int((said["relation"] == "part").sum())
    assert [(fault.key, told(fault)) for fault in parsed.faults] == (
        [("clause_parts_inferred", {"n": str(n_parts)})] if n_parts else []
    )


def test_the_795_statements_of_the_resolution_written_as_prose_are_read_back_exactly() -> None:
    table = law()
    for gather in (True, False):
        parsed = parse(prose(table, words=LEGAL, gather=gather, unit_first=False, numbered=True))
        assert keys(parsed) == []
        assert rows(parsed) == list(table.itertuples(index=False, name=None))
    assert check_clauses(parsed.table, communes=COMMUNES, units=UNITS) == []


# --- Genuine wordings. -----------------------------------------------------------------------------------------------
def test_clause_2_of_the_resolution_in_its_own_words() -> None:
    parsed = parse(
        "2. Sắp xếp toàn bộ diện tích tự nhiên, quy mô dân số của các phường Hàng Bài, Phan Chu Trinh, Trần Hưng Đạo, "
        "một phần diện tích tự nhiên, quy mô dân số của các phường Cửa Nam, Nguyễn Du, Phạm Đình Hổ và phần còn lại "
        "của các phường Hàng Bông, Hàng Trống, Tràng Tiền sau khi sắp xếp theo quy định tại khoản 1 Điều này thành "
        "phường mới có tên gọi là phường Cửa Nam."
    )
    expected = law().query("clause == 2")
    assert rows(parsed) == list(expected.itertuples(index=False, name=None))
    assert keys(parsed) == []


def test_several_remainders_each_with_its_own_reference() -> None:
    parsed = parse(
        "1. Sắp xếp một phần diện tích tự nhiên của phường Cửa Đông thành phường mới có tên gọi là phường Hoàn Kiếm.\n"
        "2. Sắp xếp một phần diện tích tự nhiên, quy mô dân số phường Kim Mã thành phường mới có tên gọi là phường "
        "Cửa Nam.\n3. Sắp xếp phường Trúc Bạch, phần còn lại của phường Cửa Đông sau khi sắp xếp theo quy định tại "
        "khoản 1 Điều này và phần còn lại của phường Kim Mã sau khi sắp xếp theo quy định tại khoản 2 Điều này thành "
        "phường mới có tên gọi là phường Ba Đình."
    )
    assert [relation for *_, relation in rows(parsed)] == ["part_area_only", "part", "whole", "remainder", "remainder"]
    assert keys(parsed) == []


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("Sắp xếp toàn bộ xã Bắc Sơn, một phần xã Hồng Kỳ thành xã mới có tên gọi là xã Trung Giã", ["whole", "part"]),
        ("Hợp nhất xã Bắc Sơn và xã Hồng Kỳ để thành lập đơn vị hành chính mới là xã Trung Giã", ["whole", "whole"]),
        ("Xã Trung Giã gồm toàn bộ diện tích, dân số xã Bắc Sơn; một phần xã Hồng Kỳ", ["whole", "part"]),
        ("Thành lập xã Trung Giã trên cơ sở toàn bộ diện tích tự nhiên (27,1 km2), quy mô dân số (9.500 người) của xã "
         "Bắc Sơn và phần lớn diện tích tự nhiên, dân số của xã Hồng Kỳ", ["whole", "part"]),
        ("Xã Trung Giã được hình thành trên cơ sở nhập toàn bộ diện tích tự nhiên, dân số các xã: Bắc Sơn, Hồng Kỳ "
         "(huyện Sóc Sơn); phần còn lại của xã Nam Sơn", ["whole", "whole", "remainder"]),
    ],
)  # fmt: skip
def test_other_wordings_that_officials_and_papers_use(text: str, relations: list[str]) -> None:
    parsed = parse(text)
    assert keys(parsed) == []
    assert parsed.table["relation"].tolist() == relations
    assert set(parsed.table["unit_id"]) == {"00385"}
    assert parsed.table["commune_name"].tolist()[:2] == ["Xã Bắc Sơn", "Xã Hồng Kỳ"]


@pytest.mark.skipif(not SHARED_UNITS.is_file(), reason="the public table of predecessors is not part of the project")
def test_the_public_table_of_predecessors_is_recovered_without_a_wrong_pair() -> None:
    clause_of = law().drop_duplicates("unit_id").set_index("unit_id")["clause"]
    features = [feature["properties"] for feature in json.loads(SHARED_UNITS.read_text(encoding="utf-8"))["features"]]
    parsed = parse("\n".join(f"{clause_of[p['code']]}. {p['name']}: {p['predecessors']}" for p in features))
    truth = {(unit, commune): relation for _, unit, commune, relation in law().itertuples(index=False, name=None)}
    found = {(unit, commune): relation for _, unit, commune, relation in rows(parsed)}
    assert set(found) - set(truth) == set()
    assert set(truth) - set(found) == {("09817", "09013")}, "the table leaves Văn Khê out of Ô Diên"
    differ = {pair: (truth[pair], said) for pair, said in found.items() if truth[pair] != said}
    assert len(found) - len(differ) == 734
    assert {said for _, said in differ.values()} == {"part"}
    assert {law for law, _ in differ.values()} == {"part_area_only", "part_area_whole_population"}
    assert {fault.severity for fault in parsed.faults} == {"warning"}
    assert keys(parsed).count("clause_district_taken") == 3
    doubted = {fault.value for fault in parsed.faults if fault.key == "clause_reference"}
    assert "Xã Văn Khê" in doubted, "the remainder's note names Ô Diên, which gives the gap away"
    assert check_clauses(parsed.table, communes=COMMUNES, units=UNITS) == []


# --- Names. ----------------------------------------------------------------------------------------------------------
def one(text: str) -> Any:
    """Parse the list of communes `text` as that of Mê Linh."""
    return parse(f"1. Xã Mê Linh: {text}")


def test_a_name_of_several_districts_is_ambiguous_and_all_candidates_are_told() -> None:
    parsed = one("Xã Tiền Phong")
    assert len(parsed.table) == 0
    fault = parsed.faults[0]
    assert (fault.key, fault.severity, fault.row, fault.value) == (
        "clause_commune_ambiguous", "error", 1, "xã Tiền Phong",
    )  # fmt: skip
    assert "Huyện Mê Linh, 09019" in told(fault)["candidates"]
    assert "Huyện Thường Tín, 10222" in told(fault)["candidates"]


@pytest.mark.parametrize(
    "text",
    [
        "Xã Tiền Phong (huyện Mê Linh)",
        "Xã Tiền Phong thuộc huyện Mê Linh",
        "Xã Tiền Phong, huyện Mê Linh",
        "xã Tiền Phong huyện Mê Linh, thành phố Hà Nội",
        "Xã Tiền Phong (H. Mê Linh)",
        "Xã Tiền Phong (Mê Linh)",
        "Xã Tiền Phong (thuộc huyện Mê Linh, thành phố Hà Nội)",
    ],
)
def test_the_district_beside_the_name_settles_it(text: str) -> None:
    parsed = one(text)
    assert parsed.table["commune_id"].tolist() == ["09019"]
    assert keys(parsed) == []


@pytest.mark.parametrize(
    "text", ["Xã Tiền Phong (huyện Ba Vì)", "Xã Tiên Phong (huyện Mê Linh)", "Xã Tráng Việt (Ba Vì)"]
)
def test_a_name_that_the_district_does_not_have_is_unknown_even_if_another_has_it(text: str) -> None:
    parsed = one(text)
    assert len(parsed.table) == 0
    assert keys(parsed) == ["clause_commune_unknown"]
    assert "(Huyện" in told(parsed.faults[0])["candidates"]


def test_the_last_of_several_homonyms_carries_the_district_of_all_and_this_is_said() -> None:
    parsed = one("các xã Hòa Phú, Thái Hòa (huyện Ứng Hòa), Tráng Việt")
    assert parsed.table["commune_id"].tolist() == ["10417", "10396", "09022"]
    assert [(fault.key, fault.severity, fault.value) for fault in parsed.faults] == [
        ("clause_district_taken", "warning", "xã Hòa Phú")
    ]
    assert "Huyện Chương Mỹ" in told(parsed.faults[0])["candidates"]


@pytest.mark.parametrize(
    "text",
    [
        "xã Thái Hòa (huyện Ứng Hòa), xã Hòa Phú",
        "xã Hòa Phú, xã Tráng Việt (huyện Mê Linh)",
        "xã Hòa Phú, xã Tráng Việt, xã Thái Hòa (huyện Ứng Hòa)",
    ],
)
def test_a_district_is_not_carried_forwards_nor_past_another_name_nor_where_it_does_not_fit(text: str) -> None:
    assert [(f.key, f.value) for f in one(text).faults] == [("clause_commune_ambiguous", "xã Hòa Phú")]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("các xã Yên Viên, Yên Thường và phường Minh Khai (quận Hai Bà Trưng)", ["00532", "00529", "00295"]),
        ("thị trấn Yên Viên, xã Yên Viên", ["00526", "00532"]),
        ("các xã Dục Tú, Uy Nỗ và các phường Hàng Bạc, Hàng Bồ", ["00496", "00478", "00061", "00052"]),
        ("các xã, thị trấn: Phú Cường (Ba Vì), Quang Minh, Tráng Việt", ["09625", "08989", "09022"]),
        ("các xã: Xuân Nộn, thị trấn Đông Anh, Liên Hà (huyện Đông Anh)", ["00457", "00454", "00484"]),
        ("PHƯỜNG NGÔ QUYỀN (THỊ XÃ SƠN TÂY)", ["09574"]),
    ],
)
def test_a_kind_holds_for_the_names_that_follow_it(text: str, ids: list[str]) -> None:
    parsed = one(text)
    assert parsed.table["commune_id"].tolist() == ids
    assert keys(parsed) == []


@pytest.mark.parametrize("mess", [other_tones, lambda name: unicodedata.normalize("NFD", name), str.upper])
def test_the_lists_of_communes_and_units_may_be_spelt_otherwise_too(mess: Callable[[str], str]) -> None:
    communes, units = (table.assign(name=table["name"].map(mess)) for table in (COMMUNES, UNITS))
    parsed = parse(
        prose(law(), words=LEGAL, gather=True, unit_first=False, numbered=True), communes=communes, units=units
    )
    assert keys(parsed) == []
    assert len(parsed.table) == len(law())


def test_without_a_kind_a_name_of_two_kinds_is_ambiguous() -> None:
    assert [(fault.key, fault.value) for fault in one("Yên Viên").faults] == [("clause_commune_ambiguous", "Yên Viên")]


def test_another_kind_than_the_one_said_is_not_taken() -> None:
    parsed = one("Phường Tráng Việt")
    assert keys(parsed) == ["clause_commune_unknown"]
    assert told(parsed.faults[0])["candidates"] == "Xã Tráng Việt (Huyện Mê Linh, 09022)"


@pytest.mark.parametrize(
    "name", ["Phường Hàng Bặc", "Phường Hàng Bạcc", "Phường Hang Bac", "Phường Hàng Bạc cũ", "Phường"]
)
def test_a_misspelt_name_is_unknown_never_the_nearest(name: str) -> None:
    parsed = one(name)
    assert len(parsed.table) == 0
    assert keys(parsed) in (["clause_commune_unknown"], ["clause_unreadable"])


def test_a_note_nobody_understands_is_told() -> None:
    parsed = one("Xã Tráng Việt (xã nông thôn mới)")
    assert parsed.table["commune_id"].tolist() == ["09022"]
    assert [(f.key, told(f)["note"]) for f in parsed.faults] == [("clause_note_ignored", "xã nông thôn mới")]


WHOLE, PART = f"{LEGAL['whole']} xã Tráng Việt", f"{LEGAL['part']} xã Tráng Việt"
LAND, LAND_OF_ALL = (f"{LEGAL[key]} xã Tráng Việt" for key in ("part_area_only", "part_area_whole_population"))
REST = "phần còn lại của xã Tráng Việt"


@pytest.mark.parametrize(
    "text",
    [
        f"{WHOLE} (một phần)",
        f"{WHOLE} (một phần thôn Đông Cao)",
        f"{WHOLE} (toàn bộ thôn Đông Cao)",
        f"{WHOLE} (trừ thôn Đông Cao)",
        f"{WHOLE} (trừ phần nhập vào xã Yên Lãng)",
        f"{WHOLE} (huyện Mê Linh, trừ thôn Đông Cao)",
        f"{WHOLE} (huyện Mê Linh; một phần)",
        f"{WHOLE} (không bao gồm thôn Đông Cao)",
        f"{WHOLE} (phần còn lại)",
        f"{PART} (phần còn lại)",
        f"{PART} (toàn bộ)",
        f"{PART} (một phần; phần còn lại nhập vào xã Yên Lãng)",
        f"{PART} (một phần diện tích tự nhiên)",
        f"{LAND} (toàn bộ dân số)",
        f"{LAND} (một phần diện tích, dân số)",
        f"{LAND_OF_ALL} (trừ dân số thôn Đông Cao)",
        f"{REST} (một phần)",
        f"{REST} (toàn bộ)",
        "Xã Tráng Việt (một phần, phần còn lại)",
        "Xã Tráng Việt (trừ thôn Đông Cao)",
    ],
)
def test_a_note_that_contradicts_the_words_before_it_is_an_error(text: str) -> None:
    (fault,) = [fault for fault in one(text).faults if fault.severity == "error"]
    assert (fault.key, fault.value) == ("clause_note_contradicts", "xã Tráng Việt")
    assert told(fault)["note"] in text
    assert all(fault.describe(lang=lang) for lang in LANGUAGES)


@pytest.mark.parametrize("words", [LEGAL, OTHER_WORDS])
@pytest.mark.parametrize("before", RELATIONS)
@pytest.mark.parametrize("noted", RELATIONS)
def test_of_all_words_of_the_law_a_note_may_repeat_only_those_before_the_name(
    before: str, noted: str, words: dict[str, str]
) -> None:
    parsed = one(f"{words[before]} xã Tráng Việt ({words[noted].removesuffix(' của')})")
    agrees = noted == before or (before, noted) == ("part_area_whole_population", "part_area_only")
    assert keys(parsed) == ([] if agrees else ["clause_note_contradicts"])


@pytest.mark.parametrize(
    ("text", "relation", "ignored"),
    [
        (f"{WHOLE} (toàn bộ)", "whole", []),
        (f"{WHOLE} (huyện Mê Linh)", "whole", []),
        (f"{WHOLE} (thuộc huyện Mê Linh, thành phố Hà Nội)", "whole", []),
        (f"{PART} (một phần)", "part", []),
        (f"{PART} (toàn bộ thôn Đông Cao, một phần thôn Tráng Việt)", "part", []),
        (f"{PART} (toàn bộ diện tích, dân số các thôn 1, 2)", "part", ["toàn bộ diện tích, dân số các thôn 1, 2"]),
        (f"{PART} (huyện Mê Linh, gồm các thôn 1, 2)", "part", ["gồm các thôn 1, 2"]),
        (f"{PART} (trừ thôn Đông Cao)", "part", ["trừ thôn Đông Cao"]),
        (f"{LAND} (một phần)", "part_area_only", []),
        (f"{LAND} (1,5 km2)", "part_area_only", []),
        (f"{LAND_OF_ALL} (toàn bộ dân số)", "part_area_whole_population", []),
        (f"{LAND_OF_ALL} (một phần diện tích)", "part_area_whole_population", []),
        (f"{REST} (phần còn lại sau khi sáp nhập vào xã Yên Lãng)", "remainder", []),
        (f"{REST} (trừ phần đã nhập vào xã Yên Lãng)", "remainder", ["trừ phần đã nhập vào xã Yên Lãng"]),
        (f"{REST} (phần còn lại sau khi điều chỉnh một phần vào xã Yên Lãng)", "remainder", []),
        ("Xã Tráng Việt (một phần)", "part", []),
        ("Xã Tráng Việt (toàn bộ diện tích, dân số)", "whole", []),
    ],
)
def test_a_note_that_agrees_is_taken_and_one_that_describes_a_part_is_told(
    text: str, relation: str, ignored: list[str]
) -> None:
    parsed = one(text)
    assert parsed.table["relation"].tolist() == [relation]
    notes = [fault for fault in parsed.faults if fault.key not in ("clause_reference",)]
    assert [(fault.key, fault.severity) for fault in notes] == [("clause_note_ignored", "warning")] * len(ignored)
    assert all(note in told(fault)["note"] for note, fault in zip(ignored, notes, strict=True))


# --- The text around the clauses. ------------------------------------------------------------------------------------
def test_what_is_no_clause_is_left_out_and_said() -> None:
    parsed = parse(
        "NGHỊ QUYẾT\nVề việc sắp xếp các đơn vị hành chính cấp xã\n\nĐiều 1. Sắp xếp các đơn vị hành chính cấp xã của "
        "thành phố Hà Nội\n1. Sắp xếp toàn bộ diện tích tự nhiên, quy mô dân số của các xã Tân Dân (huyện Sóc Sơn), "
        "Minh Phú, Minh Trí thành xã mới có tên gọi là xã Kim Anh. Sau khi sắp xếp, xã Kim Anh có 30,27 km2.\n"
        "2. Sau khi sắp xếp, thành phố Hà Nội có 126 đơn vị hành chính cấp xã, gồm 51 phường và 75 xã.\n"
        "Điều 2. Hiệu lực thi hành\n1. Nghị quyết này có hiệu lực thi hành từ ngày được thông qua.\n"
    )
    assert parsed.table["commune_name"].tolist() == ["Xã Tân Dân", "Xã Minh Phú", "Xã Minh Trí"]
    assert keys(parsed) == ["clause_skipped"]
    assert parsed.faults[0].value is not None
    assert parsed.faults[0].value.startswith("NGHỊ QUYẾT")


@pytest.mark.parametrize(
    "sentence",
    [
        "Xã Kim Anh nhận thêm một phần xã Tráng Việt.",
        "Xã Kim Anh nhận thêm xã Tráng Việt.",
        "Điều chỉnh toàn bộ thôn Đông Cao, xã Tráng Việt về xã Kim Anh.",
        "Phần còn lại của các xã Không Có, Tráng Việt nhập vào xã Kim Anh.",
        "Một phần Tráng Việt nhập vào xã Kim Anh.",
        "Trừ thôn Đông Cao của xã Tráng\nViệt.",
        "Một phần diện tích tự nhiên của xã Không Có nhập vào xã Kim Anh.",
    ],
)
@pytest.mark.parametrize("where", ["before", "after", "between"])
def test_a_sentence_outside_the_clauses_that_moves_a_known_commune_is_an_error(sentence: str, where: str) -> None:
    clauses = ["1. Xã Kim Anh: Xã Minh Phú, Xã Minh Trí.", "2. Xã Nội Bài: Xã Hiền Ninh."]
    lines = {
        "before": [sentence, *clauses],
        "after": [*clauses, sentence],
        "between": [clauses[0], sentence, clauses[1]],
    }
    parsed = parse("\n".join(lines[where]))
    (fault,) = parsed.faults
    assert (fault.key, fault.severity) == ("clause_left_out", "error")
    assert fault.value == sentence.replace("\n", " ").strip(".")
    assert all(fault.describe(lang=lang) for lang in LANGUAGES)
    assert len(parsed.table) == 3


@pytest.mark.parametrize(
    "sentence",
    [
        "Sau khi sắp xếp, xã Kim Anh có diện tích tự nhiên là 30,27 km2, quy mô dân số là 25.000 người.",
        "Xã Tráng Việt giáp các xã Tiền Phong, Văn Khê.",
        "Chính quyền địa phương tiếp quản toàn bộ trụ sở, tài sản của các đơn vị cũ.",
        "Nghị quyết này thay thế một phần Nghị quyết số 16; phần còn lại có hiệu lực thi hành từ ngày 1/7/2025.",
    ],
)
def test_a_sentence_that_moves_no_commune_is_only_left_out(sentence: str) -> None:
    parsed = parse(f"1. Xã Kim Anh: Xã Minh Phú, Xã Minh Trí. {sentence}")
    assert [(fault.key, fault.severity) for fault in parsed.faults] == [("clause_skipped", "warning")]


def test_one_running_line_holds_several_clauses() -> None:
    one_line = prose(law().query("clause <= 5"), words=LEGAL, gather=True, unit_first=False, numbered=True)
    assert len(parse(one_line.replace("\n", " ")).table) == len(law().query("clause <= 5"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "clause_none"),
        ("Không có gì ở đây.", "clause_none"),
        ("1. Xã Kim Anh: Xã Minh Phú (phần còn lại, Xã Minh Trí", "clause_brackets"),
        ("1. Sắp xếp toàn bộ diện tích tự nhiên, quy mô dân số của xã Minh Phú.", "clause_unreadable"),
        ("1. Xã Kim Anh: ", "clause_unreadable"),
        ("1. Xã Kim Anh: Xã Minh Phú. Một phần diện tích tự nhiên của xã Minh Trí", "clause_left_out"),
        ("1. Xã Kim Ánh: Xã Minh Phú", "clause_unit_unknown"),
        ("1. Xã Kim Anh: Xã Minh Phú\n1. Xã Nội Bài: Xã Hiền Ninh", "clause_number_twice"),
        ("1. Xã Kim Anh: Xã Minh Phú\nXã Nội Bài: Xã Hiền Ninh", "clause_unnumbered"),
        ("1. Xã Kim Anh: toàn bộ diện tích tự nhiên của xã Minh Phú", "clause_commune_unknown"),
        ("1. Xã Kim Anh: một phần xã Minh Phú\n2. Xã Nội Bài: phần còn lại của xã Minh Phú sau khi sắp xếp theo quy "
         "định tại khoản 7 Điều này", "clause_reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_every_language(text: str, key: str) -> None:
    faults = [fault for fault in parse(text).faults if fault.key == key]
    assert faults
    for fault in faults:
        assert all(fault.describe(lang=lang) for lang in LANGUAGES)


def test_without_a_list_of_units_the_number_of_the_clause_is_the_id() -> None:
    parsed = parse("7. Xã Kim Anh: Xã Minh Phú, Xã Minh Trí", units=None)
    assert parsed.table[["clause", "unit_id", "unit_name"]].drop_duplicates().to_numpy().tolist() == [
        [7, "7", "Xã Kim Anh"]
    ]


@pytest.mark.parametrize("units", [UNITS, None])
def test_two_clauses_cannot_build_one_unit_whether_or_not_the_units_are_listed(units: pd.DataFrame | None) -> None:
    text = "1. Xã Kim Anh: Xã Minh Phú\n2. Xã Nội Bài: Xã Hiền Ninh\n\n3. XÃ KIM ANH: Xã Minh Trí"
    parsed = parse(text, units=units)
    assert [(fault.key, fault.severity, fault.row, fault.value) for fault in parsed.faults] == [
        ("clause_unit_twice", "error", 4, "XÃ KIM ANH")
    ]
    assert "clause 1 " in str(parsed.faults[0])
    assert all(parsed.faults[0].describe(lang=lang) for lang in LANGUAGES)
    assert parsed.table["unit_id"].nunique() == 2


def test_without_numbers_remainders_come_after_the_other_parts() -> None:
    parsed = parse(
        "Phường Ba Đình: Phường Kim Mã (phần còn lại)\nPhường Cửa Nam: Phường Kim Mã\nXã Kim Anh: Xã Minh Phú"
    )
    assert parsed.table[["unit_name", "relation"]].to_numpy().tolist() == [
        ["Phường Cửa Nam", "part"], ["Phường Ba Đình", "remainder"], ["Xã Kim Anh", "whole"],
    ]  # fmt: skip
    assert sorted(keys(parsed)) == ["clause_order_inferred", "clause_parts_inferred"]


def test_every_fault_names_its_line() -> None:
    faults: tuple[Fault, ...] = parse("\n\n1. Xã Kim Anh: Xã Không Có\n\n2. Xã Lạ: Xã Minh Phú").faults
    assert [(fault.key, fault.row) for fault in faults] == [("clause_commune_unknown", 3), ("clause_unit_unknown", 5)]
