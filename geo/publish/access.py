"""Who reaches what and how far it is, in words, as a sheet and as files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from geo.errors import Fault, InputError
from geo.plan import Plan
from geo.progress import Progress
from geo.publish.geopackage import fixed_time
from geo.publish.reasons import number_text, percent_text
from geo.publish.tables import write_csv
from geo.schemas import WGS84
from geo.settings import Settings
from geo.study.isochrones import site_isochrones, unit_isochrones
from geo.study.reach import NO_SITE, WITHIN_MIN, Reach, reach_table
from geo.text import t

#: Decimals by the last part of a column's name, or of a whole name; persons are whole.
_DECIMALS = {"min": 2, "between": 2, "km": 3, "km2": 3, "mean": 3, "p95": 3, "lon": 6, "lat": 6, "population": 0}
_SHARE_DECIMALS = 4
#: Columns of the sheet of the workbook, out of those of :attr:`geo.study.reach.Reach.units`.
_SHEET = (
    "unit_id", "name", "population", "mean_time_min", "median_time_min", "p95_time_min", "worst_time_min",
    "share_within_10min", "share_within_15min", "share_within_20min", "share_within_30min", "share_within_5km",
    "share_within_target", "mean_km", "detour_mean", "detour_p95", "minutes_between", "other_population",
    "unreachable_population", "access_reason",
)  # fmt: skip
#: The largest share of people that does not read as all of them.
_NOT_ALL = 0.999
#: Ten centimetres: what more digits of a degree say is not known.
_GRID_DEGREES = 1e-6


def write_access(
    plan: Plan,
    folder: Path,
    *,
    whole_sites: bool = True,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Reach:
    """Write who reaches what, and the isochrones, into a folder; return the former.

    ``access_units.csv``, ``access_points.csv`` (one row for each demand point) and ``access_receivers.csv`` hold the
    tables of :class:`~geo.study.reach.Reach`; ``isochrones.geojson`` the isochrones of the units on their own land, and
    ``isochrones.gpkg`` these and those of the sites, everywhere; both in EPSG:4326, and only where there are roads.

    Raises
    ------
    InputError
        A file cannot be written (key ``output_not_writable``).
    """
    options: dict[str, Any] = {"settings": settings, "progress": progress}
    reach = reach_table(plan, **options)
    layers = {"units": unit_isochrones(plan, **options)}
    if whole_sites:
        layers["sites"] = site_isochrones(plan, **options)
    write_csv(_rounded(reach.units.reset_index()), folder / "access_units.csv")
    for name, table in (("points", reach.points.reset_index()), ("receivers", reach.receivers)):
        write_csv(_rounded(table, decimals={"population": 2}), folder / f"access_{name}.csv")
    if plan.city.network is not None:
        degrees = {name: layer.to_crs(WGS84) for name, layer in layers.items()}
        _write_layers(degrees, folder / "isochrones.gpkg", "GPKG")
        shapes = shapely.set_precision(degrees["units"].geometry.to_numpy(), _GRID_DEGREES)
        _write_layers({"isochrones": degrees["units"].set_geometry(shapes)}, folder / "isochrones.geojson", "GeoJSON")
    return reach


def _write_layers(layers: dict[str, gpd.GeoDataFrame], path: Path, driver: str) -> None:
    """Write a file of geometry aside, then give it its name."""
    options = {"COORDINATE_PRECISION": "6"} if driver == "GeoJSON" else {}
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside, fixed_time():
            new = Path(aside) / path.name
            for name, layer in layers.items():
                pyogrio.write_dataframe(
                    _rounded(layer),
                    new,
                    layer=name,
                    driver=driver,
                    append=new.exists(),
                    promote_to_multi=True,
                    **options,
                )
            new.replace(path)
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise InputError(Fault(key="output_not_writable", value=str(path), values={"detail": str(error)})) from error


def access_sheet(plan: Plan, *, lang: str, settings: Settings | None = None) -> pd.DataFrame:
    """Return the table of the workbook: how far the people of each unit are from where they are received."""
    table = reach_table(plan, settings=settings).units.rename_axis("unit_id").reset_index()[list(_SHEET)]
    return table.assign(access_reason=[_reason_text(code, lang) for code in table["access_reason"]])


def _reason_text(code: str, lang: str) -> str:
    if code == NO_SITE:
        return t("access.no_site", lang=lang)
    return t(f"publish.access_label.{code}", lang=lang) if code else ""


def _rounded(table: pd.DataFrame, *, decimals: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return `table` with its figures rounded by what they are; `decimals` go before the usual ones."""
    table, known = table.copy(), {**_DECIMALS, **(decimals or {})}
    for name in table.select_dtypes("number"):
        places = _SHARE_DECIMALS if "share" in str(name) else known.get(str(name).split("_")[-1], 2)
        if places:
            table[name] = table[name].round(places) + 0.0
        else:
            table[name] = table[name].round().astype("Int64")
    return table


def reach_texts(reach: Reach, *, lang: str) -> list[str]:
    """Return what it comes to in sentences: minutes, kilometres, the city's target, the farthest unit, who is lost."""
    totals, units = reach.totals, reach.units

    def number(name: str, decimals: int = 1) -> str:
        return number_text(totals[name], lang=lang, decimals=decimals)

    def share(name: str) -> str:
        value = totals[f"share_within_{name}"]
        # Never 100.0 % while somebody is left out.
        return percent_text(value if value == 1 else min(value, _NOT_ALL), lang=lang, decimals=1)

    if totals["mean_time_min"] is None:
        return [t("access.nobody", lang=lang)]
    minutes = {f"{name}": number(f"{name}_time_min") for name in ("mean", "median", "p95", "worst")}
    texts = [
        t("access.minutes", lang=lang, **minutes, km=number("mean_km")),
        t("access.within", lang=lang, **{f"m{n}": share(f"{n}min") for n in WITHIN_MIN}),
        t("access.target", lang=lang, km=share("5km"), target=share("target")),
        t("access.detour", lang=lang, mean=number("detour_mean", 2), p95=number("detour_p95", 2)),
    ]
    farthest = units.iloc[int(units["mean_time_min"].fillna(-1.0).argmax())]
    mean = number_text(farthest["mean_time_min"], lang=lang, decimals=1)
    texts.append(t("access.farthest", lang=lang, unit=farthest["name"], mean=mean))
    if totals["at_service_points"] > 0:
        texts.append(t("access.points", lang=lang, people=number("at_service_points", 0)))
    for reason, people in totals["unreachable_by_reason"].items():
        words = {"people": number_text(people, lang=lang), "reason": _reason_text(reason, lang)}
        texts.append(t("access.unreached", lang=lang, **words))
    return texts
