"""Network profiles: the scenarios of a planner, such as rush hour or a closed bridge, as they stand in a file.

A scenario is a TOML file, so that a planner can copy and edit it::

    title = { en = "Rush hour", vi = "...", fr = "..." }
    source = "where the figures come from"
    assumption = true

    [speed_factors.motorbike]     # times the speed of the parameters; a class that is not named keeps it, 0 closes it
    primary = 0.6

    [[restrictions]]
    bridge = "Cầu Long Biên"      # or zone = "...", or lon, lat and radius_m, or ring = [[lon, lat], ...]
    modes = ["car"]               # all of them if left out
    max_kmh = 0                   # 0 closes, 4.8 lets people go on on foot
    since = 2026-07-01            # for a scenario whose `on` is earlier, nothing is restricted

The same table stands under ``access.scenario`` in the parameters of a plan: the profile that the plan is made under.
:mod:`geo.travel.scenario` lays it over a network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import shapely
import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.errors import Fault, ParamsError
from geo.landmarks import LANDMARKS
from geo.settings import EMBEDDED_DATA
from geo.validation import WrongValueError, dotted, faults_of, parse_toml

Mode = Literal["motorbike", "car", "walk"]
_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
MODES: tuple[Mode, ...] = ("motorbike", "car", "walk")
#: Classes of OSM ``highway`` values that a speed is given for; ``_link`` values count as their parent. Networks name a
#: class by its place in this list.
HIGHWAY_CLASSES = (
    "ferry", "footway", "living_street", "motorway", "path", "pedestrian", "primary", "residential", "secondary",
    "service", "steps", "tertiary", "track", "trunk", "unclassified",
)  # fmt: skip
_WORDS = {"title", "about", "source"}
_RADIUS_M = 150.0
#: Each of a list is read anew.
_MAX_PROFILES = 20


class Group(BaseModel):
    """Base of every group of parameters: frozen, strict about names, finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def digest_of(group: BaseModel, *, words: bool = False) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `group` as canonical JSON.

    The words of a profile change no number, so they are left out, unless `words` are asked for: what is kept by the
    digest, such as travel times, serves the same profile under another title.
    """
    left_out = None if words else _WORDS if isinstance(group, Scenario) else {"scenario": _WORDS}
    data = group.model_dump(mode="json", exclude=left_out)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_classes(names: Iterable[str], column: str) -> None:
    for name in names:
        if name not in HIGHWAY_CLASSES:
            raise WrongValueError("params_value", column=column, value=name, allowed=", ".join(HIGHWAY_CLASSES))


class Restriction(Group):
    """A place where some modes are slowed down or stopped: a disc, or a ring of corners, in degrees (WGS 84).

    A disc holds every road that touches it. A ring holds the roads whose middle lies inside and further than
    ``edge_open_m`` from its edge, because the edge of a zone is a street that stays open. A bridge by name is a disc
    around its middle for main roads alone, or, of a bridge that is none, a smaller one for all.
    """

    name: str
    lon: _Longitude | None = None
    lat: _Latitude | None = None
    radius_m: float = Field(_RADIUS_M, gt=0, le=50_000)
    ring: tuple[tuple[_Longitude, _Latitude], ...] = Field((), max_length=1000)
    edge_open_m: float = Field(60.0, ge=0, le=1000)
    classes: tuple[str, ...] = Field((), description="highway classes; all of them if empty")
    modes: tuple[Mode, ...] = MODES
    max_kmh: float = Field(0.0, ge=0, le=130, description="0 closes")
    since: date | None = None

    @model_validator(mode="after")
    def _known_classes(self) -> Restriction:
        _check_classes(self.classes, "classes")
        return self

    @model_validator(mode="after")
    def _one_place(self) -> Restriction:
        if (self.lon is None) != (self.lat is None) or (self.lon is None) == (not self.ring):
            raise WrongValueError("params_place")
        if self.ring and (len(self.ring) < 3 or not shapely.Polygon(self.ring).is_valid):
            raise WrongValueError("params_ring", column="ring", value="")
        return self

    def holds(self, mode: str, *, on: date | None) -> bool:
        """Return whether `mode` is restricted on that day; without a day, every restriction holds."""
        return mode in self.modes and (on is None or self.since is None or self.since <= on)


class Scenario(Group):
    """What differs from the base; everything else stays as the parameters say.

    Attributes
    ----------
    name : str
        Name of the file without its suffix; a label that no digest and no file holds.
    title, about : dict of str to str
        Words by language.
    source : str
        Where the figures and places come from.
    assumption : bool
        The figures are modelling assumptions, not measurements.
    on : date or None
        The day looked at.
    speed_factors : dict of str to dict of str to float
        By mode and highway class; times the speed, so 0.5 doubles the time and 0 closes the class.
    restrictions : tuple of Restriction
    """

    name: str = Field("", exclude=True)
    title: dict[str, str] = Field(default_factory=dict)
    about: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    assumption: bool = True
    on: date | None = None
    speed_factors: dict[Mode, dict[str, float]] = Field(default_factory=dict)
    restrictions: tuple[Restriction, ...] = Field((), max_length=200)

    @model_validator(mode="after")
    def _known_classes(self) -> Scenario:
        for mode, table in self.speed_factors.items():
            _check_classes(table, f"speed_factors.{mode}")
            for name, factor in table.items():
                if not 0 <= factor <= 2:
                    column = f"speed_factors.{mode}.{name}"
                    raise WrongValueError("params_value", column=column, value=factor, allowed="0 … 2")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the scenario as canonical JSON, first 16 hexadecimal digits."""
        return digest_of(self, words=True)

    def words(self, lang: str) -> str:
        """Return the title in `lang`, else in another language, else the name."""
        return self.title.get(lang) or next(filter(None, self.title.values()), self.name)

    def over(self, base: Scenario | None) -> Scenario:
        """Return this scenario laid over another, so that what both say counts once.

        A factor of this scenario takes the place of the base's for the same mode and class; every other one stays.
        Restrictions of both hold, each as on the day of its own scenario. So a scenario over itself is itself.

        Raises
        ------
        ParamsError
            Both together have more restrictions than one may have.
        """
        if base is None or base.model_copy(update={"name": self.name}) == self:
            return self
        parts, langs = (base, self), {**base.title, **self.title} or {"en": ""}
        joined = {
            "title": _joined([{lang: part.words(lang) for lang in langs} for part in parts], " + "),
            "about": _joined([part.about for part in parts], " "),
            "source": _joined([{"": part.source} for part in parts], " ").get("", ""),
            "assumption": base.assumption or self.assumption,
            "on": self.on or base.on,
            "speed_factors": {
                mode: {**base.speed_factors.get(mode, {}), **self.speed_factors.get(mode, {})}
                for mode in (*base.speed_factors, *self.speed_factors)
            },
            "restrictions": tuple(dict.fromkeys((*base._in_force(), *self._in_force()))),
        }
        try:
            return Scenario.model_validate(joined)
        except ValidationError as error:  # too many restrictions together
            raise ParamsError(list(faults_of(error, file=None, prefix="scenario"))) from error

    def _in_force(self) -> tuple[Restriction, ...]:
        """Return the restrictions that hold on the scenario's own day, to hold on any other as well."""
        held = (one for one in self.restrictions if one.since is None or self.on is None or one.since <= self.on)
        return tuple(one.model_copy(update={"since": None}) for one in held)

    def as_profile(self) -> Scenario:
        """Return the scenario as parameters hold it: by its content alone, its title in place of its name."""
        return self.model_copy(update={"name": "", "title": self.title or ({"en": self.name} if self.name else {})})

    def to_toml(self) -> str:
        """Return the scenario as TOML with every place as degrees; :func:`read_scenario` reads it back."""
        return tomlkit.dumps(self.model_dump(mode="json", exclude_none=True))


def _joined(parts: Sequence[Mapping[str, str]], by: str) -> dict[str, str]:
    """Return the texts of every key, one after the other, each once."""
    keys = dict.fromkeys(key for part in parts for key in part)
    texts = {key: by.join(dict.fromkeys(part[key] for part in parts if part.get(key))) for key in keys}
    return {key: text for key, text in texts.items() if text}


def list_scenarios(data_dir: Path | None = None) -> dict[str, Path]:
    """Return the file of every scenario by its name: those of ``data_dir/scenarios`` before those that are shipped."""
    folders = [Path(data_dir)] if data_dir else []
    found: dict[str, Path] = {}
    for folder in (*folders, EMBEDDED_DATA):
        for path in sorted((folder / "scenarios").glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def read_scenario(name: str | Path, *, data_dir: Path | None = None, on: date | None = None) -> Scenario:
    """Read a scenario by its name, or from a TOML file.

    Parameters
    ----------
    name : str or path-like
        One of :func:`list_scenarios`, or a path that ends in ``.toml``.
    data_dir : pathlib.Path, optional
        Data folder with ``scenarios`` of its own.
    on : date, optional
        The day looked at, in place of the file's.

    Raises
    ------
    ParamsError
        The scenario is unknown, the file is not TOML, or a name, value or place in it is not allowed.
    """
    known = list_scenarios(data_dir)
    path = Path(name) if str(name).endswith(".toml") else known.get(str(name))
    if path is None:
        raise ParamsError(_not_allowed("scenario", str(name), known))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ParamsError(Fault(key="params_unreadable", file=path.name, values={"detail": str(error)})) from error
    scenario = _parsed(parse_toml(content, file=path.name), file=path.name).model_copy(update={"name": path.stem})
    return scenario if on is None else scenario.model_copy(update={"on": on})


def resolve_profile(
    given: Any,
    *,
    file: str | None = None,
    column: str = "access.scenario",
    data_dir: Path | None = None,
    folder: Path | None = None,
) -> Scenario | None:
    """Return the profile that a file of parameters names or holds, with every name replaced by what it stands for.

    Parameters
    ----------
    given : object
        A name of :func:`list_scenarios`, the path of a TOML file, a table, or a list of these, each laid over those
        before it (:meth:`Scenario.over`). An empty text or list means none.
    file, column : str, optional
        Where it was found, for the faults.
    data_dir : pathlib.Path, optional
        Data folder with ``scenarios`` of its own.
    folder : pathlib.Path, optional
        What paths are relative to; without it, no path is followed.

    Raises
    ------
    ParamsError
        A scenario is unknown, cannot be read, or holds what is not allowed.
    """
    if isinstance(given, list):
        if len(given) > _MAX_PROFILES:
            raise ParamsError(
                Fault(key="params_list_long", file=file, column=column, values={"allowed": str(_MAX_PROFILES)})
            )
        parts = [resolve_profile(part, file=file, column=column, data_dir=data_dir, folder=folder) for part in given]
        return reduce(lambda base, part: part.over(base) if part else base, parts, cast("Scenario | None", None))
    if isinstance(given, Mapping):
        return _parsed(given, file=file, prefix=column)
    if not isinstance(given, str):
        raise ParamsError(replace(_not_allowed(column, str(given)[:80], list_scenarios(data_dir)), file=file))
    if not given:
        return None
    known = list_scenarios(data_dir)
    if given.endswith(".toml") and folder is not None:
        found = read_scenario(folder / given)
    elif given in known:
        found = read_scenario(known[given])
    else:
        raise ParamsError(replace(_not_allowed(column, given[:80], known), file=file))
    return found.as_profile()


def _parsed(data: Mapping[str, Any], *, file: str | None, prefix: str = "") -> Scenario:
    """Return the scenario of a table, its bridges and zones as degrees."""
    data = dict(data)
    if isinstance(data.get("restrictions"), list):
        data["restrictions"] = [_placed(item, file, prefix) for item in data["restrictions"]]
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ParamsError(list(faults_of(error, file=file, prefix=prefix))) from error


def _placed(item: Any, file: str | None, prefix: str) -> Any:
    """Return a restriction with its bridge or zone as degrees; what is not a table is left to the validation."""
    if not isinstance(item, dict):
        return item
    item = dict(item)
    for kind, read in LANDMARKS.items():
        place = item.pop(kind, None)
        if place is not None:
            places = read()
            if not isinstance(place, str) or place not in places:
                raise ParamsError(
                    replace(_not_allowed(dotted(prefix, "restrictions", kind), str(place)[:80], places), file=file)
                )
            item = {"name": place, **places[place], **item}
    return item


def _not_allowed(column: str, value: str, allowed: Mapping[str, Any]) -> Fault:
    return Fault(key="params_value", column=column, value=value, values={"allowed": ", ".join(allowed)})
