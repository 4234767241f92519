"""Where a plan comes from: the rows and lines that every file of it carries, and ``summary.json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from geo.plan import Plan
from geo.publish.reasons import attribution_texts, modelled_text, profile_text
from geo.schemas import WGS84
from geo.text import t

#: Files of a plan that the read-me describes, in its order.
DESCRIBED = (
    "units.csv",
    "sites.csv",
    "surplus.csv",
    "crosswalk.csv",
    "plan.gpkg",
    "plan.xlsx",
    "map.html",
    "summary.json",
    "params.toml",
)


def provenance_rows(plan: Plan, *, lang: str) -> list[tuple[str, str]]:
    """Return key and value of what a table of provenance says, the same in every file."""
    return [
        ("version", plan.version),
        ("params_digest", plan.params.digest),
        ("data_digest", plan.city.digest),
        ("modelled", modelled_text(plan, lang=lang) or t("publish.nothing", lang=lang)),
        ("profile", profile_text(plan, lang=lang) or t("publish.profile_none", lang=lang)),
        ("attribution", " ".join(attribution_texts(plan, lang=lang))),
        ("reproduce", t("publish.provenance.reproduce_how", lang=lang)),
    ]


def version_line(plan: Plan, *, lang: str) -> str:
    """Return version and digests in one line."""
    return t(
        "publish.version_line",
        lang=lang,
        version=plan.version,
        params_digest=plan.params.digest,
        data_digest=plan.city.digest,
    )


def note_texts(plan: Plan, *, lang: str) -> list[str]:
    """Return what was lacking or done without, a line each."""
    return [note.describe(lang=lang) for note in plan.notes]


def optimality_words(plan: Plan, *, lang: str) -> dict[str, str]:
    """Return how a plan is made and why no other is better, by the names ``method`` and ``why``."""
    return {name: t(f"publish.optimality.{name}_{plan.optimality['solver']}", lang=lang) for name in ("method", "why")}


def summary_json(plan: Plan, *, lang: str, publish_s: float) -> bytes:
    """Return ``summary.json``: for programs, so numbers stay numbers and a missing one is null.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
        Language of the notes and the attribution.
    publish_s : float
        Wall-clock seconds that the other files took. All timings lie under ``seconds`` and nowhere else, so that two
        runs differ there only.
    """
    summary = {
        "version": plan.version,
        "city": plan.city.name,
        "params": plan.params.model_dump(mode="json"),
        "params_digest": plan.params.digest,
        "data_digest": plan.city.digest,
        "modelled": list(plan.city.modelled),
        "totals": plan.totals,
        "optimality": {**plan.optimality, **optimality_words(plan, lang=lang)},
        "notes": note_texts(plan, lang=lang),
        "attribution": attribution_texts(plan, lang=lang),
        "crs": {"inside": plan.city.crs.to_string(), "files": WGS84},
        "seconds": {**plan.seconds, "publish": round(publish_s, 3)},
    }
    return (json.dumps(_plain(summary), ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def readme_txt(plan: Plan, *, lang: str) -> bytes:
    """Return ``README.txt``: what lies in the folder, what is modelled, whom it is owed to.

    The columns of the CSV files are fixed, so this is where the label of ``sites.csv`` stands.
    """
    title = t("publish.title", lang=lang, city=plan.city.name)
    files = [f"{name:14}{t('publish.readme.' + name.replace('.', '_'), lang=lang)}" for name in DESCRIBED]
    blocks = [
        [title, "=" * len(title)],
        [t("publish.what", lang=lang), modelled_text(plan, lang=lang)],
        files,
        [t("publish.readme.csv_note", lang=lang)],
        attribution_texts(plan, lang=lang),
        note_texts(plan, lang=lang),
        [version_line(plan, lang=lang)],
    ]
    text = "\n\n".join("\n".join(line for line in block if line) for block in blocks if any(block))
    return f"{text}\n".encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
