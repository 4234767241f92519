"""Errors raised by the package.

::

    GeoError
    ├── InputError        what the user brought cannot be read or breaks a rule
    ├── ParamsError       a parameter is unknown or out of its bounds
    ├── NetworkError      a road network cannot answer what it is asked
    ├── InfeasibleError   no choice satisfies all constraints
    └── FetchError        a download failed or is not what was asked for

Each of them carries every Fault found.
A :class:`Fault` is data: a key and its values. The words come from :mod:`geo.text`, in the language of the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.text import t


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with an input, precise enough to mend it.

    Parameters
    ----------
    key : str
        Key of the message in the text catalogue, under ``fault.``; the remedy stands under ``remedy.``.
    severity : {"error", "warning"}
        An error stops the work; a warning goes into the notes of the result.
    file : str, optional
        File, relative to the data folder.
    row : int, optional
        Row as the user counts it: in a table the header is row 1; in a vector file the first feature is 1.
    column, value : str, optional
        Column as it is called in the file, and the offending value.
    values : dict of str to str
        What else the message needs, such as the ``allowed`` values.
    """

    key: str
    severity: str = "error"
    file: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    values: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.describe(lang="en")

    def describe(self, *, lang: str) -> str:
        """Return one line: where the fault is, what is wrong, what is allowed and what mends it."""
        place = {"file": self.file, "row": self.row, "column": self.column, "value": self.value}
        values = {name: value or "" for name, value in place.items()} | self.values
        where = [t(f"faults.place.{name}", lang=lang, **{name: x}) for name, x in place.items() if x is not None]
        told = [t(f"faults.{part}.{self.key}", lang=lang, **values) for part in ("fault", "remedy")]
        return f"{', '.join(where)}: {' '.join(told)}" if where else " ".join(told)


class GeoError(Exception):
    """Base of all errors of the package."""


class _FaultyError(GeoError):
    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class InputError(_FaultyError):
    """What the user brought cannot be read or breaks a rule."""


class ParamsError(_FaultyError):
    """A parameter is unknown, of the wrong kind or out of its bounds."""


class NetworkError(_FaultyError):
    """A road network cannot answer what it is asked."""


class InfeasibleError(_FaultyError):
    """No choice satisfies all constraints."""


class FetchError(_FaultyError):
    """A download failed, or brought something else than was asked for."""
