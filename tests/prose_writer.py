"""A writer of legal prose: from tables of clauses to text, the reader's counterpart. It shares nothing with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "data" / "facts"


def _communes() -> pd.DataFrame:
    table = pd.read_csv(FACTS / "communes_2024.csv", dtype=str)
    return table.rename(columns={"code": "commune_id", "type": "kind", "district": "district_name"}).set_index(
        "commune_id"
    )[["name", "kind", "district_name"]]


def _units() -> pd.DataFrame:
    table = pd.read_csv(FACTS / "units_2025.csv", dtype=str)
    return table.rename(columns={"code": "unit_id", "type": "kind"}).set_index("unit_id")[["name", "kind"]]


COMMUNES, UNITS = _communes(), _units()


def law() -> pd.DataFrame:
    """Return the 795 rows of the resolution: clause, unit_id, commune_id, relation."""
    table = pd.read_csv(FACTS / "clauses_1656.csv", dtype=str).astype({"clause": int})
    return table.rename(columns={"new_code": "unit_id", "old_code": "commune_id"})[
        ["clause", "unit_id", "commune_id", "relation"]
    ]


LEGAL = {
    "whole": "toàn bộ diện tích tự nhiên, quy mô dân số của",
    "part": "một phần diện tích tự nhiên, quy mô dân số của",
    "part_area_only": "một phần diện tích tự nhiên của",
    "part_area_whole_population": "một phần diện tích tự nhiên, toàn bộ quy mô dân số của",
    "remainder": "phần còn lại của",
}
OTHER_WORDS = {
    "whole": "toàn bộ diện tích tự nhiên và quy mô dân số của",
    "part": "một phần diện tích tự nhiên và quy mô dân số của",
    "part_area_only": "một phần diện tích tự nhiên của",
    "part_area_whole_population": "một phần diện tích tự nhiên và toàn bộ quy mô dân số của",
    "remainder": "phần diện tích tự nhiên, quy mô dân số còn lại của",
}
TIMES_NAMED = COMMUNES["name"].value_counts()


def spelt(commune_id: str) -> tuple[str, str]:
    """Return the kind in lower case, and the name with its district where several communes bear it."""
    name, kind, district = COMMUNES.loc[commune_id]
    base = name.removeprefix(kind).strip()
    needs = TIMES_NAMED[name] > 1
    return kind.lower(), f"{base} ({district[0].lower()}{district[1:]})" if needs else base


def joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} và {parts[-1]}"


def listed(commune_ids: list[str], *, gather: bool) -> str:
    """Return "các xã A, B và phường C", or every kind repeated."""
    groups: list[tuple[str, list[str]]] = []
    for kind, name in map(spelt, commune_ids):
        if gather and groups and groups[-1][0] == kind:
            groups[-1][1].append(name)
        else:
            groups.append((kind, [name]))
    if len(groups) == 1 and len(groups[0][1]) > 1:
        return f"các {groups[0][0]} {joined(groups[0][1])}"
    return joined(
        [f"các {kind} {', '.join(names)}" if len(names) > 1 else f"{kind} {names[0]}" for kind, names in groups]
    )


def prose(table: pd.DataFrame, *, words: dict[str, str], gather: bool, unit_first: bool, numbered: bool) -> str:
    named = table.groupby("commune_id")["clause"].agg(set)
    sentences = []
    for number, clause in table.groupby("clause", sort=True):
        runs = (clause["relation"] != clause["relation"].shift()).cumsum()
        phrases = []
        for _, run in clause.groupby(runs):
            relation = run["relation"].iloc[0]
            phrase = f"{words[relation]} {listed(list(run['commune_id']), gather=gather)}"
            if relation == "remainder":
                before = sorted(set().union(*named[run["commune_id"]]) - {number})
                items = joined([f"khoản {each}" for each in before])
                phrase += f" sau khi sắp xếp theo quy định tại {items} Điều này"
            phrases.append(phrase)
        unit = UNITS["name"][clause["unit_id"].iloc[0]]
        kind, base = unit.split(" ", 1)
        called = f"{kind.lower()} {base}"
        body = joined(phrases)
        sentence = (
            f"Thành lập {called} trên cơ sở nhập {body}."
            if unit_first
            else f"Sắp xếp {body} thành {kind.lower()} mới có tên gọi là {called}."
        )
        sentences.append(f"{number}. {sentence}" if numbered else sentence)
    return "\n".join(sentences)


def short_form(table: pd.DataFrame) -> str:
    lines = []
    for number, clause in table.groupby("clause", sort=True):
        names = []
        for row in clause.itertuples():
            kind, name = spelt(row.commune_id)
            earlier = table[(table["commune_id"] == row.commune_id) & (table["clause"] < number)]["unit_id"]
            into = ", ".join(UNITS["name"][earlier].str.lower())
            note = f" (phần còn lại sau khi sáp nhập vào {into})" if row.relation == "remainder" else ""
            names.append(f"{kind.capitalize()} {name}{note}")
        lines.append(f"{number}. {UNITS['name'][clause['unit_id'].iloc[0]]}: {', '.join(names)}")
    return "\n".join(lines)


@st.composite
def clause_tables(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a complete table: a few communes, homonyms among them, divided between a few units."""
    homonyms = COMMUNES.index[COMMUNES["name"].map(TIMES_NAMED) > 1].tolist()
    ids = st.one_of(st.sampled_from(homonyms), st.sampled_from(COMMUNES.index.tolist()))
    communes = draw(st.lists(ids, min_size=1, max_size=10, unique=True))
    unit_ids = draw(st.lists(st.sampled_from(UNITS.index.tolist()), min_size=1, max_size=5, unique=True))
    entries = []
    for commune in communes:
        takers = sorted(draw(st.sets(st.integers(0, len(unit_ids) - 1), min_size=1, max_size=3)))
        part_kinds = draw(st.sampled_from([("part", "part_area_only"), ("part_area_only",)]))
        people_at = draw(st.integers(0, 1)) if part_kinds == ("part_area_only",) else -1
        for n, taker in enumerate(takers[:-1]):
            relation = "part_area_whole_population" if n == people_at else draw(st.sampled_from(part_kinds))
            entries.append((taker, commune, relation))
        entries.append((takers[-1], commune, "whole" if len(takers) == 1 else "remainder"))
    used = sorted({taker for taker, _, _ in entries})
    order = draw(st.permutations(entries))
    table = pd.DataFrame(
        [(used.index(taker) + 1, unit_ids[taker], commune, relation) for taker, commune, relation in order],
        columns=["clause", "unit_id", "commune_id", "relation"],
    )
    return table.sort_values("clause", kind="stable", ignore_index=True)


TONES = [("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("ọa", "oạ"), ("òe", "oè"), ("ùy", "uỳ"), ("úy", "uý"), ("ụy", "uỵ")]


def other_tones(text: str) -> str:
    for new, old in TONES:
        text = re.sub(rf"(?i){new}(?!\w)", lambda m, old=old: old if m[0].islower() else old.upper(), text)
    return text


def wrapped(text: str) -> str:
    """Break lines as a PDF does: after every fifth word."""
    words = text.split(" ")
    return "".join(word + ("\n" if n % 5 == 4 else " ") for n, word in enumerate(words)).strip()


MESSES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "old tone placement": other_tones,
    "capitals": str.upper,
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "wrapped lines": wrapped,
    "windows line ends": lambda text: text.replace("\n", "\r\n\r\n"),
    "dashes and quotes": lambda text: text.replace(" - ", " – ").replace("là phường", "là “phường"),
    "icelandic eth": lambda text: text.replace("Đ", "Ð"),
    "all at once": lambda text: unicodedata.normalize("NFD", wrapped(other_tones(text)).upper()),
}
