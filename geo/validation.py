"""What pydantic finds wrong with parameters, as faults that can be told in every language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from geo.errors import Fault

#: Kinds of values, by the beginning of pydantic's name for the error.
_KINDS = {
    "int_": "params_whole_number",
    "float_": "params_number",
    "finite_": "params_number",
    "bool_": "params_yes_no",
    "string_": "params_text",
    "tuple_": "params_list",
    "list_": "params_list",
    "model_": "params_table",
    "dict_": "params_table",
    "date_": "params_date",
    "missing": "params_missing",
    "extra_forbidden": "params_unknown",
}
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
}


class WrongValueError(ValueError):
    """What a validator of our own finds wrong.

    Parameters
    ----------
    key : str
        Key of the fault.
    column : str
        Where, below what is validated.
    value : object, optional
        The offending value; what is validated if left out.
    **values : str
        What the message needs.
    """

    def __init__(self, key: str, *, column: str = "", value: object = None, **values: str) -> None:
        super().__init__(f"{key}: {column} {value} {values}")
        self.key, self.column, self.value, self.values = key, column, value, values


def faults_of(error: ValidationError, *, file: str | None, prefix: str = "") -> Iterator[Fault]:
    """Yield what a table of parameters breaks, each with its dotted name below `prefix`."""
    for found in error.errors():
        own = found.get("ctx", {}).get("error")
        place = dotted(prefix, *found["loc"])
        if isinstance(own, WrongValueError):
            value = found["input"] if own.value is None else own.value
            key, place, values = own.key, dotted(place, own.column), own.values
            shown = None if isinstance(value, dict) else str(value)[:80]
        else:
            key, values = _key_and_values(found)
            shown = None if key == "params_missing" else str(found["input"])[:80]
        yield Fault(key=key, file=file, column=place, value=shown, values=values)


def _key_and_values(found: Any) -> tuple[str, dict[str, str]]:
    kind, context = found["type"], found.get("ctx", {})
    if kind in _BOUNDS:
        name, sign = _BOUNDS[kind]
        return "params_value", {"allowed": f"{sign} {context[name]:g}"}
    if kind == "literal_error":
        return "params_value", {"allowed": context["expected"].replace(" or ", ", ").replace("'", "")}
    for start, key in _KINDS.items():
        if kind.startswith(start):
            return key, {}
    return "params_value", {"allowed": found["msg"]}


def dotted(*parts: object) -> str:
    """Return the parts that are not empty, joined by dots."""
    return ".".join(str(part) for part in parts if part != "")
