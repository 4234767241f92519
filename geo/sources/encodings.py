"""Tell in which encoding Vietnamese texts are, by evidence, and read them.

Besides Unicode, files carry windows-1258 (letters with combining tone marks) and TCVN3, also called ABC: the bytes that
the fonts ``.VnTime`` draw as Vietnamese letters and everything else shows as "Hµ Néi". Which one it is shows in the
words: the right encoding gives Vietnamese syllables, the wrong one does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

#: Letters of TCVN 5712:1993, VN3, at the places of ISO 8859-1; it has no capitals with tone marks.
_TCVN3 = str.maketrans(
    "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦",
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
)
_NOT_TCVN3 = re.compile("[ÀÁÂÃÄÅÍÙÚÛàðÿ]")
#: A text is taken to be in an encoding from this share of Vietnamese words on, and not in one below the other share.
_SURE, _OUT_OF_QUESTION = 0.9, 0.6
_WORD = re.compile(r"[^\s\d!-/:-@\[-`{-~\x80-\x9f]*[\xa1-\xff][^\s\d!-/:-@\[-`{-~\x80-\x9f]*")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_STOPPED_TONES = "\u0301\u0323"
_SYLLABLE = re.compile(
    r"(?:b|ch|c|d|đ|gh|gi|g|h|kh|k|l|m|ngh|ng|nh|n|ph|p|qu|r|s|th|tr|t|v|x)?"
    r"(?:a[iouy]?|ă|â[uy]?|eo?|êu?|i[au]?|iêu?|o[aăeio]?|oa[iouy]|oeo|ôi?|ơi?|u[aâeêiôơy]?|uâ?y|uôi|uy[aêu]|"
    r"ư[aiu]?|ươ[iu]?|y|yêu?)"
    r"(?P<coda>ch|c|m|ng|nh|n|p|t)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """An encoding that texts may be in.

    Attributes
    ----------
    name : str
    read : callable
        From the text as ISO 8859-1 shows it to the text as it is meant, in NFC; raises UnicodeError where it cannot be.
    """

    name: str
    read: Callable[[str], str]


def _read_tcvn3(text: str) -> str:
    if _NOT_TCVN3.search(text):
        raise UnicodeError("TCVN3 has no such letter")
    return unicodedata.normalize("NFC", text.translate(_TCVN3))


def _read_1258(text: str) -> str:
    return unicodedata.normalize("NFC", text.encode("latin-1").decode("cp1258"))


def _read_1252(text: str) -> str:
    return text.encode("latin-1").decode("cp1252")


TCVN3 = Encoding(name="TCVN3", read=_read_tcvn3)
WINDOWS_1258 = Encoding(name="windows-1258", read=_read_1258)
OF_BYTES = (WINDOWS_1258, TCVN3)
#: ISO 8859-1 and what Windows adds to it, of French and other western texts.
WINDOWS_1252 = Encoding(name="windows-1252", read=_read_1252)
#: What a .cpg file may say, without case, spaces and punctuation.
_DECLARED: Mapping[str, Encoding] = {
    **dict.fromkeys(("tcvn3", "tcvn", "tcvn57121", "tcvn5712", "vn3", "abc"), TCVN3),
    **dict.fromkeys(("1258", "cp1258", "windows1258", "ansi1258"), WINDOWS_1258),
    **dict.fromkeys(("1252", "cp1252", "windows1252", "ansi1252", "iso88591", "88591", "latin1"), WINDOWS_1252),
}


def declared_encoding(text: str) -> Encoding | None:
    """Return the encoding that `text`, the content of a .cpg file, names; None for any other."""
    return _DECLARED.get(re.sub(r"[\W_]+", "", text.casefold()))


def tell_encoding(texts: Iterable[str]) -> Encoding | tuple[Encoding, ...]:
    """Return the one encoding that makes Vietnamese of `texts`, else those that may.

    Parameters
    ----------
    texts : iterable of str
        As ISO 8859-1 shows their bytes.
    """
    words = marked_words(texts)
    shares = {encoding.name: share_vietnamese(words, encoding.read) for encoding in OF_BYTES}
    possible = tuple(encoding for encoding in OF_BYTES if shares[encoding.name] >= _OUT_OF_QUESTION)
    return possible[0] if len(possible) == 1 and shares[possible[0].name] >= _SURE else possible


def is_shown_tcvn3(texts: Iterable[str]) -> bool:
    """Say whether Unicode texts are TCVN3 that somebody took for ISO 8859-1: "Hµ Néi" for "Hà Nội"."""
    listed = list(texts)
    if any(letter > "\xff" and letter.isalpha() for text in listed for letter in text):
        return False
    words = marked_words(listed)
    as_it_is = share_vietnamese(words, lambda text: text)
    return bool(words) and as_it_is < _OUT_OF_QUESTION and share_vietnamese(words, TCVN3.read) >= _SURE


def shown_tcvn3_words(text: str) -> list[str]:
    """Return the words of a Unicode text that only TCVN3 makes Vietnamese of, each once, in the order of the text."""
    words = dict.fromkeys(word for word in _WORD.findall(text) if max(word) <= "\xff" and re.search("[A-Za-z]", word))
    return [word for word in words if not is_syllable(word) and _reads_as_vietnamese(word, TCVN3.read)]


def read_shown_tcvn3(text: str) -> str:
    """Return a Unicode text that is TCVN3 as it is meant; words that cannot be TCVN3 stay as they are."""
    return re.sub(r"[^\s]+", lambda word: _read_or_keep(word[0]), text)


def _read_or_keep(word: str) -> str:
    try:
        return TCVN3.read(word)
    except UnicodeError:
        return word


def marked_words(texts: Iterable[str]) -> set[str]:
    """Return the words that hold a letter outside ASCII."""
    return {word for text in texts for word in _WORD.findall(text)}


def share_vietnamese(words: Iterable[str], read: Callable[[str], str]) -> float:
    """Return how many of `words` are Vietnamese syllables as `read` reads them; 0 where there are none."""
    found = [_reads_as_vietnamese(word, read) for word in words]
    return sum(found) / len(found) if found else 0.0


def _reads_as_vietnamese(word: str, read: Callable[[str], str]) -> bool:
    try:
        return is_syllable(read(word))
    except UnicodeError:
        return False


@lru_cache(maxsize=65536)
def is_syllable(word: str) -> bool:
    """Say whether `word` is built like a Vietnamese syllable: initial, vowel, final, and at most one tone that fits."""
    letters = unicodedata.normalize("NFD", word.casefold())
    tones = [letter for letter in letters if letter in _TONES]
    toneless = unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in _TONES))
    match = _SYLLABLE.fullmatch(toneless)
    if match is None or len(tones) > 1:
        return False
    return match["coda"] not in ("p", "t", "c", "ch") or "".join(tones) in tuple(_STOPPED_TONES)
