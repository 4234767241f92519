"""Parameters that change a number: the science. What describes the machine stands in :mod:`geo.settings`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from geo.errors import Fault, ParamsError
from geo.profile import HIGHWAY_CLASSES as HIGHWAY_CLASSES
from geo.profile import MODES as MODES
from geo.profile import Group as _Group
from geo.profile import Mode, Scenario, resolve_profile
from geo.profile import digest_of as digest_of
from geo.validation import WrongValueError, faults_of, parse_toml

CRITERIA = ("location", "size", "access", "conditions")
#: The parameter that a file may give by name.
_PROFILE = "access.scenario"


class Weights(_Group):
    """Weight of each criterion in the score; only their ratios matter."""

    location: float = Field(0.25, ge=0, le=1)
    size: float = Field(0.30, ge=0, le=1)
    access: float = Field(0.30, ge=0, le=1)
    conditions: float = Field(0.15, ge=0, le=1)

    @model_validator(mode="after")
    def _some_weight(self) -> Weights:
        if not any(getattr(self, name) for name in CRITERIA):
            raise WrongValueError("params_weights")
        return self

    def normalised(self) -> dict[str, float]:
        """Return the weights scaled to a sum of 1; the only place that does so."""
        total = sum(getattr(self, name) for name in CRITERIA)
        return {name: getattr(self, name) / total for name in CRITERIA}


#: Free-flow speeds in km/h: modelling assumptions for Hanoi's mixed traffic, editable.
_SPEEDS: dict[str, dict[str, float]] = {
    "motorbike": {
        "trunk": 45, "primary": 38, "secondary": 34, "tertiary": 30, "unclassified": 25,
        "residential": 22, "living_street": 15, "service": 15, "track": 12, "path": 8,
        "pedestrian": 0, "footway": 0, "steps": 0, "motorway": 50, "ferry": 8,
    },
    "car": {
        "motorway": 80, "trunk": 50, "primary": 38, "secondary": 32, "tertiary": 27, "unclassified": 22,
        "residential": 18, "living_street": 10, "service": 10, "track": 0, "path": 0,
        "pedestrian": 0, "footway": 0, "steps": 0, "ferry": 8,
    },
    "walk": {
        "motorway": 0, "trunk": 4.8, "primary": 4.8, "secondary": 4.8, "tertiary": 4.8, "unclassified": 4.8,
        "residential": 4.8, "living_street": 4.8, "service": 4.8, "track": 4.5, "path": 4.5,
        "pedestrian": 4.8, "footway": 4.8, "steps": 2.4, "ferry": 8,
    },
}  # fmt: skip

#: Surfaces that a way may have, by what they do to a speed; :mod:`geo.sources.tags` says which tag means which.
SURFACES = ("unknown", "paved", "uneven", "unpaved", "bad")
#: Share of its speed that is left to a mode on a surface: modelling assumptions, editable. Their order is that of the
#: caps in OSRM's profile for cars (sett and unpaved 40 km/h, earth and mud 10 to 20).
_SURFACE_FACTORS: dict[str, dict[str, float]] = {
    "motorbike": {"paved": 1.0, "uneven": 0.8, "unpaved": 0.65, "bad": 0.4},
    "car": {"paved": 1.0, "uneven": 0.8, "unpaved": 0.6, "bad": 0.3},
    "walk": {"paved": 1.0, "uneven": 1.0, "unpaved": 1.0, "bad": 0.8},
}


def _all_classes(table: dict[str, float]) -> list[tuple[str, float]]:
    """Return the speed of every class, 0 where the table has none."""
    return [(name, table.get(name, 0.0)) for name in HIGHWAY_CLASSES]


class AccessParams(_Group):
    """How citizens travel; everything the travel times depend on.

    A class of road that a mode may not use by default, such as a motorway for motorbikes, is open to it only where
    the map says so; the speed then holds. A speed of 0 closes the class.
    """

    mode: Mode = "motorbike"
    scenario: Scenario | None = Field(None, description="network profile that the plan is made under: rush hour, ...")
    speeds_kmh: dict[str, dict[str, float]] = Field(default_factory=lambda: {m: dict(t) for m, t in _SPEEDS.items()})
    surface_factors: dict[str, dict[str, float]] = Field(
        default_factory=lambda: {m: dict(t) for m, t in _SURFACE_FACTORS.items()},
        description="share of the speed left on a surface; what is usual for a class is in its speed already",
    )
    ferry_wait_min: float = Field(10.0, ge=0, le=120)
    snap_limit_m: float = Field(500.0, gt=0, le=5000)
    off_road_kmh: float = Field(4.8, gt=0, le=30, description="between a building and the road it joins")
    min_island_km: float = Field(2.0, ge=0, le=1000, description="shorter pieces of road are loose ends of the map")
    min_road_km_per_km2: float = Field(2.0, ge=0, le=50, description="a unit with less has no network")
    cutoff_min: float = Field(180.0, gt=0, le=600)
    demand_cell_m: float = Field(400.0, ge=50, le=5000)

    @model_validator(mode="after")
    def _known_classes(self) -> AccessParams:
        for mode, table in self.speeds_kmh.items():
            if mode not in _SPEEDS:
                raise WrongValueError("params_value", column="speeds_kmh", value=mode, allowed=", ".join(_SPEEDS))
            for name, speed in table.items():
                if name not in HIGHWAY_CLASSES:
                    column, allowed = f"speeds_kmh.{mode}", ", ".join(HIGHWAY_CLASSES)
                    raise WrongValueError("params_value", column=column, value=name, allowed=allowed)
                if not 0 <= speed <= 130:
                    column = f"speeds_kmh.{mode}.{name}"
                    raise WrongValueError("params_value", column=column, value=speed, allowed="0 … 130")
        merged = {
            mode: {name: float(self.speeds_kmh.get(mode, {}).get(name, speed)) for name, speed in _all_classes(table)}
            for mode, table in _SPEEDS.items()
        }
        object.__setattr__(self, "speeds_kmh", merged)
        return self

    @model_validator(mode="after")
    def _known_surfaces(self) -> AccessParams:
        for mode, table in self.surface_factors.items():
            if mode not in _SURFACE_FACTORS:
                allowed = ", ".join(_SURFACE_FACTORS)
                raise WrongValueError("params_value", column="surface_factors", value=mode, allowed=allowed)
            for name, factor in table.items():
                if name not in SURFACES[1:]:
                    column, allowed = f"surface_factors.{mode}", ", ".join(SURFACES[1:])
                    raise WrongValueError("params_value", column=column, value=name, allowed=allowed)
                if not 0 < factor <= 1:
                    column = f"surface_factors.{mode}.{name}"
                    raise WrongValueError("params_value", column=column, value=factor, allowed="> 0, ≤ 1")
        merged = {mode: {**table, **self.surface_factors.get(mode, {})} for mode, table in _SURFACE_FACTORS.items()}
        object.__setattr__(self, "surface_factors", merged)
        return self


#: Branches of the public administrative service centre whose places are known, by number, to 100 to 450 m
#: (data/facts/service_branches.csv); the places of the other nine are not in any source found.
_POINTS = {"1": (105.808242, 21.068314), "2": (105.7868, 21.03123), "7": (105.76962, 20.96354)}


class ServiceParams(_Group):
    """Where citizens are received besides the headquarters."""

    count_points: bool = Field(False, description="a citizen goes to the site or to a service point, the nearer")
    points: dict[str, tuple[float, float]] = Field(
        default_factory=lambda: dict(_POINTS), description="longitude and latitude of each point by name, degrees"
    )

    @model_validator(mode="after")
    def _on_earth(self) -> ServiceParams:
        for name, (lon, lat) in self.points.items():
            if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                place, allowed = f"{lon:g}, {lat:g}", "-180 … 180, -90 … 90"
                raise WrongValueError("params_value", column=f"points.{name}", value=place, allowed=allowed)
        return self

    @field_validator("points")
    @classmethod
    def _in_order(cls, points: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        """Sort by name, so that whatever has a column for each point has the same columns for the same points."""
        return dict(sorted(points.items()))


class ScoreParams(_Group):
    """From figures to scores between 0 and 1."""

    access_zero_min: float = Field(30.0, gt=0, le=240, description="travel time at which access scores 0")
    access_of: Literal["mean", "worst_5_percent", "kolm_pollak"] = Field("mean", description="whose travel time counts")
    inequality_aversion: float = Field(1.0, ge=0, le=20, description="epsilon of kolm_pollak; 0 is the mean")
    frontage_share: float = Field(0.3, ge=0, le=1, description="share of the street's class in the location score")
    good_0_1: float = Field(1.0, ge=0, le=1)
    fair_0_1: float = Field(0.6, ge=0, le=1)
    poor_0_1: float = Field(0.2, ge=0, le=1)
    unknown_0_1: float = Field(0.2, ge=0, le=1, description="a part not known; an area, as a share of the unit's need")
    service_life_years: float = Field(60.0, gt=0, le=200)
    base_year: int = Field(2025, ge=1900, le=2100)
    hall_seats: float = Field(100.0, gt=0, le=10000)
    parking_m2_per_motorbike: float = Field(3.0, gt=0, le=30, description="TCVN 4319:2012")


#: Marks a figure that no source bears out.
UNVERIFIED: dict[str, Any] = {"unverified": True}

#: Areas by title at commune level, as each decree gives them; which title of the older one stands for which of these is
#: read from the order of its list and is not verified.
DECREES: dict[str, dict[str, float]] = {
    "155/2025": {
        "secretary_m2": 30, "deputy_or_chair_m2": 20, "department_head_m2": 18, "specialist_m2": 15,
        "common_area_share": 0.85,
    },
    "152/2017": {
        "secretary_m2": 15, "deputy_or_chair_m2": 12, "department_head_m2": 10, "specialist_m2": 5,
        "common_area_share": 0.70,
    },
}  # fmt: skip


class Norms(_Group):
    """Who is to be housed, and the floor area of each title at commune level, from the table of a decree.

    A figure that is given goes before that of the decree. The staff of the city are ``city_staff - staff_leaving +
    staff_not_placed``; for another city set all three. Figures that no source bears out carry ``unverified``.
    """

    decree: Literal["155/2025", "152/2017"] = Field("155/2025", description="whose table of areas")
    secretary_m2: float = Field(30.0, ge=0)
    deputy_or_chair_m2: float = Field(20.0, ge=0)
    department_head_m2: float = Field(18.0, ge=0, json_schema_extra=UNVERIFIED, description="one source says 20")
    specialist_m2: float = Field(15.0, ge=0)
    common_area_share: float = Field(
        0.85, ge=0, le=3, json_schema_extra=UNVERIFIED, description="as cited for a comparable office"
    )
    n_deputies_and_chairs: int = Field(
        8, ge=0, json_schema_extra=UNVERIFIED, description="2 deputy secretaries, council 2, committee 3, Front 1"
    )
    n_department_heads: int = Field(10, ge=0, json_schema_extra=UNVERIFIED, description="heads and their deputies")
    party_deputies_share: float = Field(
        0.625, ge=0, le=1, json_schema_extra=UNVERIFIED, description="of them with Party and council: 5 of 8"
    )
    party_heads_share: float = Field(
        0.4, ge=0, le=1, json_schema_extra=UNVERIFIED, description="of the heads with Party and council: 4 of 10"
    )
    party_specialists_share: float = Field(
        0.3, ge=0, le=1, json_schema_extra=UNVERIFIED, description="of the specialists with Party and council"
    )
    city_staff: float = Field(9536.0, gt=0, description="officials and civil servants of all units together")
    staff_leaving: float = Field(
        876.0, ge=0, json_schema_extra=UNVERIFIED, description="of them asked to leave under Decree 178; taken off"
    )
    staff_not_placed: float = Field(
        253.0, ge=0, json_schema_extra=UNVERIFIED, description="not yet placed, and not among them; added"
    )
    base_staff: float = Field(
        20.0, ge=0, json_schema_extra=UNVERIFIED, description="staff of a unit that does not depend on its population"
    )
    ward_factor: float = Field(
        2.0, gt=0, le=20, json_schema_extra=UNVERIFIED, description="staff per inhabitant, ward to commune"
    )
    usable_share: float = Field(
        0.75, gt=0, le=1, json_schema_extra=UNVERIFIED, description="of the floor area, where only that is known"
    )

    @property
    def staff_to_house(self) -> float:
        """Staff of all units together: those there, less those leaving, and those not yet placed."""
        return self.city_staff - self.staff_leaving + self.staff_not_placed

    @classmethod
    def is_verified(cls, name: str, decree: str = "155/2025") -> bool:
        """Whether a source bears out the figure that stands where nobody sets one, under the decree.

        Of the table of 152/2017 none is: the sources give its figures without the titles.
        """
        if name in DECREES[decree] and decree != "155/2025":
            return False
        return cls.model_fields[name].json_schema_extra is not UNVERIFIED

    @model_validator(mode="before")
    @classmethod
    def _from_decree(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        table = DECREES.get(str(given.get("decree", "155/2025")), {})
        return {**table, **given}

    @field_validator("staff_leaving")
    @classmethod
    def _someone_stays(cls, leaving: float, info: ValidationInfo) -> float:
        there = info.data.get("city_staff", leaving)
        if leaving > there:
            raise WrongValueError("params_staff_leaving", there=f"{there:g}")
        return leaving


class ChoiceParams(_Group):
    """One site or two, and the city's budget."""

    max_sites: int = Field(232, ge=1)
    unit_weight: Literal["population", "equal"] = "population"
    reception: Literal["committee_site", "both_sites"] = "committee_site"
    split_penalty: float = Field(0.02, ge=0, le=1, description="score lost by working in two houses")
    split_penalty_per_min: float = Field(0.002, ge=0, le=1, description="and per minute between them")
    min_gain: float = Field(0.0, ge=0, le=1, description="gain that a second site must exceed; its price")


class ConstraintParams(_Group):
    """What the choice must respect besides the budget of sites; by default nothing.

    Buildings and units are named by their ids. What is not known of a building does not meet a minimum. Money has the
    unit that its user gives it: the inventory holds no costs, so ``max_cost`` needs one of the three that follow it.
    """

    pinned_sites: tuple[str, ...] = Field((), description="buildings that must be chosen")
    forbidden_sites: tuple[str, ...] = Field((), description="buildings that must not be chosen")
    pinned_pairs: tuple[tuple[str, str], ...] = Field((), description="two buildings that must be a unit's pair")
    forbidden_pairs: tuple[tuple[str, str], ...] = Field((), description="two buildings that must not be a pair")
    one_site_units: tuple[str, ...] = Field((), description="units that must have exactly one site")
    two_site_units: tuple[str, ...] = Field((), description="units that must have exactly two")
    min_norm_met_pct: float = Field(0.0, ge=0, le=500, description="of the space norm, in each role of every unit")
    min_m2_per_person: float = Field(0.0, ge=0, le=500, description="usable area for each of the staff, in each role")
    min_hall_seats: float = Field(0.0, ge=0, le=10000, description="at the site that receives the citizens")
    min_parking_m2: float = Field(0.0, ge=0, le=100000, description="at the site that receives the citizens")
    max_minutes_between: float | None = Field(None, ge=0, le=600, description="between the two sites of a pair")
    max_district_offices: int | None = Field(None, ge=0, description="former district offices in the whole city")
    max_cost: float | None = Field(None, ge=0, description="budget of money of the whole city")
    cost_per_site: float | None = Field(None, ge=0, description="cost of keeping a site")
    cost_per_m2: float | None = Field(None, ge=0, description="and of each m2 of its usable area")
    costs: dict[str, float] = Field(default_factory=dict, description="cost of single buildings, by id; goes first")


class RobustnessParams(_Group):
    """How the choice is tested against other weights."""

    n_weightings: int = Field(200, ge=1, le=100_000, description="random weightings tried with every plan")
    spread: float = Field(
        0.5, gt=0, le=1, description="each weight is drawn between 1 - spread and 1 + spread times its value"
    )
    firm_share: float = Field(
        0.8, ge=0, le=1, description="share of them that must choose the same for a unit to be firm"
    )
    figure_spread: float = Field(
        0.2, gt=0, lt=1, description="travel times, norms and other figures are tried so much lower and higher"
    )
    n_time_draws: int = Field(50, ge=1, le=10_000, description="cities with other travel times that truso robust tries")


class Params(_Group):
    """All parameters of a plan.

    Examples
    --------
    >>> Params().with_values({"weights.size": 0.5}).weights.size
    0.5
    """

    weights: Weights = Weights()
    access: AccessParams = AccessParams()
    service: ServiceParams = ServiceParams()
    score: ScoreParams = ScoreParams()
    norms: Norms = Norms()
    choice: ChoiceParams = ChoiceParams()
    constraints: ConstraintParams = ConstraintParams()
    robustness: RobustnessParams = RobustnessParams()

    @property
    def digest(self) -> str:
        """SHA-256 of the parameters as canonical JSON, first 16 hexadecimal digits."""
        return digest_of(self, words=True)

    def with_values(self, values: Mapping[str, Any]) -> Params:
        """Return a copy with dotted names replaced, validated again.

        Raises
        ------
        ParamsError
            A name is unknown or a value is out of its bounds.
        """
        data = self.model_dump()
        decree = str(values.get("norms.decree", self.norms.decree))
        if decree in DECREES and decree != self.norms.decree:
            # What the old decree gave goes with it; what somebody set stays.
            old = DECREES[self.norms.decree]
            kept = {key: value for key, value in data["norms"].items() if old.get(key) != value}
            data["norms"] = Norms(**{**kept, "decree": decree}).model_dump()
        for name, value in values.items():
            group = data
            *path, leaf = name.split(".")
            for part in path:
                child = group.get(part)
                if not isinstance(child, dict):
                    raise ParamsError(_unknown(name))
                group = child
            if leaf not in group and not name.startswith("access.speeds_kmh."):
                raise ParamsError(_unknown(name))
            group[leaf] = value
        return _validated(data)

    def to_toml(self) -> str:
        """Return the parameters as TOML; :func:`read_params` reads them back unchanged."""
        return tomlkit.dumps(self.model_dump(mode="json", exclude_none=True))


def read_params(
    path: str | Path | None = None, *, overrides: Iterable[str] = (), data_dir: Path | None = None
) -> Params:
    """Read a TOML file and ``name=value`` overrides, both optional.

    Parameters
    ----------
    path : path-like, optional
        TOML with the groups of :class:`Params`; what it leaves out keeps its default.
    overrides : iterable of str
        Such as ``"weights.size=0.5"``; the value is read as TOML, else as a plain word.
    data_dir : pathlib.Path, optional
        Data folder whose ``scenarios`` may be named besides those that are shipped.

    Raises
    ------
    ParamsError
        The file is not TOML, a name is unknown or a value is out of its bounds.
    """
    params = Params()
    if path is not None:
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path.name, error) from error
        params = parse_params(content, file=path.name, data_dir=data_dir, folder=path.parent)
    values: dict[str, Any] = {}
    for override in overrides:
        name, equals, text = (part.strip() for part in override.partition("="))
        if not equals:
            raise ParamsError(Fault(key="params_override", value=override))
        try:
            values[name] = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            values[name] = text
        if name == _PROFILE:
            values[name] = resolve_profile(values[name], data_dir=data_dir, folder=Path())
    return params.with_values(values)


def parse_params(
    content: bytes, *, file: str | None = None, data_dir: Path | None = None, folder: Path | None = None
) -> Params:
    """Return the parameters that a TOML file holds.

    A network profile may be named: its content takes the place of its name, so that what is returned, its digest and
    what is written from it no longer depend on any other file.

    Parameters
    ----------
    content : bytes
        UTF-8.
    file : str, optional
        Name of the file, for the faults.
    data_dir : pathlib.Path, optional
        Data folder whose ``scenarios`` may be named.
    folder : pathlib.Path, optional
        What the path of a scenario is relative to; without it, as for a file from a stranger, no path is followed.

    Raises
    ------
    ParamsError
        As :func:`read_params`; carries every fault found.
    """
    data = parse_toml(content, file=file)
    faults: list[Fault] = []
    access = data.get("access")
    if isinstance(access, dict) and "scenario" in access:
        given = access.pop("scenario")
        try:
            access["scenario"] = resolve_profile(given, file=file, data_dir=data_dir, folder=folder)
        except ParamsError as error:
            faults += error.faults
    try:
        params = _validated(data, file=file)
    except ParamsError as error:
        raise ParamsError([*faults, *error.faults]) from error
    if faults:
        raise ParamsError(faults)
    return params


def _unreadable(file: str | None, error: Exception) -> ParamsError:
    return ParamsError(Fault(key="params_unreadable", file=file, values={"detail": str(error)}))


def _unknown(name: str) -> Fault:
    return Fault(key="params_unknown", column=name)


def _validated(data: Mapping[str, Any], *, file: str | None = None) -> Params:
    try:
        return Params.model_validate(data)
    except ValidationError as error:
        raise ParamsError(list(faults_of(error, file=file))) from error
