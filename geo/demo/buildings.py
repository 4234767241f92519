"""The modelled inventory of 903 administrative buildings: real places where they are known, modelled sizes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.demo.boundaries import DemoBoundaries
from geo.demo.places import Ground, Place
from geo.demo.roads import MODEL_CRS, random_of, rows_of, to_metric
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
_PLACED_BRANCHES = ("003", "005", "268")  # districts of the branches whose place is published
_LEAST_LAND_M2 = 20_000.0
_KINDS = ("Phường", "Xã", "Thị trấn", "Quận", "Huyện", "Thị xã")


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
    ground = Ground(boundaries, roads)
    communes = _commune_table(facts, population)
    known = pd.read_csv(facts / "admin_buildings_osm.csv", dtype=str).query("best == 'yes'")
    rows = _commune_offices(communes, known, ground) + _district_offices(communes, known, ground)
    others = (
        _service_branches(facts, communes, ground)
        + _other_known(known, ground)
        + _district_houses(facts, communes, ground)
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


def _commune_offices(communes: pd.DataFrame, known: pd.DataFrame, ground: Ground) -> list[dict[str, Any]]:
    places = known[known["level"] == "commune"].set_index("old_code")
    rows = []
    for commune in rows_of(communes):
        code = str(commune.Index)
        if code in places.index:
            place = ground.known(places.loc[code])
        else:
            centre = np.array([commune.x, commune.y])
            place = ground.near(code, centre, within=ground.communes[code], spread_m=250.0)
        name = f"Trụ sở UBND {_lower(commune.name)} (cũ)"
        rows.append(_row(f"CO-{code}", name, "commune_office", "commune", place, code))
    return rows


def _district_offices(communes: pd.DataFrame, known: pd.DataFrame, ground: Ground) -> list[dict[str, Any]]:
    places = known[known["level"] == "district"].drop_duplicates("old_code").set_index("old_code")
    rows = []
    for code, seat in _rows_by_id(_seats(communes)):
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
        offset = part[["x", "y"]] - part[["x", "y"]].mean()
        middle = part.index[int(np.argmin(np.hypot(offset["x"].to_numpy(), offset["y"].to_numpy())))]
        seat = str(towns["people"].idxmax() if len(towns) else middle)
        rows.append({"district_code": code, "commune_id": seat, **part[["district", "x", "y"]].loc[seat]})
    return pd.DataFrame(rows).set_index("district_code")


def _rows_by_id(table: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    return ((str(key), row) for key, row in table.iterrows())


def _service_branches(facts: Path, communes: pd.DataFrame, ground: Ground) -> list[dict[str, Any]]:
    """Return the 12 branches of the service centre: three at their known places, the rest by the biggest districts."""
    branches = pd.read_csv(facts / "service_branches.csv")
    seats = _seats(communes)
    size = communes.groupby("district_code")["people"].sum().reindex(seats.index)
    order = size.sort_values(ascending=False, kind="stable").index.drop(list(_PLACED_BRANCHES))
    spare = rows_of(seats.loc[order])
    rows = []
    for branch in rows_of(branches):
        if pd.notna(branch.lat):
            place = Place(
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


def _other_known(known: pd.DataFrame, ground: Ground) -> list[dict[str, Any]]:
    """Return the offices of communes merged before 2024, and new units' offices, that OpenStreetMap places."""
    rows = []
    for row in rows_of(known[known["level"].isin(["commune_merged_earlier", "new_unit"])]):
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


def _district_houses(facts: Path, communes: pd.DataFrame, ground: Ground) -> list[dict[str, Any]]:
    islands = pd.read_csv(facts / "ferries.csv", dtype={"commune_id": str})["commune_id"]
    mainland = communes.drop(index=islands.tolist())  # no district ran an office that its people reach by ferry
    rows = []
    for code, seat in _rows_by_id(_seats(communes)):
        district = _lower(seat["district"])
        word = {"quận": "Quận ủy", "huyện": "Huyện ủy"}.get(district.split()[0], "Thị ủy")
        own = mainland[mainland["district_code"] == code]
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
    rows: list[dict[str, Any]], communes: pd.DataFrame, boundaries: DemoBoundaries, ground: Ground, *, wanted: int
) -> list[dict[str, Any]]:
    """Return `wanted` houses of communes: first where a unit has fewer than two, then by people per building."""
    count = _count_by_unit(rows, ground)
    people = pd.Series(boundaries.units.set_index("unit_id")["population"], dtype=float).reindex(count.index)
    homes = _homes(boundaries.clauses, communes, ground)
    added: list[dict[str, Any]] = []
    used: Counter[str] = Counter()
    for _ in range(wanted):
        thin = count[count < 2]
        unit = str(thin.index[0]) if len(thin) else str((people / (count + 2)).idxmax())
        home = min(homes[unit], key=lambda one: used[one])
        pattern, size = _COMMUNE_HOUSES[used[home] % len(_COMMUNE_HOUSES)]
        used[home] += 1
        commune = communes.loc[home]
        place = ground.near(
            f"{home}/{used[home]}",
            commune[["x", "y"]].to_numpy(float),
            within=ground.communes[home].intersection(ground.units[unit]),
            spread_m=400.0,
        )
        added.append(_row("", pattern.format(commune=_lower(str(commune["name"]))), "other", size, place, home))
        count[unit] += 1
    return added


def _homes(clauses: pd.DataFrame, communes: pd.DataFrame, ground: Ground) -> dict[str, list[str]]:
    """Return the communes with people and some land in every unit, the most populous first."""
    lived_in = clauses[clauses["relation"] != "part_area_only"]
    ours = ground.communes.loc[lived_in["commune_id"]].to_numpy()
    theirs = ground.units.loc[lived_in["unit_id"]].to_numpy()
    lived_in = lived_in.assign(
        land_m2=shapely.area(shapely.intersection(ours, theirs)),
        people=communes.loc[lived_in["commune_id"], "people"].to_numpy(),
    )
    lived_in = lived_in[lived_in["land_m2"] > _LEAST_LAND_M2]
    ordered = lived_in.sort_values(["people", "commune_id"], ascending=[False, True], kind="stable")
    return {str(unit): list(part["commune_id"]) for unit, part in ordered.groupby("unit_id")}


def _count_by_unit(rows: list[dict[str, Any]], ground: Ground) -> pd.Series:
    places = shapely.points(np.array([row["place"].xy for row in rows]))
    units = ground.units.to_numpy()
    _, unit = shapely.STRtree(units).query(places, predicate="intersects")
    return pd.Series(np.bincount(unit, minlength=len(units)), index=ground.units.index)


def _row(site_id: str, name: str, kind: str, size: str, place: Place, commune_id: str) -> dict[str, Any]:
    return {"site_id": site_id, "name": name, "kind": kind, "size": size, "place": place, "commune_id": commune_id}


def _lower(name: str) -> str:
    """Return a name with its kind in small letters: ``phường Hàng Bạc``."""
    kind = next((kind for kind in _KINDS if name.startswith(f"{kind} ")), "")
    return kind.lower() + name[len(kind) :]


def _finish(rows: list[dict[str, Any]], communes: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    table = pd.DataFrame(rows).sort_values("site_id", ignore_index=True)
    home = communes.loc[table["commune_id"]]
    table["district_id"] = home["district_code"].to_numpy()
    xy = np.array([place.xy for place in table["place"]])
    degrees = gpd.GeoSeries(shapely.points(xy), crs=MODEL_CRS).to_crs(WGS84)
    table[["lon", "lat"]] = np.round(shapely.get_coordinates(degrees.to_numpy()), 6)
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
