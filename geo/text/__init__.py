"""What people read, in Vietnamese, English and French.

``geo/text/<language>/<area>.toml`` holds one area's messages; ``t("ui.title", lang="vi")`` is the key ``title`` of
``vi/ui.toml``. Nested tables join with dots. Values are inserted with :meth:`str.format`.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("vi", "en", "fr")


def t(key: str, *, lang: str, **values: Any) -> str:
    """Return the message `key` in `lang`, with `values` inserted.

    Raises
    ------
    KeyError
        The language or the key is unknown, or the message needs a value that is not given.
    """
    return catalogue(lang)[key].format(**values)


@lru_cache
def catalogue(lang: str) -> dict[str, str]:
    """Return every message of `lang` by its dotted key."""
    if lang not in LANGUAGES:
        raise KeyError(f"language {lang!r} is not one of {', '.join(LANGUAGES)}")
    messages: dict[str, str] = {}
    for file in sorted(files(__name__).joinpath(lang).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            _flatten(tomllib.loads(file.read_text(encoding="utf-8")), file.name.removesuffix(".toml"), messages)
    return messages


def _flatten(tree: dict[str, Any], prefix: str, into: dict[str, str]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}.{key}", into)
        else:
            into[f"{prefix}.{key}"] = value
