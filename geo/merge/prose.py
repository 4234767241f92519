"""The words of the law: from Vietnamese prose to the communes that each clause names, spelling aside.

Nothing is looked up here: a :class:`Mention` is what the text says, whether or not there is such a commune.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from geo.errors import Fault

#: Kinds of old communes and new units, as keys.
KINDS = frozenset(("phường", "xã", "thị trấn"))

#: Relations of the parts of a divided commune; the remainder takes what they leave.
PARTS = ("part", "part_area_only", "part_area_whole_population")

# --- Every pattern stands here. --------------------------------------------------------------------------------------
_KIND = r"(?:thị trấn|phường|(?<!thị )xã)"
_DISTRICT = r"(?:thành phố|thị xã|quận|huyện)"
_LAND = r"diện tích(?: tự nhiên)?"
_PEOPLE = r"(?:quy mô )?dân số"
_AND = r"(?: ?, ?và | ?, ?| và | )"
_SOME = r"(?:một phần|phần lớn)"
_VERB = r"(?:sắp xếp|thành lập|sáp nhập|hợp nhất|nhập|điều chỉnh)"

#: What the law says of a commune, and the relation it means; of those that fit at one place the first counts.
_PHRASES = (
    ("remainder", rf"(?:toàn bộ )?(?:phần )?(?:{_LAND}(?:{_AND}{_PEOPLE})? )?còn lại"),
    ("part_area_whole_population", rf"{_SOME} {_LAND}{_AND}toàn bộ {_PEOPLE}"),
    ("part", rf"{_SOME} {_LAND}{_AND}(?:{_SOME} )?{_PEOPLE}"),
    ("part_area_only", rf"{_SOME} {_LAND}"),
    ("whole", rf"toàn bộ {_LAND}{_AND}(?:toàn bộ )?{_PEOPLE}"),
    ("part", _SOME),
    ("whole", "toàn bộ"),
)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_PHRASE = _pattern(r"(?<!\w)(?:" + "|".join(f"(?P<p{n}>{words})" for n, (_, words) in enumerate(_PHRASES)) + r")(?!\w)")
_START = re.compile(
    rf"""^[ ]*[-+*•]?[ ]*(?:
           (?:khoản[ ]+)?\(?(?P<number>\d{{1,3}})[ ]*[.):\t]+(?!\d)     # 12.   (12)   Khoản 12:
         | (?=(?-i:Sắp\s+xếp|Thành\s+lập|Sáp\s+nhập|Hợp\s+nhất|Nhập)\s)
         | (?={_KIND.replace(" ", "[ ]")}[ ][^\n:\t←(,;.]+(?:[:\t←]|[ ](?:gồm|được[ ](?:hình[ ]thành|thành[ ]lập))\b)) )
       | (?:\A|(?<=[.;:]\s))\s*(?:(?P<inline>\d{{1,3}})[.)][ ]*)?(?=(?:sắp\s+xếp|thành\s+lập)\s)""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
#: What no sentence says but a clause.
_TELLING = _pattern(rf"(?<!\w)(?:(?:{_SOME}|toàn bộ) {_LAND}|phần còn lại của)(?!\w)")
#: What a sentence says that moves a part of a commune it names, and what may stand before such a name.
_MOVING = _pattern(rf"(?<!\w)(?:{_SOME}|toàn bộ|còn lại|trừ|(?:nhận|nhập|chuyển|điều chỉnh|bổ sung) thêm)(?!\w)")
_LEAD = _pattern(rf"(?:^|[,;(]|(?<!\w)(?:{_KIND}|và|của|phần|lớn|bộ|lại|trừ|thêm)(?!\w)) *(?=\w)")
_LONGEST_NAME = 60  # letters
_CALLED = r"(?:(?:có tên gọi|có tên|tên gọi|gọi|đặt tên|lấy tên|mang tên) )?(?:là )?"
_UNIT_FIRST = _pattern(
    rf"^(?:thành lập )?(?P<unit>{_KIND} [^.;:,()]+?)(?: mới)? (?:được (?:hình thành|thành lập) )?trên cơ sở "
)
_UNIT_LISTED = _pattern(rf"^(?P<unit>{_KIND} [^.;:,()\t←]+?)(?: ?[:\t←]| gồm:?) ?")
_UNIT_LAST = _pattern(
    rf"(?<!\w)(?:để )?thành (?:lập )?(?:(?:một )?(?:{_KIND}|đơn vị hành chính(?: cấp xã)?) )?(?:mới )?{_CALLED}"
    rf"(?P<unit>{_KIND} [^.;:,()]+?)[ ,;:]*$"
)
_SENTENCE_END = _pattern(r"(?<!\bTP)(?<!\bTX)(?<!\b[HQ])[.](?=\s|$)")
_OPENING = _pattern(rf"^(?:trên cơ sở |{_VERB} )*")
_REFERENCE = _pattern(
    rf",? ?sau khi {_VERB}(?: theo quy định)? tại (?P<where>[^.;]*?) ?Điều (?:này|\d+(?: (?:của )?Nghị quyết này)?)"
    rf"|,? ?sau khi {_VERB}(?= ?(?:[,;]|và |$))"
)
_MERGED_INTO = _pattern(rf"sau khi {_VERB} (?:vào|với|để thành lập|thành lập) (?P<units>.+)$")
_FIGURE = _pattern(r" ?\( ?(?:khoảng )?\d[\d.,]* ?(?:km2|km²|ha|m2|m²|người|nhân khẩu) ?\)")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_SEPARATOR = _pattern(r"[,;]|(?<!\w)và(?!\w)")
_NAME = _pattern(
    rf"^(?:của |gồm:? )?(?P<many>các )?(?:(?P<kind>{_KIND})(?P<colon> ?:)?(?: |$))?(?P<name>.*?)"
    rf"(?: ?(?:(?<!\w)thuộc )?(?P<district>(?<!\w){_DISTRICT} .+))?$"
)
_DISTRICT_NAME = _pattern(rf"^(?:thuộc )?{_DISTRICT} ")

# In a note: what follows a district's name; what others took before; and what is left out of the whole.
_ABOVE = _pattern(rf"^(?:(?:{_DISTRICT}|tỉnh|tp)(?!\w)[^,;]*[,;]? ?)+")
_EARLIER = _pattern(r"(?<!\w)sau khi(?!\w)")
_EXCEPT = _pattern(r"(?<!\w)(?:trừ|không (?:bao )?gồm|không kể|không tính|chưa kể)(?!\w)")
_VILLAGE = _pattern(r" (?:của |ở |tại )?(?:các |\d+ )?(?:thôn|xóm|làng|bản|ấp|khóm|khu|tổ|đội|cụm|buôn|sóc)(?!\w)")
_ITS_PEOPLE = _pattern(rf" {_PEOPLE}(?!\w)")
_BARE = _pattern(_SOME)
_EXCEPTED = frozenset(("part", "part_area_only", "remainder"))  # to leave something out of these is no news

# --- Names. ----------------------------------------------------------------------------------------------------------
#: Letters that look alike or that no reader sees; Icelandic eth is typed for Đ.
_LETTERS = str.maketrans({
    **dict.fromkeys("\u00a0\u2007\u202f\u2009\u3000", " "), **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    **dict.fromkeys("“”„«»\"", ""), **dict.fromkeys("‐‑‒–—−", "-"), "ð": "đ", "Ð": "Đ", "\r": "\n", "\f": "\n",
})  # fmt: skip
_FALLING = {"oa": ("òóỏõọ", "àáảãạ"), "oe": ("òóỏõọ", "èéẻẽẹ"), "uy": ("ùúủũụ", "ỳýỷỹỵ")}
_TONES = {
    pair: (first + vowels[1], vowels[0] + second)
    for vowels, (firsts, seconds) in _FALLING.items()
    for first, second in zip(firsts, seconds, strict=True)
    for pair in (first + vowels[1], vowels[0] + second)
}
_TONED = _pattern(rf"(?<![q])(?:{'|'.join(_TONES)})(\w?)")


def _place_tone(match: re.Match[str]) -> str:
    """Put the tone on the first vowel of an open syllable and on the second of a closed one: Hòa, Hoàn."""
    pair, tail = match[0][:2], match[1]
    placed = _TONES[pair.lower()][1 if tail else 0]
    cased = (p.upper() if old.isupper() else p for p, old in zip(placed, pair, strict=True))
    return "".join(cased) + tail


def _tidy(text: str) -> str:
    """Return `text` in NFC with one kind of space, dash and tone placement; line breaks and tabs are kept."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(_LETTERS)
    return re.sub(" +", " ", _TONED.sub(_place_tone, text))


@lru_cache(maxsize=1 << 16)
def name_key(name: str) -> str:
    """Return what two spellings of one name have in common; tones and accents count."""
    return " ".join(re.sub(r"[\W_]+", " ", _tidy(name).casefold()).split())


def district_key(name: object) -> str:
    """Return the key of a district's name without its kind; empty where there is none."""
    return re.sub(rf"^(?:thuộc )?(?:{_DISTRICT}|tp|tx|q|h) ", "", name_key(name)) if isinstance(name, str) else ""


# --- From text to mentions. ------------------------------------------------------------------------------------------
@dataclass(slots=True, kw_only=True)
class Mention:
    """A commune as a clause names it."""

    name: str
    kinds: frozenset[str]
    relation: str | None
    district: str = ""
    after: frozenset[str] = frozenset()  # clause numbers, or keys of units, that took their part before
    notes: list[str] = field(default_factory=list)
    commune_id: str = ""
    commune_name: str = ""


@dataclass(slots=True, kw_only=True)
class Clause:
    """A clause of the text: its unit as written, and lists of mentions, each under one phrase of the law."""

    line: int
    number: int | None
    unit: str
    lists: list[list[Mention]]
    unit_id: str = ""
    unit_name: str = ""

    @property
    def mentions(self) -> Iterator[Mention]:
        """All mentions, in the order of the text."""
        return (mention for mentions in self.lists for mention in mentions)


class Passage(NamedTuple):
    """What stands between clauses."""

    line: int
    sentences: list[str]


def read_clauses(text: str, faults: list[Fault]) -> tuple[list[Clause], list[Passage]]:
    """Return the clauses of `text` in its order, and what is none; what cannot be read is added to `faults`.

    Parameters
    ----------
    text : str
        Legal prose or the short form, in any Unicode form.
    faults : list of Fault
        Grows.
    """
    text = _tidy(text)
    starts: list[re.Match[str]] = []
    for start in _START.finditer(text):
        if not starts or text[starts[-1].end() : start.end()].strip():  # else the verb right after its number
            starts.append(start)
    ends = [*(start.start() for start in starts), len(text)]
    skipped = [(1, text[: ends[0]])]
    clauses: list[Clause] = []
    line, counted = 1, 0
    for start, end in zip(starts, ends[1:], strict=True):
        line += text.count("\n", counted, start.end())
        counted = start.end()
        block = re.sub(r"\s*\t\s*", "\t", re.sub(r"[ \n]+", " ", text[start.end() : end])).strip()
        number = start["number"] or start["inline"]
        clause, rest = _clause_of(block, line, int(number) if number else None, faults)
        clauses += [clause] if clause else []
        skipped.append((line, rest))
    return clauses, [Passage(line, sentences) for line, rest in skipped if (sentences := _sentences(rest))]


def _sentences(text: str) -> list[str]:
    return [" ".join(each.split()) for each in _SENTENCE_END.split(text) if re.search(r"\w", each)]


def is_telling(sentence: str, *, is_known: Callable[[str], bool]) -> bool:
    """Say whether a sentence outside the clauses moves land or people, so that to leave it out would lose them.

    Parameters
    ----------
    sentence : str
    is_known : callable
        Whether there is a commune with this key of a name, its kind aside.
    """
    if _TELLING.search(sentence):
        return True
    if not _MOVING.search(sentence):
        return False
    following = (
        name_key(sentence[lead.end() : lead.end() + _LONGEST_NAME]).split() for lead in _LEAD.finditer(sentence)
    )
    return any(is_known(" ".join(words[:n])) for words in following for n in range(1, len(words) + 1))


def _clause_of(block: str, line: int, number: int | None, faults: list[Fault]) -> tuple[Clause | None, str]:
    """Return the clause of `block`, and what of the block is not part of it."""
    stop = _SENTENCE_END.search(block)
    sentence, rest = (block[: stop.start()], block[stop.end() :]) if stop else (block, "")
    unit, body = _unit_and_body(sentence)
    if not unit and not _TELLING.search(sentence):
        return None, block
    whole_brackets = not re.search(r"[()]", _BRACKETS.sub("", body))
    lists = list(_lists(body)) if whole_brackets else []
    if not whole_brackets:
        faults.append(Fault(key="clause_brackets", row=line, value=shorten(sentence)))
    elif not lists:
        faults.append(Fault(key="clause_unreadable", row=line, value=shorten(sentence)))
    return Clause(line=line, number=number, unit=unit, lists=lists), rest


def _unit_and_body(sentence: str) -> tuple[str, str]:
    """Return the unit's name and the text that lists its communes, wherever the name stands."""
    for pattern in (_UNIT_FIRST, _UNIT_LISTED):
        if found := pattern.search(sentence):
            return found["unit"].strip(), _body(sentence[found.end() :])
    if found := _UNIT_LAST.search(sentence):
        return found["unit"].strip(), _body(sentence[: found.start()])
    return "", ""


def _body(text: str) -> str:
    return _OPENING.sub("", _FIGURE.sub("", text).strip())


def _lists(body: str) -> Iterator[list[Mention]]:
    """Return the mentions under each phrase; those before the first phrase have no relation yet."""
    masked = _BRACKETS.sub(lambda m: f"({'_' * len(m[1])})", body)  # what notes hold divides nothing
    phrases = list(_PHRASE.finditer(masked))
    begins: list[tuple[int, str | None]] = [(0, None), *((phrase.end(), _relation_of(phrase)) for phrase in phrases)]
    ends = [*(phrase.start() for phrase in phrases), len(body)]
    for (begin, relation), end in zip(begins, ends, strict=True):
        mentions: list[Mention] = []
        at = begin
        for reference in _REFERENCE.finditer(masked, begin, end):
            after = frozenset(re.findall(r"\d+", reference["where"] or ""))
            mentions += _mentions(body, masked, at, reference.start(), relation, after)
            at = reference.end()
        mentions += _mentions(body, masked, at, end, relation, frozenset())
        if mentions:
            yield mentions


def _relation_of(phrase: re.Match[str]) -> str:
    return next(relation for n, (relation, _) in enumerate(_PHRASES) if phrase[f"p{n}"])


def _mentions(
    body: str, masked: str, begin: int, end: int, relation: str | None, after: frozenset[str]
) -> list[Mention]:
    """Return the names between `begin` and `end`; a kind holds for the names that follow it in the list."""
    cuts = [begin, *(cut for m in _SEPARATOR.finditer(masked, begin, end) for cut in m.span()), end]
    mentions: list[Mention] = []
    kinds, heading = KINDS, False
    for start, stop in zip(cuts[::2], cuts[1::2], strict=True):
        notes = _BRACKETS.findall(body[start:stop])
        name = _BRACKETS.sub(" ", body[start:stop]).strip(" .:")
        found = _NAME.match(name)
        if found is None or not (name or notes):
            continue
        if mentions and _DISTRICT_NAME.match(name):  # "xã A, huyện B"
            mentions[-1].district = mentions[-1].district or district_key(name)
            continue
        own = frozenset([found["kind"].lower()] if found["kind"] else [])
        if own:
            kinds = own if found["many"] or kinds == KINDS else kinds | own
        opens = bool(own and (found["colon"] or found["many"] or heading))  # "các xã, thị trấn: A, B"
        heading = bool(own and not found["name"] and not notes)
        if heading:
            continue
        mention = Mention(name=found["name"], kinds=own if own and not opens else kinds, relation=relation, after=after)
        mention.district = district_key(found["district"])
        mention.notes = notes
        mentions.append(mention)
    return mentions


def read_note(mention: Mention, note: str, *, districts: set[str]) -> Literal["taken", "ignored", "contradicts"]:
    """Take from a note in brackets the district or the relation it tells; say whether it told one, or another one.

    Parameters
    ----------
    mention : Mention
        Changed.
    note : str
        Without its brackets.
    districts : set of str
        Keys of the known districts.
    """
    first, rest = (part.strip() for part in (*re.split("[,;]", note, maxsplit=1), "")[:2])
    if _DISTRICT_NAME.match(first) or district_key(first) in districts:
        mention.district = district_key(first)
        rest = _ABOVE.sub("", rest)
        return read_note(mention, rest, districts=districts) if rest else "taken"
    taken = False
    earlier = _EARLIER.search(note)
    for phrase in _PHRASE.finditer(note, 0, earlier.start() if earlier else len(note)):
        told, agreeing = _relation_of(phrase), _agreeing_with(phrase, note)
        if mention.relation is None and told in agreeing:
            mention.relation = told
        if mention.relation not in agreeing:
            return "contradicts"
        taken = taken or told in agreeing
    if mention.relation not in _EXCEPTED and _EXCEPT.search(note):
        return "contradicts"
    into = _MERGED_INTO.search(note) if taken else None
    if into:
        mention.after = frozenset(map(name_key, _SEPARATOR.split(into["units"]))) - {""}
    return "taken" if taken else "ignored"


def _agreeing_with(phrase: re.Match[str], note: str) -> frozenset[str]:
    """Return the relations beside which a note may say `phrase`."""
    relation = _relation_of(phrase)
    if _VILLAGE.match(note, phrase.end()):  # describes a part
        return frozenset((*PARTS, "remainder"))
    if relation == "whole" and _ITS_PEOPLE.match(note, phrase.end()):
        return frozenset((relation, "part_area_whole_population"))
    if relation == "part" and _BARE.fullmatch(phrase[0]):
        return frozenset(PARTS)
    return frozenset((relation, "part_area_whole_population") if relation == "part_area_only" else (relation,))


def shorten(text: str) -> str:
    """Return the beginning of `text`, as much as a message bears."""
    return text if len(text) <= 80 else f"{text[:79]}…"
