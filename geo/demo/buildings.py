"""The modelled inventory of 903 administrative buildings: real places where they are known, modelled sizes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.demo.boundaries import DemoBoundaries
from geo.demo.roads import MODEL_CRS, random_of, to_metric
from geo.demo.sizes import draw_sizes
from geo.schemas import MODELLED, WGS84

N_BUILDINGS = 903
COLUMNS = (
    "site_id", "name", "kind", "address", "commune_id", "district_id", "lon", "lat", "floor_area_m2", "usable_area_m2",
    "land_area_m2", "parking_area_m2", "hall_seats", "year_built", "condition", "position_source", "data_source",
)  # fmt: skip

#: What a district owned besides its main office: words of the name, and how its size is drawn.
_DISTRICT_HOUSES = (
    ("Trụ sở {party} {district} (cũ)", "party"),
    ("Trụ sở khối phòng, ban chuyên môn {district} (cũ)", "departments"),
    ("Trụ sở Mặt trận Tổ quốc và đoàn thể {district} (cũ)", "small_office"),
    ("Trung tâm Văn hóa - Thông tin và Thể thao {district}", "culture"),
    ("Trung tâm Chính trị {district}", "school"),
    ("Chi nhánh Văn phòng Đăng ký đất đai {district}", "small_office"),
    ("Ban Quản lý dự án đầu tư xây dựng {district} (cũ)", "small_office"),
)
_COMMUNE_HOUSES = (
    ("Trụ sở Công an {commune} (cũ)", "police"),
    ("Nhà văn hóa {commune}", "culture_house"),
    ("Trụ sở Đảng ủy và đoàn thể {commune} (cũ)", "commune"),
    ("Trụ sở cũ của {commune} (trước khi xây trụ sở mới)", "former"),
)
_KINDS_OF_PLACE = {
    "stop": "osm_bus_stop", "stop_opposite": "osm_bus_stop", "stop_offset": "osm_bus_stop",
    "stop_road_to": "osm_bus_stop", "poi": "osm_poi",
}  # fmt: skip
_KINDS = ("Phường", "Xã", "Thị trấn", "Quận", "Huyện", "Thị xã")
_SETBACK_M = 14.0
_FRONT = {"primary": 1.0, "secondary": 2.0, "tertiary": 3.0, "unclassified": 2.0, "residential": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    xy: NDArray[np.float64]
    source: str


class _Ground:
    """Where a building can stand: roads, communes and the outline of the city."""

    def __init__(self, boundaries: DemoBoundaries, roads: gpd.GeoDataFrame) -> None:
        self.communes = _metric(boundaries.communes, "commune_id")
        self.units = _metric(boundaries.units, "unit_id")
        self.city = shapely.union_all(self.communes.to_numpy(), grid_size=1.0).buffer(-30)
        shapely.prepare(self.city)
        front = roads[roads["highway"].isin(_FRONT)].reset_index(drop=True)
        self.weight = front["highway"].map(_FRONT).to_numpy()
        self.roads = front
        self.tree = shapely.STRtree(front.geometry.to_numpy())
        named = roads[roads["name"] != ""].reset_index(drop=True)
        self.names = named["name"].to_numpy()
        self.named_tree = shapely.STRtree(named.geometry.to_numpy())

    def near(self, key: str, centre: NDArray[np.float64], *, within: shapely.Geometry, spread_m: float) -> _Place:
        """Return a plausible place on a road around `centre` that lies `within` a polygon."""
        rng = random_of("place", key)
        for reach in (spread_m, 2 * spread_m, 4 * spread_m, 20_000.0):
            hits = np.sort(self.tree.query(shapely.Point(centre), predicate="dwithin", distance=reach))
            middle = shapely.line_interpolate_point(self.roads.geometry.to_numpy()[hits], 0.5, normalized=True)
            inside = shapely.contains(within, middle) if len(hits) else np.array([], bool)
            hits, middle = hits[inside], middle[inside]
            if len(hits):
                gap = shapely.distance(shapely.Point(centre), middle)
                chance = self.weight[hits] * np.exp(-gap / spread_m)
                line = self.roads.geometry[hits[rng.choice(len(hits), p=chance / chance.sum())]]
                return _Place(xy=_beside(rng, line, within), source="modelled")
        return _Place(xy=shapely.get_coordinates(within.representative_point())[0], source="modelled")

    def known(self, row: Any) -> _Place:
        """Return the place of a row of ``admin_buildings_osm.csv``, moved only where it leaves the city."""
        xy = to_metric([row.lon], [row.lat])[0]
        source = f"{_KINDS_OF_PLACE[row.position_kind]} ({row.error_m} m)"
        if not shapely.contains_xy(self.city, *xy):
            xy = shapely.get_coordinates(shapely.shortest_line(self.city, shapely.Point(xy)))[0]
            source += ", moved inside the modelled outline"
        return _Place(xy=xy, source=source)

    def street(self, xy: NDArray[np.float64]) -> str:
        """Return the name of a road in sight of the place, or an empty string."""
        hits = self.named_tree.query(shapely.Point(xy), predicate="dwithin", distance=60.0)
        if not len(hits):
            return ""
        gaps = shapely.distance(shapely.Point(xy), self.named_tree.geometries[hits])
        return str(self.names[hits[np.lexsort((self.names[hits], gaps.round(1)))[0]]])

    def commune_at(self, xy: NDArray[np.float64]) -> str:
        """Return the commune nearest to the place."""
        gaps = shapely.distance(self.communes.to_numpy(), shapely.Point(xy))
        return str(self.communes.index[int(np.argmin(gaps))])


def _metric(frame: gpd.GeoDataFrame, key: str) -> gpd.GeoSeries:
    return gpd.GeoSeries(frame.to_crs(MODEL_CRS).geometry.to_numpy(), index=frame[key], crs=MODEL_CRS)


def _beside(rng: np.random.Generator, line: shapely.LineString, within: shapely.Geometry) -> NDArray[np.float64]:
    """Return a place a few metres off a road."""
    share = rng.uniform(0.25, 0.75)
    a, b = shapely.get_coordinates(line)
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / max(float(np.linalg.norm(b - a)), 1.0)
    for side in rng.permutation([-1.0, 1.0]):
        xy = a + share * (b - a) + side * _SETBACK_M * normal
        if shapely.contains_xy(within, *xy):
            return np.asarray(xy)
    return np.asarray(a + share * (b - a))


def build_inventory(
    facts: Path, boundaries: DemoBoundaries, *, roads: gpd.GeoDataFrame, population: pd.DataFrame
) -> pd.DataFrame:
    """Return the inventory: 526 commune offices, 30 district offices and 347 others.

    Parameters
    ----------
    facts : path-like
    boundaries : DemoBoundaries
    roads : geopandas.GeoDataFrame
        Columns ``highway``, ``name``, ``geometry`` of :attr:`geo.demo.ways.DemoNetwork.edges`.
    population : pandas.DataFrame
        Columns ``commune_id``, ``population``.

    Returns
    -------
    pandas.DataFrame
        The columns of :data:`COLUMNS`, ascending by site_id. Every unit has at least two buildings. Degrees are
        EPSG:4326; sizes in square metres, a few of them missing, as in real inventories.
    """
    ground = _Ground(boundaries, roads)
    communes = _commune_table(facts, population)
    known = pd.read_csv(facts / "admin_buildings_osm.csv", dtype=str).query("best == 'yes'")
    rows = _commune_offices(communes, known, ground) + _district_offices(communes, known, ground)
    others = (
        _service_branches(facts, communes, ground) + _other_known(known, ground) + _district_houses(communes, ground)
    )
    others += _fill_units(rows + others, communes, boundaries, ground, wanted=N_BUILDINGS - len(rows) - len(others))
    for number, row in enumerate(others, start=1):
        row["site_id"] = f"OT-{number:04d}"
    return _finish(rows + others, communes, ground)


def _commune_table(facts: Path, population: pd.DataFrame) -> pd.DataFrame:
    table = pd.read_csv(facts / "communes_2024.csv", dtype={"code": str, "district_code": str})
    table["people"] = table["code"].map(population.set_index("commune_id")["population"])
    table[["x", "y"]] = to_metric(table["lon"], table["lat"])
    table["land_km2"] = table["area_km2_official"].fillna(table["area_km2_official"].median())
    return table.set_index("code").sort_index()


def _commune_offices(communes: pd.DataFrame, known: pd.DataFrame, ground: _Ground) -> list[dict[str, Any]]:
    places = known[known["level"] == "commune"].set_index("old_code")
    rows = []
    for commune in communes.itertuples():
        code = str(commune.Index)
        if code in places.index:
            place = ground.known(places.loc[code])
        else:
            centre = np.array([commune.x, commune.y])
            place = ground.near(code, centre, within=ground.communes[code], spread_m=250.0)
        name = f"Trụ sở UBND {_lower(commune.name)} (cũ)"
        rows.append(_row(f"CO-{code}", name, "commune_office", "commune", place, code))
    return rows


def _district_offices(communes: pd.DataFrame, known: pd.DataFrame, ground: _Ground) -> list[dict[str, Any]]:
    places = known[known["level"] == "district"].drop_duplicates("old_code").set_index("old_code")
    rows = []
    for code, seat in _seats(communes).iterrows():
        if code in places.index:
            place = ground.known(places.loc[code])
        else:
            centre, within = seat[["x", "y"]].to_numpy(float), ground.communes[seat["commune_id"]]
            place = ground.near(f"DO-{code}", centre, within=within, spread_m=400.0)
        home = ground.commune_at(place.xy) if place.source != "modelled" else seat["commune_id"]
        name = f"Trụ sở UBND {_lower(seat['district'])} (cũ)"
        rows.append(_row(f"DO-{code}", name, "district_office", "district", place, home))
    return rows


def _seats(communes: pd.DataFrame) -> pd.DataFrame:
    """Return the commune that each district was run from: its township, else the one nearest to its middle."""
    rows = []
    for code, part in communes.groupby("district_code", sort=True):
        towns = part[part["type"] == "Thị trấn"]
        near = np.hypot(part["x"] - part["x"].mean(), part["y"] - part["y"].mean())
        seat = towns["people"].idxmax() if len(towns) else near.idxmin()
        rows.append({"district_code": code, "commune_id": seat, **part.loc[seat, ["district", "x", "y"]]})
    return pd.DataFrame(rows).set_index("district_code")


def _service_branches(facts: Path, communes: pd.DataFrame, ground: _Ground) -> list[dict[str, Any]]:
    """Return the 12 branches of the service centre: three at their known places, the rest by the biggest districts."""
    branches = pd.read_csv(facts / "service_branches.csv")
    seats = _seats(communes)
    size = communes.groupby("district_code")["people"].sum().reindex(seats.index)
    spare = iter(seats.loc[size.sort_values(ascending=False).index].drop(["003", "005", "268"]).itertuples())
    rows = []
    for branch in branches.itertuples():
        if pd.notna(branch.lat):
            place = _Place(
                xy=to_metric([branch.lon], [branch.lat])[0], source=f"published address ({branch.geocode_precision})"
            )
            home = ground.commune_at(place.xy)
        else:
            seat = next(spare)
            home = seat.commune_id
            centre = np.array([seat.x, seat.y])
            place = ground.near(f"branch{branch.number}", centre, within=ground.communes[home], spread_m=500.0)
        name = f"Chi nhánh số {branch.number} - Trung tâm Phục vụ hành chính công"
        rows.append(_row("", name, "other", "branch", place, home))
    return rows


def _other_known(known: pd.DataFrame, ground: _Ground) -> list[dict[str, Any]]:
    """Return the offices of communes merged before 2024, and new units' offices, that OpenStreetMap places."""
    rows = []
    for row in known[known["level"].isin(["commune_merged_earlier", "new_unit"])].itertuples():
        place = ground.known(row)
        old = row.old_name.split(" (")[0]
        if row.level == "new_unit":
            name = f"Trụ sở làm việc tại {_lower(old)}"
        else:
            name = f"Trụ sở UBND {_lower(old)} (sáp nhập trước 2025)"
        rows.append(
            _row(
                "",
                name,
                "other",
                "former" if row.level != "new_unit" else "commune",
                place,
                ground.commune_at(place.xy),
            )
        )
    return rows


def _district_houses(communes: pd.DataFrame, ground: _Ground) -> list[dict[str, Any]]:
    rows = []
    for code, seat in _seats(communes).iterrows():
        district = _lower(seat["district"])
        word = {"quận": "Quận ủy", "huyện": "Huyện ủy"}.get(district.split()[0], "Thị ủy")
        own = communes[communes["district_code"] == code]
        for pattern, size in _DISTRICT_HOUSES:
            rng = random_of("house", code, pattern)
            gap = np.hypot(own["x"] - seat["x"], own["y"] - seat["y"])
            home = rng.choice(own.index.to_numpy(), p=_chances(own["people"] * np.exp(-gap / 1500.0)))
            centre = own.loc[home, ["x", "y"]].to_numpy(float)
            place = ground.near(f"{code}{pattern}", centre, within=ground.communes[home], spread_m=500.0)
            # The Party's committee is called after the place, not after the kind of district.
            name = pattern.format(party=word, district=district).replace(f"{word} {district.split()[0]} ", f"{word} ")
            rows.append(_row("", name, "other", size, place, str(home)))
    return rows


def _chances(weight: pd.Series) -> NDArray[np.float64]:
    return (weight / weight.sum()).to_numpy()


def _fill_units(
    rows: list[dict[str, Any]], communes: pd.DataFrame, boundaries: DemoBoundaries, ground: _Ground, *, wanted: int
) -> list[dict[str, Any]]:
    """Return `wanted` houses of communes: first where a unit has fewer than two buildings, then by people per building."""
    clauses = boundaries.clauses
    count = _count_by_unit(rows, ground)
    people = pd.Series(boundaries.units.set_index("unit_id")["population"], dtype=float).reindex(count.index)
    added: list[dict[str, Any]] = []
    used: dict[str, int] = {}
    for _ in range(wanted):
        thin = count[count < 2]
        unit = str(thin.index[0]) if len(thin) else str((people / (count + 2)).idxmax())
        homes = clauses.loc[(clauses["unit_id"] == unit) & (clauses["relation"] != "part_area_only"), "commune_id"]
        shared = shapely.area(shapely.intersection(ground.communes.loc[homes].to_numpy(), ground.units[unit]))
        open_homes = [
            h for h, a in zip(homes, shared, strict=True) if a > 50_000 and used.get(h, 0) < len(_COMMUNE_HOUSES)
        ]
        home = min(open_homes or list(homes), key=lambda h: (used.get(h, 0), -communes.at[h, "people"]))
        pattern, size = _COMMUNE_HOUSES[used.get(home, 0) % len(_COMMUNE_HOUSES)]
        used[home] = used.get(home, 0) + 1
        within = ground.communes[home].intersection(ground.units[unit])
        centre = communes.loc[home, ["x", "y"]].to_numpy(float)
        place = ground.near(f"{home}{pattern}{used[home]}", centre, within=within, spread_m=400.0)
        added.append(_row("", pattern.format(commune=_lower(communes.at[home, "name"])), "other", size, place, home))
        count[unit] += 1
    return added


def _count_by_unit(rows: list[dict[str, Any]], ground: _Ground) -> pd.Series:
    places = shapely.points(np.array([row["place"].xy for row in rows]))
    units = ground.units.to_numpy()
    _, unit = shapely.STRtree(units).query(places, predicate="intersects")
    return pd.Series(np.bincount(unit, minlength=len(units)), index=ground.units.index)


def _row(site_id: str, name: str, kind: str, size: str, place: _Place, commune_id: str) -> dict[str, Any]:
    return {"site_id": site_id, "name": name, "kind": kind, "size": size, "place": place, "commune_id": commune_id}


def _lower(name: str) -> str:
    """Return a name with its kind in small letters: ``phường Hàng Bạc``."""
    kind = next((kind for kind in _KINDS if name.startswith(f"{kind} ")), "")
    return kind.lower() + name[len(kind) :]


def _finish(rows: list[dict[str, Any]], communes: pd.DataFrame, ground: _Ground) -> pd.DataFrame:
    table = pd.DataFrame(rows).sort_values("site_id", ignore_index=True)
    home = communes.loc[table["commune_id"]]
    table["district_id"] = home["district_code"].to_numpy()
    xy = np.array([place.xy for place in table["place"]])
    degrees = gpd.GeoSeries(shapely.points(xy), crs=MODEL_CRS).to_crs(WGS84)
    table[["lon", "lat"]] = np.round(shapely.get_coordinates(degrees.values), 6)
    table["position_source"] = [place.source for place in table["place"]]
    table["address"] = [
        ", ".join(part for part in (ground.street(place), _lower(name), _lower(district)) if part)
        for place, name, district in zip(xy, home["name"], home["district"], strict=True)
    ]
    table["address"] = table["address"].str[:1].str.upper() + table["address"].str[1:]
    sizes = draw_sizes(
        table["site_id"],
        kind=table["size"],
        people=home["people"].to_numpy(),
        urban=(home["type"] == "Phường").to_numpy(),
    )
    table = pd.concat([table, sizes], axis=1).assign(data_source=MODELLED)
    for column in ("name", "address"):
        table[column] = table[column].map(lambda text: unicodedata.normalize("NFC", text))
    return table[list(COLUMNS)]


def write_inventory(inventory: pd.DataFrame, path: Path) -> None:
    """Write the inventory as CSV, whole numbers as such."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inventory.to_csv(path, index=False, lineterminator="\n")
