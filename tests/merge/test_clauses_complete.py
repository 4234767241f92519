"""What must be complete before clauses divide every commune once, and the command that turns prose into their table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geo.cli import app
from geo.merge.clauses import check_clauses
from geo.schemas import RELATIONS
from geo.text import LANGUAGES
from tests.prose_writer import COMMUNES, FACTS, LEGAL, ROOT, UNITS, clause_tables, law, prose


def table_of(*entries: tuple[int, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(entries, columns=["clause", "unit_id", "commune_id", "relation"])


COMPLETE = [
    (1, "U", "a", "whole"),
    (1, "U", "b", "part_area_only"),
    (2, "V", "b", "part_area_whole_population"),
    (3, "W", "b", "remainder"),
]


def found_in(*entries: tuple[int, str, str, str]) -> list[tuple[str, int | None, str | None]]:
    communes, units = pd.DataFrame(index=["a", "b"]), pd.DataFrame(index=["U", "V", "W"])
    faults = check_clauses(table_of(*entries), communes=communes, units=units)
    for fault in faults:
        assert all(fault.describe(lang=lang) for lang in LANGUAGES)
    return [(fault.key, fault.row, fault.value) for fault in faults]


def changed(row: int, **values: Any) -> list[tuple[int, str, str, str]]:
    names = ("clause", "unit_id", "commune_id", "relation")
    entries: list[Any] = list(COMPLETE)
    entries[row] = tuple(values.get(name, value) for name, value in zip(names, entries[row], strict=True))
    return entries


def test_a_complete_table_has_no_faults() -> None:
    assert found_in(*COMPLETE) == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (COMPLETE[1:], [("commune_without_clause", None, "a")]),
        (COMPLETE[:3], [("remainder_missing", 4, "part_area_whole_population"), ("unit_without_clause", None, "W")]),
        (changed(0, relation="remainder"), [("part_of_undivided", 2, "remainder")]),
        (
            changed(2, relation="remainder"),
            [("remainder_twice", 5, "remainder"), ("remainder_not_last", 4, "remainder")],
        ),
        (changed(3, clause=1), [("remainder_not_last", 5, "remainder")]),
        (changed(1, relation="whole"), [("whole_divided", 3, "whole")]),
        (changed(1, relation="part"), [("people_twice", 3, "part")]),
        (changed(1, relation="part_area_whole_population"), [("people_twice", 4, "part_area_whole_population")]),
        (changed(1, unit_id="V"), [("pair_twice", 4, "b")]),
        (changed(0, commune_id="z"), [("id_unknown", 2, "z"), ("commune_without_clause", None, "a")]),
        (changed(3, unit_id="Z"), [("id_unknown", 5, "Z"), ("unit_without_clause", None, "W")]),
    ],
)
def test_what_is_missing_or_contradictory_is_told_with_its_row(
    entries: list[Any], expected: list[tuple[str, int | None, str | None]]
) -> None:
    assert sorted(found_in(*entries), key=str) == sorted(expected, key=str)


def test_a_double_is_told_once_and_not_as_a_division_too() -> None:
    assert found_in(*COMPLETE, (1, "U", "a", "whole")) == [("pair_twice", 6, "a")]


def test_the_resolution_itself_is_complete() -> None:
    assert check_clauses(law(), communes=COMMUNES, units=UNITS) == []


@given(table=clause_tables(), data=st.data())
def test_no_single_change_of_a_relation_goes_unnoticed_unless_the_table_stays_complete(
    table: pd.DataFrame, data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(table) - 1))
    relation = data.draw(st.sampled_from([each for each in RELATIONS if each != table.loc[row, "relation"]]))
    broken = table.assign(relation=table["relation"].where(table.index != row, relation))
    groups = broken[broken["commune_id"] == broken.loc[row, "commune_id"]].sort_values("clause", kind="stable")
    relations = groups["relation"].tolist()
    parts = relations[:-1]
    n_takers = parts.count("part_area_whole_population")
    divided = len(relations) > 1 and relations[-1] == "remainder" and not {"whole", "remainder"} & set(parts)
    people_once = n_takers == 0 or (n_takers == 1 and "part" not in parts)
    complete = relations == ["whole"] or (divided and people_once)
    used = COMMUNES.loc[COMMUNES.index.isin(table["commune_id"])]
    faults = check_clauses(broken, communes=used, units=UNITS.loc[table["unit_id"].unique()])
    assert (faults == []) == complete


# --- The command. ----------------------------------------------------------------------------------------------------
@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *words: CliRunner().invoke(app, ["clauses", *map(str, words), "--lang", "en"])


def test_the_command_writes_the_table_that_a_data_folder_takes(run: Callable[..., Any], tmp_path: Path) -> None:
    text, out = tmp_path / "law.txt", tmp_path / "out" / "clauses.csv"
    text.write_text(prose(law(), words=LEGAL, gather=True, unit_first=False, numbered=True), encoding="utf-8-sig")
    units = FACTS / "units_2025.csv"
    result = run(text, "--communes", FACTS / "communes_2024.csv", "--units", units, "--out", out)
    assert result.exit_code == 0, result.output
    assert "795 rows" in result.output
    written = pd.read_csv(out, dtype={"unit_id": str, "commune_id": str})
    assert written[["clause", "unit_id", "commune_id", "relation"]].to_numpy().tolist() == law().to_numpy().tolist()


def test_the_command_says_what_is_ambiguous_or_missing_and_writes_nothing(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    text, out = tmp_path / "law.txt", tmp_path / "clauses.csv"
    text.write_text("1. Xã Mê Linh: Xã Tiền Phong", encoding="utf-8")
    result = run(text, "--communes", ROOT / "data", "--units", ROOT / "data", "--out", out)
    assert result.exit_code == 1
    assert "Huyện Thường Tín, 10222" in result.output
    assert "No clause in law.txt says where commune Phường Phúc Xá (00001) goes" in result.output
    assert not out.exists()


@pytest.mark.parametrize("header", ["commune_id,name", "Mã xã,Tên xã", "commune_id,name,district_id"])
def test_the_command_needs_no_district_ids_where_names_are_unique(
    run: Callable[..., Any], tmp_path: Path, header: str
) -> None:
    text, communes, out = (tmp_path / name for name in ("law.txt", "communes.csv", "clauses.csv"))
    rest = "," * (header.count(",") - 1)
    communes.write_text(f"{header}\n00001,Xã Minh Phú{rest}\n00002,Xã Minh Trí{rest}\n", "utf-8")
    text.write_text("1. Xã Kim Anh: Xã Minh Phú, Xã Minh Trí", "utf-8")
    result = run(text, "--communes", communes, "--out", out)
    assert result.exit_code == 0, result.output
    assert pd.read_csv(out, dtype=str)["commune_id"].tolist() == ["00001", "00002"]


def test_what_is_incomplete_is_told_by_the_line_of_the_text_and_by_name(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    text, communes = tmp_path / "law.txt", tmp_path / "communes.csv"
    communes.write_text("commune_id,name,district_id\n1,Xã Minh Phú,1\n2,Xã Minh Trí,1\n3,Xã Nội Bài,1\n", "utf-8")
    text.write_text("NGHỊ QUYẾT\n\n1. Xã Kim Anh: Xã Minh Phú (toàn bộ),\nXã Minh Trí, Xã Minh Phú", "utf-8")
    words = " ".join(run(text, "--communes", communes, "--out", tmp_path / "clauses.csv").output.split())
    assert "law.txt, row 3, value “1”: Commune Xã Minh Phú (1) is listed twice for the unit Xã Kim Anh (1)." in words
    assert "law.txt, value “3”: No clause in law.txt says where commune Xã Nội Bài (3) goes." in words
    assert "column" not in words


def test_the_command_refuses_what_is_not_utf8_text(run: Callable[..., Any], tmp_path: Path) -> None:
    text = tmp_path / "law.txt"
    text.write_bytes("dòng một\n".encode() + "Xã Mê Linh".encode("windows-1258", "replace") + b"\xff")
    result = run(text, "--communes", FACTS / "communes_2024.csv", "--out", tmp_path / "clauses.csv")
    assert result.exit_code == 1
    assert "not UTF-8" in result.output
