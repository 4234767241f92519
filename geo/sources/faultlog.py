"""Collect what is wrong with a folder, so that everything is said at once."""

from __future__ import annotations

from typing import Any

from geo.errors import Fault

#: Rows shown of one kind of fault in one column; the rest is counted.
SHOWN_PER_KIND = 20
_LONGEST_VALUE = 80


class FaultLog:
    """Faults in the order they are found."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(
        self,
        key: str,
        *,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        severity: str = "error",
        **values: object,
    ) -> None:
        """Note one fault; texts that cannot be printed are escaped and long ones shortened."""
        self._faults.append(
            Fault(
                key=key,
                severity=severity,
                file=file,
                row=None if row is None else int(row),
                column=None if column is None else printable(column),
                value=None if value is None else printable(value),
                values={name: printable(each, longest=400) for name, each in values.items()},
            )
        )

    def warn(self, key: str, **where: Any) -> None:
        """Note one fault that does not stop the work."""
        self.add(key, severity="warning", **where)

    @property
    def failed(self) -> bool:
        """Whether any fault is an error."""
        return any(fault.severity == "error" for fault in self._faults)

    def faults(self) -> list[Fault]:
        """Return the faults, like ones together, each kind in one column cut after ``SHOWN_PER_KIND``."""
        groups: dict[tuple[str | None, ...], list[Fault]] = {}
        for fault in self._faults:
            groups.setdefault((fault.file, fault.key, fault.column, fault.severity), []).append(fault)
        shown: list[Fault] = []
        for group in groups.values():
            shown += group[:SHOWN_PER_KIND]
            if len(group) > SHOWN_PER_KIND:
                shown.append(_rest_of(group))
        return shown


def _rest_of(group: list[Fault]) -> Fault:
    first = group[0]
    n = str(len(group) - SHOWN_PER_KIND)
    return Fault(key="and_more", severity=first.severity, file=first.file, column=first.column, values={"n": n})


def printable(value: object, *, longest: int = _LONGEST_VALUE) -> str:
    """Return `value` as text that any terminal and file can hold, at most `longest` characters."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
