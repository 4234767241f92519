"""What the columns of the files are called: one table of names and aliases, and how headers are matched.

Headers are compared without case, accents, spaces and punctuation, so ``Mã xã``, its NFD form, ``ma_xa`` and ``MA XA``
are one name. Of several aliases that a file carries, the first of the list is taken.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

from geo.profile import HIGHWAY_CLASSES, MODES

Kind = Literal["id", "text", "number", "integer", "choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file.

    Attributes
    ----------
    name : str
        As in :mod:`geo.schemas`, or ``row``-wise helpers such as ``lon``.
    aliases : tuple of str
        Other headers that mean the same, best first.
    needed : bool
        Without the column, or with an empty cell in it, the file is refused.
    wanted : bool
        Its absence is told where a header was not understood, which may stand for it.
    low, high : float
        Bounds of a number; `open_low` leaves the lower one out.
    grouped_below : float or None
        Where numbers like 1.250 have a median below this, their point separates thousands: infinite for what is whole
        by nature, 0 where only the whole numbers beside them can tell, None where a point is always a decimal one.
    choices : dict of str to str
        Folded word in the file -> value in the table.
    """

    name: str
    aliases: tuple[str, ...] = ()
    kind: Kind = "text"
    needed: bool = False
    wanted: bool = False
    low: float = float("-inf")
    high: float = float("inf")
    open_low: bool = False
    grouped_below: float | None = None
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> tuple[str, ...]:
        """Every accepted header, the canonical one first."""
        return (self.name, *self.aliases)

    @property
    def bounds(self) -> str:
        """The allowed numbers in words that need no language."""
        low = "" if self.low == float("-inf") else f"{'>' if self.open_low else '≥'} {self.low:g}"
        high = "" if self.high == float("inf") else f"≤ {self.high:g}"
        return ", ".join(part for part in (low, high) if part)


def fold(text: str) -> str:
    """Return `text` without case, accents, spaces and punctuation, for comparing headers and words."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def _words(names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {fold(word): value for value, others in names.items() for word in (value, *others)}


#: More people or square metres than this are a slip of the pen in any city.
_HIGHEST = 1e9
#: No inventory of offices has a median below this; one of 1.250 and 3.400 does.
_SMALL_M2 = 100.0
WHOLE_BY_NATURE = float("inf")


def _positive(name: str, *aliases: str, grouped_below: float | None = None, wanted: bool = False) -> Column:
    bounds: dict[str, Any] = {"low": 0, "open_low": True, "high": _HIGHEST}
    return Column(name=name, aliases=aliases, kind="number", grouped_below=grouped_below, wanted=wanted, **bounds)


def _area_m2(name: str, *aliases: str, wanted: bool = False) -> Column:
    return _positive(name, *aliases, grouped_below=_SMALL_M2, wanted=wanted)


def _not_negative(
    name: str,
    *aliases: str,
    needed: bool = False,
    wanted: bool = False,
    grouped_below: float | None = WHOLE_BY_NATURE,
) -> Column:
    more: dict[str, Any] = {"needed": needed, "wanted": wanted, "low": 0, "high": _HIGHEST}
    return Column(name=name, aliases=aliases, kind="number", grouped_below=grouped_below, **more)


_RELATION_NAMES: dict[str, tuple[str, ...]] = {
    "whole": ("toàn bộ", "nguyên trạng", "totalité", "entière"),
    "part": ("một phần", "partie", "une partie"),
    "remainder": ("phần còn lại", "reste", "le reste"),
    "part_area_only": ("một phần diện tích", "partie du territoire"),
    "part_area_whole_population": (
        "một phần diện tích và toàn bộ dân số",
        "partie du territoire et toute la population",
    ),
}
_SITE_KIND_NAMES: dict[str, tuple[str, ...]] = {
    "district_office": (
        "district",
        "trụ sở quận",
        "trụ sở huyện",
        "trụ sở thị xã",
        "trụ sở cấp huyện",
        "quận",
        "huyện",
        "sous-préfecture",
    ),
    "commune_office": (
        "commune",
        "ward",
        "trụ sở xã",
        "trụ sở phường",
        "trụ sở cấp xã",
        "xã",
        "phường",
        "thị trấn",
        "mairie",
        "hôtel de ville",
        "mairie annexe",
    ),
    "other": ("khác", "autre"),
}
_CONDITION_NAMES: dict[str, tuple[str, ...]] = {
    "good": ("tốt", "còn tốt", "bon", "bon état"),
    "fair": ("trung bình", "khá", "moyen", "état moyen"),
    "poor": ("kém", "xấu", "xuống cấp", "mauvais", "mauvais état", "vétuste"),
}

_LON_NAMES = ("lng", "long", "longitude", "kinh độ")
_LAT_NAMES = ("latitude", "vĩ độ")
#: Of places whose position is checked against the city, which tells a swapped pair from a wrong number.
LON = Column(name="lon", aliases=_LON_NAMES, kind="number")
LAT = Column(name="lat", aliases=_LAT_NAMES, kind="number")
_SOURCE = Column(name="data_source", aliases=("nguồn dữ liệu",))
_COMMUNE_CODES = (
    "commune_code",
    "code",
    "mã xã",
    "mã phường xã",
    "mã xã phường",
    "mã ĐVHC",
    "mã đơn vị hành chính",
    "code INSEE",
    "insee_com",
    "code commune",
    "mã",
    "id",
)
_POPULATION = ("population_2019", "dân số", "số dân", "population municipale", "nombre d'habitants")
_SURFACE_KM2 = ("surface (km2)", "superficie (km2)")
_EARLIER = ("population_2009", "dân số 2009", "dân số năm 2009", "dân số kỳ trước")

COMMUNES = (
    Column(name="commune_id", aliases=_COMMUNE_CODES, kind="id", needed=True),
    Column(
        name="name",
        aliases=("commune_name", "tên", "tên xã", "tên phường xã", "tên đơn vị", "nom", "nom commune"),
        needed=True,
    ),
    Column(name="kind", aliases=("type", "loại", "loại đơn vị", "nature")),
    Column(
        name="district_id",
        aliases=("district_code", "mã huyện", "mã quận", "mã quận huyện", "insee_arr", "code canton", "insee_can"),
        kind="id",
        needed=True,
    ),
    Column(
        name="district_name",
        aliases=("district", "tên huyện", "tên quận", "tên quận huyện", "quận huyện", "arrondissement", "canton"),
    ),
    _not_negative("population", *_POPULATION, wanted=True),
    _not_negative("population_earlier", *_EARLIER),
    _positive(
        "area_km2",
        "area_official_km2",
        "area_km2_official",
        "diện tích (km2)",
        "diện tích tự nhiên (km2)",
        *_SURFACE_KM2,
        wanted=True,
    ),
    _SOURCE,
)
UNITS = (
    Column(
        name="unit_id",
        aliases=("code", "mã", "mã đơn vị", "mã xã", "mã đơn vị hành chính", "code INSEE", "code commune", "id"),
        kind="id",
        needed=True,
    ),
    Column(name="name", aliases=("unit_name", "tên", "tên đơn vị", "tên xã", "nom", "nom commune")),
    Column(name="kind", aliases=("type", "loại", "loại đơn vị", "nature")),
    _positive(
        "area_km2", "official_area_km2", "diện tích (km2)", "diện tích tự nhiên (km2)", *_SURFACE_KM2, wanted=True
    ),
    _not_negative("population", "dân số", "số dân", "population municipale", "nombre d'habitants", wanted=True),
    _not_negative("staff", "biên chế", "số cán bộ công chức", "số cán bộ", "effectif", "nombre d'agents", wanted=True),
    Column(name="lon", aliases=_LON_NAMES, kind="number", low=-180, high=180),
    Column(name="lat", aliases=_LAT_NAMES, kind="number", low=-90, high=90),
    _SOURCE,
)
DISTRICTS = (
    Column(
        name="district_id",
        aliases=("district_code", "code", "mã huyện", "mã quận huyện", "mã", "id"),
        kind="id",
        needed=True,
    ),
    Column(name="name", aliases=("district_name", "tên", "tên huyện", "tên quận huyện"), needed=True),
    _not_negative("population", *_POPULATION),
)
CLAUSES = (
    Column(
        name="clause", aliases=("clause_1656", "khoản", "article"), kind="integer", low=1, high=1_000_000, needed=True
    ),
    Column(
        name="unit_id",
        aliases=("new_code", "mã đơn vị mới", "mã xã mới", "code nouvelle commune", "code commune nouvelle"),
        kind="id",
        needed=True,
    ),
    Column(
        name="unit_name",
        aliases=("new_name", "tên đơn vị mới", "tên xã mới", "nom nouvelle commune", "nom commune nouvelle"),
    ),
    Column(
        name="commune_id",
        aliases=("old_code", "mã đơn vị cũ", "mã xã cũ", "code ancienne commune", "code commune ancienne"),
        kind="id",
        needed=True,
    ),
    Column(
        name="commune_name",
        aliases=("old_name", "tên đơn vị cũ", "tên xã cũ", "nom ancienne commune", "nom commune ancienne"),
    ),
    Column(
        name="relation", aliases=("share_kind", "quan hệ"), kind="choice", needed=True, choices=_words(_RELATION_NAMES)
    ),
    Column(name="area_share", aliases=("tỷ lệ diện tích", "part de la surface"), kind="number", low=0, high=1),
)
INVENTORY = (
    Column(
        name="site_id",
        aliases=(
            "building_id",
            "mã trụ sở",
            "mã cơ sở",
            "mã công trình",
            "mã tài sản",
            "identifiant",
            "code",
            "mã",
            "id",
            "stt",
        ),
        kind="id",
        needed=True,
    ),
    Column(
        name="name",
        aliases=("tên", "tên trụ sở", "tên cơ sở", "tên công trình", "tên tài sản", "désignation", "nom"),
        needed=True,
    ),
    Column(
        name="kind",
        aliases=("type", "loại", "loại trụ sở", "nature"),
        kind="choice",
        choices=_words(_SITE_KIND_NAMES),
        wanted=True,
    ),
    Column(name="address", aliases=("địa chỉ", "adresse")),
    Column(
        name="commune_id",
        aliases=("commune_code", "old_code", "mã xã", "mã phường xã", "mã xã phường", "code INSEE", "code commune"),
        kind="id",
    ),
    Column(name="district_id", aliases=("district_code", "mã huyện", "mã quận", "mã quận huyện"), kind="id"),
    LON,
    LAT,
    _area_m2(
        "floor_area_m2",
        "diện tích sàn (m2)",
        "diện tích sàn",
        "tổng diện tích sàn (m2)",
        "tổng diện tích sàn",
        "surface de plancher (m2)",
        "surface de plancher",
        wanted=True,
    ),
    _area_m2("usable_area_m2", "diện tích sử dụng (m2)", "diện tích sử dụng", "surface utile (m2)", "surface utile"),
    _area_m2(
        "land_area_m2",
        "diện tích đất (m2)",
        "diện tích đất",
        "diện tích khu đất (m2)",
        "diện tích khu đất",
        "surface du terrain (m2)",
        "surface du terrain",
    ),
    _not_negative(
        "parking_area_m2",
        "diện tích để xe (m2)",
        "diện tích để xe",
        "diện tích đỗ xe (m2)",
        "diện tích đỗ xe",
        "surface de stationnement (m2)",
        "surface de stationnement",
        grouped_below=_SMALL_M2,
    ),
    _not_negative("hall_seats", "số chỗ hội trường", "hội trường (chỗ)", "places de la salle", wanted=True),
    Column(
        name="year_built",
        aliases=("năm xây dựng", "année de construction"),
        kind="integer",
        low=1800,
        high=2100,
        wanted=True,
    ),
    Column(
        name="condition",
        aliases=("tình trạng", "hiện trạng", "chất lượng", "état"),
        kind="choice",
        choices=_words(_CONDITION_NAMES),
        wanted=True,
    ),
    Column(name="position_source", aliases=("nguồn vị trí",)),
    _SOURCE,
)
COMMUNE_POPULATION = (
    Column(name="commune_id", aliases=_COMMUNE_CODES, kind="id", needed=True),
    _not_negative("population", *_POPULATION, needed=True),
    _not_negative("population_earlier", *_EARLIER),
    _SOURCE,
)
#: People at points are often the output of a model, with decimals.
POINT_POPULATION = (LON, LAT, _not_negative("population", *_POPULATION, needed=True, grouped_below=0), _SOURCE)


def _with_names(names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return every value with the words that mean the same."""
    return tuple(f"{value} ({', '.join(others)})" for value, others in names.items())


ALLOWED_CHOICES = {
    "relation": _with_names(_RELATION_NAMES),
    "kind": _with_names(_SITE_KIND_NAMES),
    "condition": _with_names(_CONDITION_NAMES),
    "mode": MODES,
    "highway": HIGHWAY_CLASSES,
}


def match_headers(headers: tuple[str, ...], columns: tuple[Column, ...], *, width: int | None = None) -> dict[str, int]:
    """Return the position in `headers` of every column of `columns` that is there.

    Parameters
    ----------
    headers : tuple of str
    columns : tuple of Column
    width : int, optional
        Length that the format cuts names to (10 in a shapefile).
    """
    positions: dict[str, int] = {}
    for position, header in enumerate(headers):
        positions.setdefault(fold(header), position)
    found: dict[str, int] = {}
    # A name in full comes before a cut one: "population" is no cut "population_earlier" where it is itself a column.
    for cut in (None,) if width is None else (None, width):
        for column in columns:
            names = [fold(alias[:cut]) for alias in column.headers]
            hits = [positions[name] for name in names if name in positions]
            if column.name not in found and hits and not (cut and hits[0] in found.values()):
                found[column.name] = hits[0]
    return found
