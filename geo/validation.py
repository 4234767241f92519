"""What is wrong with parameters, as TOML or as pydantic finds it, as faults that can be told in every language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from geo.errors import Fault, ParamsError

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

#: Tables and lists of parameters lie six deep; what lies much deeper is no mistake of somebody who writes parameters.
_MAX_DEPTH = 16
#: What TOML asks every reader to hold.
_MAX_INTEGER = 2**63 - 1


def parse_toml(content: bytes, *, file: str | None) -> dict[str, Any]:
    """Return what a TOML file of parameters holds, however hostile its writer.

    Raises
    ------
    ParamsError
        It is not TOML in UTF-8, is nested too deep or holds a whole number of more than 64 bits.
    """
    try:
        data = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParamsError(Fault(key="params_unreadable", file=file, values={"detail": str(error)})) from error
    except RecursionError as error:
        raise ParamsError(_too_deep(file)) from error
    except ValueError as error:  # Python refuses to read thousands of digits
        raise ParamsError(Fault(key="params_integer", file=file)) from error
    _refuse_strange(data, file=file)
    return data


def _refuse_strange(data: dict[str, Any], *, file: str | None) -> None:
    """Raise on what would make others fail that walk through the data or write it down."""
    level: list[Any] = [data]
    for _ in range(_MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if any(isinstance(value, int) and abs(value) > _MAX_INTEGER for value in level):
            raise ParamsError(Fault(key="params_integer", file=file))
    if level:
        raise ParamsError(_too_deep(file))


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _too_deep(file: str | None) -> Fault:
    return Fault(key="params_deep", file=file, values={"allowed": str(_MAX_DEPTH)})


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
    if kind == "too_long":
        return "params_list_long", {"allowed": str(context["max_length"])}
    if kind == "literal_error":
        return "params_value", {"allowed": context["expected"].replace(" or ", ", ").replace("'", "")}
    for start, key in _KINDS.items():
        if kind.startswith(start):
            return key, {}
    return "params_value", {"allowed": found["msg"]}


def dotted(*parts: object) -> str:
    """Return the parts that are not empty, joined by dots."""
    return ".".join(str(part) for part in parts if part != "")
