"""Questions that take seconds: asked once, kept, with a bar that tells how far, and stopped when the reader wants."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import streamlit as st

from geo.plan import Plan
from geo.progress import Progress
from geo.text import t
from geo.ui import upload

#: The bar moves no more often than this; it is also where Streamlit stops the work.
_EVERY_S = 0.1
#: Answers that are kept; the oldest is forgotten first.
_KEPT_ANSWERS = 48


class Answers:
    """What was answered, the latest last.

    Streamlit's own cache cannot hold these: a function that it keeps may not show how far it is.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Any] = OrderedDict()
        self._lock = Lock()

    def get(self, question: str, plan: Plan) -> Any:
        """Return the answer to `question` about `plan`, None where there is none yet."""
        key = (question, *_digests(plan))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, question: str, plan: Plan, answer: Any) -> Any:
        """Keep `answer` and return it."""
        with self._lock:
            self._kept[question, *_digests(plan)] = answer
            while len(self._kept) > _KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return answer


@st.cache_resource(show_spinner=False)
def answers() -> Answers:
    """Return the answers that all sessions share."""
    return Answers()


@st.cache_resource(show_spinner=False, scope="session")
def _own_answers() -> Answers:
    return Answers()


def _answers_about(plan: Plan) -> Answers:
    return _own_answers() if upload.is_own(plan.city) else answers()


def _digests(plan: Plan) -> tuple[str, str, str]:
    return plan.city.digest, plan.params.digest, plan.version


def ask(question: str, plan: Plan, work: Callable[[Progress], Any], *, text: str) -> Any:
    """Return the answer to `question` about `plan`, from before or from `work`; a bar with `text` stands meanwhile.

    The work stops when the reader moves a control or leaves the page.
    """
    found = _answers_about(plan).get(question, plan)
    if found is not None:
        return found
    place = st.empty()
    found = _answers_about(plan).keep(question, plan, work(_bar(place, text)))
    place.empty()
    return found


def ask_on_click(
    question: str, plan: Plan, work: Callable[[Progress], Any], *, lang: str, label: str, text: str
) -> Any | None:
    """Do as :func:`ask`, but only after a click on a button with `label`, and with another that stops it.

    Returns None until there is an answer.
    """
    found = _answers_about(plan).get(question, plan)
    if found is not None:
        return found
    place = st.empty()
    if not place.button(label, key=f"ask_{question}", icon=":material/play_arrow:"):
        return None
    # A click on any button starts the script again, which ends this run of it.
    with place.container():
        bar = st.empty()
        st.button(t("study.stop", lang=lang), key=f"stop_{question}", icon=":material/stop:")
        found = _answers_about(plan).keep(question, plan, work(_bar(bar, text)))
    place.empty()
    return found


def _bar(place: Any, text: str) -> Progress:
    last = -_EVERY_S
    place.progress(0.0, text=text)

    def tell(step: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY_S:
            last = time.monotonic()
            place.progress(share, text=text)

    return tell
