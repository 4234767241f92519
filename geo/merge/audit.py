"""Audit a merge: coverage, clauses against the geometry, official figures, what lies apart, and what would mend each.

A finding is data: a check, its subject, a value with its limit, a place and the code of a remedy. The words stand in
``geo/text/<language>/audit.toml``. Pairs of polygons come from trees, so the work grows with the number of communes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.merge.checks import AREA_TOLERANCE_PCT, CHECKS, Case, Found
from geo.merge.coverage import (
    ROUNDING,
    Coverage,
    Spots,
    ellipsoidal_area_km2,
    examine_coverage,
    unite,
)
from geo.merge.leftover import COARSE_LINE_M
from geo.merge.population import registered_people
from geo.schemas import WGS84, Audit, check

#: Two neighbours whose areas are off by opposite amounts, alike to this share, have their common line drawn elsewhere.
_OPPOSITE = 0.5
_BESIDE_M = 1.0
#: Official areas within this factor of a power of ten times the areas found are in another unit of measure.
_SAME_MEASURE = 1.25
#: Parts of a unit nearer than this to one another are parted by lines that do not meet, not by land.
_LOOSE_LINE_M = 100.0
_NAN = float("nan")


def audit_merge(
    *,
    communes: gpd.GeoDataFrame,
    unit_facts: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    pieces: gpd.GeoDataFrame,
    overlay: gpd.GeoDataFrame,
    districts: gpd.GeoSeries,
    given_share: pd.Series | None = None,
    unused_lines: gpd.GeoSeries | None = None,
) -> pd.DataFrame:
    """Return the table :class:`~geo.schemas.Audit` of a merge.

    Parameters
    ----------
    communes, unit_facts : geopandas.GeoDataFrame
        What was merged, tables :class:`~geo.schemas.Communes` and ``UnitFacts``, in a metric CRS.
    units, pieces : geopandas.GeoDataFrame
        What came out, tables ``Units`` and ``Pieces``, same CRS.
    overlay : geopandas.GeoDataFrame
        :func:`~geo.merge.coverage.overlay` of the communes and the units that came with a polygon.
    districts : geopandas.GeoSeries
        The land of all communes, joined by district: far fewer lines to join once more.
    given_share : pandas.Series, optional
        Share of its commune that the clause of each piece gives, missing where it gives none.
    unused_lines : geopandas.GeoSeries, optional
        Lines drawn by the user that divide nothing.

    Returns
    -------
    pandas.DataFrame
        The sums and one row per unit for its area and its people, passed or not; of every other check only what
        failed. Breaches come first; sums of the city before the rest, and that by the land at stake.
    """
    case = Case(communes=communes, unit_facts=unit_facts, units=units, pieces=pieces, overlay=overlay)
    new, old = unite(units.geometry, districts)
    after = examine_coverage(units.geometry, union=new)
    before = examine_coverage(communes.geometry, union=old, outline=new if case.drawn.any() else None)
    found = [
        *_of_units(case, after),
        *_of_communes(case, before),
        *_of_sums(case, before=old, after=new),
        *_of_changed_land(case),
        *_of_areas(case),
        *_of_commune_areas(case),
        *_of_people(case),
        *_of_foreign_land(case),
        *_of_units_without_land(case),
        *_of_clauses(case),
        *_of_parts_apart(case),
        *_of_sureness(case),
        *([] if given_share is None else _of_given_shares(case, given_share)),
        *(
            Found(check="line_unused", subject="city", value=line.length, place=line, remedy="remove_line")
            for line in ([] if unused_lines is None else unused_lines)
        ),
    ]
    table: pd.DataFrame = check(Audit, _table(found, crs=communes.crs))
    return table


def breaches(audit: pd.DataFrame) -> pd.DataFrame:
    """Return the findings that break what must hold."""
    return audit[~audit["passed"] & (audit["severity"] == "breach")]


def worst(audit: pd.DataFrame, *, n: int = 10) -> pd.DataFrame:
    """Return the `n` failures with most land at stake; ties in the order of the table.

    Land at stake is the land that a finding leaves in doubt, in km2: of a gap, an overlap or a part that lies apart its
    area; of a unit's area the difference from the official figure; of its people the land on which so many live in
    that unit; of a part whose share is unsure half the range that the data leave open. Sums over the city are left out,
    because their places are listed, and so are faults of the communes that official polygons have settled.
    """
    failed = audit[~audit["passed"] & audit["at_stake_km2"].notna()]
    return failed.sort_values("at_stake_km2", ascending=False, kind="stable").head(n)


def highlights(audit: pd.DataFrame, *, n: int = 10) -> dict[str, pd.DataFrame]:
    """Return what to read first: ``breaches``, ``certain`` faults whose land says nothing of them, and the ``worst``.

    A sum over the city that is broken is followed by its largest spots. Certain is a figure that lost or gained a zero,
    and a clause without land. Each list but the breaches holds at most `n`; so do the spots of a sum.
    """
    failed = audit[~audit["passed"]]
    broken: list[Any] = []
    for position, name in breaches(audit)["check"].items():
        broken += [position, *_spots_of(failed, name).index[:n]]
    zeros = failed[failed["remedy"] == "check_zero"].sort_values("value", key=abs, ascending=False, kind="stable")
    landless = failed[failed["check"] == "clause_without_land"]
    certain = pd.concat([zeros, landless]).head(n)
    return {"breaches": audit.loc[broken], "certain": certain, "worst": worst(audit, n=n)}


def _spots_of(failed: pd.DataFrame, check: str) -> pd.DataFrame:
    """Return the places of a sum such as ``gap_km2``, the largest first; none of a check that is no such sum."""
    name = check.removesuffix("_km2")
    is_spot = failed["check"].isin([f"unit_{name}", "unit_sliver"]) & (failed["subject_kind"] == "unit")
    spot = failed["figures"].map(lambda text: json.loads(text).get("spot"))
    return failed[is_spot & (spot == name)].sort_values("value", ascending=False, kind="stable")


def _table(found: list[Found], *, crs: Any) -> pd.DataFrame:
    places = gpd.GeoSeries([shapely.Point() if f.place is None else f.place for f in found], crs=crs)
    points = places.representative_point().to_crs(WGS84)
    checks = [CHECKS[f.check] for f in found]
    table = pd.DataFrame(
        {
            "check": [f.check for f in found],
            "severity": ["breach" if c.must_hold else "notice" for c in checks],
            "subject_kind": [c.subject for c in checks],
            "subject": [f.subject for f in found],
            "other_kind": [c.other if f.other else "" for f, c in zip(found, checks, strict=True)],
            "other": [" ".join(f.other) for f in found],
            "value": [float(f.value) for f in found],
            "unit": [c.unit for c in checks],
            "limit": [f.limit if np.isnan(c.limit) else c.limit for f, c in zip(found, checks, strict=True)],
            "lon": points.x.round(6),
            "lat": points.y.round(6),
            "figures": [json.dumps(f.figures, sort_keys=True, default=float) for f in found],
        }
    )
    at_least = np.array([c.at_least for c in checks])
    size = table["value"].abs()
    table["passed"] = np.where(at_least, size >= table["limit"], size <= table["limit"])
    table["at_stake_km2"] = pd.Series([f.at_stake_km2 for f in found], dtype=float).where(~table["passed"])
    table["remedy"] = pd.Series([f.remedy for f in found], dtype=object).where(~table["passed"], "")
    order = table.assign(
        mild=table["severity"] != "breach", part=table["subject"] != "city", rank=-table["at_stake_km2"]
    )
    return table.loc[order.sort_values(["passed", "mild", "part", "rank"], kind="stable").index].reset_index(drop=True)


def _of_units(case: Case, after: Coverage) -> Iterator[Found]:
    """Yield overlaps and gaps of the units; where all units beside a spot came with a polygon, those want mending."""
    drawn = case.drawn
    limit = ROUNDING * float(case.units.area.sum()) / 1e6
    for name, spots in (("overlap", after.overlaps), ("gap", after.gaps)):
        official = [bool(near) and all(drawn[unit_id] for unit_id in near) for near in spots.near]
        remedies = ["mend_units" if is_official else "mend_communes" for is_official in official]
        remedy = "mend_units" if (all(official) if official else drawn.all()) else "mend_communes"
        yield _total(f"{name}_km2", spots, limit=limit, remedy=remedy)
        yield from _places(f"unit_{name}", "unit_sliver", spots, remedies=remedies)


def _of_communes(case: Case, before: Coverage) -> Iterator[Found]:
    """Yield faults of the communes as found; where all units of those beside a spot are drawn, these settle it."""
    settled = case.settled
    limit = ROUNDING * float(case.units.area.sum()) / 1e6
    for name, spots in (("overlap", before.overlaps), ("gap", before.gaps), ("outside", before.outside)):
        by_units = [all(settled[commune_id] for commune_id in near) for near in spots.near]
        remedies = ["settled_by_units" if by_unit else "mend_communes" for by_unit in by_units]
        remedy = "settled_by_units" if (all(by_units) if by_units else settled.all()) else "mend_communes"
        yield _total(f"commune_{name}_km2", spots, limit=limit, remedy=remedy)
        yield from _places(f"commune_{name}", "commune_sliver", spots, remedies=remedies)


def _total(name: str, spots: Spots, *, limit: float, remedy: str) -> Found:
    return Found(
        check=name, subject="city", value=spots.total_m2 / 1e6, limit=limit, remedy=remedy,
        figures={"spots": len(spots.shape)},
    )  # fmt: skip


def _places(name: str, sliver: str, spots: Spots, *, remedies: list[str]) -> Iterator[Found]:
    """Yield a row for every spot: the first polygon beside it is its subject, the others are its neighbours."""
    rows = zip(spots.shape, spots.near, shapely.area(spots.shape) / 1e6, spots.are_slivers, remedies, strict=True)
    for shape, near, km2, narrow, remedy in rows:
        yield Found(
            check=sliver if narrow else name, subject=near[0] if near else "", other=near[1:], value=km2,
            at_stake_km2=_NAN if remedy == "settled_by_units" else km2, place=shape, remedy=remedy,
            figures={"spot": name.split("_")[1]},
        )  # fmt: skip


def _of_sums(case: Case, *, before: shapely.Geometry, after: shapely.Geometry) -> Iterator[Found]:
    """Yield the land and the people that are lost: of the union of the communes, and between a unit and its pieces."""
    parts = case.pieces.area.groupby(case.pieces["unit_id"]).sum().reindex(case.units.index, fill_value=0.0)
    between = float((parts - case.units.area).abs().sum())
    lost = _lost_m2(case, before=before, after=after)
    yield Found(
        check="area_lost_share", subject="city", value=(between + lost) / before.area if before.area else 0.0,
        remedy="mend_communes",
        figures={"before_km2": round(before.area / 1e6, 6), "after_km2": round(float(case.units.area.sum()) / 1e6, 6),
                 "added_km2": round(shapely.difference(after, before).area / 1e6, 6)},
    )  # fmt: skip
    people, carried = float(case.communes["population"].sum()), float(case.pieces["population"].sum())
    yield Found(
        check="population_lost_share", subject="city", value=abs(carried / people - 1) if people else 0.0,
        remedy="check_relation", figures={"before_people": round(people), "after_people": round(carried)},
    )  # fmt: skip


def _lost_m2(case: Case, *, before: shapely.Geometry, after: shapely.Geometry) -> float:
    """Return how much land of communes named for a unit without a polygon is in no unit; that of others lies beyond.

    Lines that were snapped while the map was tidied leave less than :data:`ROUNDING` of the land, which does not count.
    """
    open_ids = case.settled.index[~case.settled]
    outside = shapely.difference(before, after)
    if not len(open_ids) or outside.area < ROUNDING * before.area:
        return 0.0
    if not case.drawn.any():
        return outside.area
    open_land = shapely.union_all(np.asarray(case.communes.geometry[open_ids]))
    lost_m2 = shapely.intersection(outside, open_land).area
    return lost_m2 if lost_m2 >= ROUNDING * before.area else 0.0


def _of_changed_land(case: Case) -> Iterator[Found]:
    """Yield communes whose land in the units is much more, or less, than their own polygon."""
    after = case.pieces.area.groupby(case.pieces["commune_id"]).sum() / 1e6
    found = case.communes.area[after.index] / 1e6
    change_pct = 100 * (after / found - 1).where(found > 0, 0.0)
    settled = case.settled
    for commune_id in after.index[change_pct.abs() > CHECKS["commune_change_pct"].limit]:
        yield Found(
            check="commune_change_pct", subject=str(commune_id), value=change_pct[commune_id],
            at_stake_km2=_NAN if settled[commune_id] else abs(after[commune_id] - found[commune_id]),
            place=case.communes.geometry[commune_id],
            remedy="settled_by_units" if settled[commune_id] else "mend_communes",
            figures={"before_km2": round(found[commune_id], 3), "after_km2": round(after[commune_id], 3)},
        )  # fmt: skip


def _of_areas(case: Case) -> Iterator[Found]:
    """Yield areas against official figures; figures in another unit of measure are one finding, then read as km2."""
    units, drawn = case.units, case.drawn
    by_method = {name: set(rows["unit_id"]) for name, rows in case.pieces.groupby("method")}
    factor = _other_measure(units["area_km2"], units["official_area_km2"])
    yield from _of_measure("area_measure", factor)
    official = units["official_area_km2"] / factor
    off_km2 = (units["area_km2"] - official).dropna()
    error_pct = 100 * off_km2 / official[off_km2.index]
    remedies = {"modelled": "draw_line", "drawn": "check_line"}
    partners = _opposite_neighbours(units, off_km2, error_pct.abs() > AREA_TOLERANCE_PCT)
    for unit_id, off in off_km2.items():
        partner = partners.get(unit_id, "")
        by_clause = next((r for m, r in remedies.items() if unit_id in by_method.get(m, ())), "check_communes")
        yield Found(
            check="area_error_pct", subject=str(unit_id), value=error_pct[unit_id], at_stake_km2=abs(off),
            other=(partner,) if partner else (), place=units.geometry[unit_id],
            remedy="check_shared_line" if partner else "check_official_area" if drawn[unit_id] else by_clause,
            figures={"area_km2": round(units.loc[unit_id, "area_km2"], 3), "official_km2": round(official[unit_id], 3)},
        )  # fmt: skip


def _of_commune_areas(case: Case) -> Iterator[Found]:
    """Yield polygons of communes that differ much from their official area; another unit of measure is one finding."""
    official = case.communes["area_km2"].dropna()
    found = ellipsoidal_area_km2(case.communes.geometry[official.index])
    factor = _other_measure(found, official)
    yield from _of_measure("commune_area_measure", factor)
    official = official / factor
    error_pct = 100 * (found / official - 1)
    for commune_id in official.index[error_pct.abs() > CHECKS["commune_area_error_pct"].limit]:
        yield Found(
            check="commune_area_error_pct", subject=str(commune_id), value=error_pct[commune_id],
            at_stake_km2=abs(found[commune_id] - official[commune_id]), place=case.communes.geometry[commune_id],
            remedy="check_communes",
            figures={"area_km2": round(found[commune_id], 3), "official_km2": round(official[commune_id], 3)},
        )  # fmt: skip


def _other_measure(found_km2: pd.Series, official: pd.Series) -> float:
    """Return the power of ten by which most official figures exceed the areas found; 1 where they are in km2."""
    ratio = (official / found_km2.where(found_km2 > 0)).dropna()
    if len(ratio) < 2:
        return 1.0
    factor = 10.0 ** round(float(np.log10(ratio.median())))
    agree = ((ratio / factor).between(1 / _SAME_MEASURE, _SAME_MEASURE)).mean()
    return factor if agree > 0.5 else 1.0


def _of_measure(check: str, factor: float) -> Iterator[Found]:
    """Yield the one finding that all figures are too large, or too small, by `factor`."""
    if factor != 1:
        yield Found(check=check, subject="city", value=max(factor, 1 / factor), remedy="check_measure",
                     figures={"size": ("small", "large")[factor > 1]})  # fmt: skip


def _opposite_neighbours(units: gpd.GeoDataFrame, off_km2: pd.Series, failed: pd.Series) -> dict[str, str]:
    """Return, for each unit whose area fails, the neighbour whose area fails by about the opposite."""
    ids = list(off_km2.index[failed])
    shapes = np.asarray(units.geometry[ids])
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=_BESIDE_M)
    partners: dict[str, str] = {}
    for i, j in zip(one, other, strict=True):
        own, theirs = off_km2[ids[i]], off_km2[ids[j]]
        best = abs(own + off_km2[partners[ids[i]]]) if ids[i] in partners else _OPPOSITE * abs(own)
        if abs(own + theirs) < best:
            partners[ids[i]] = str(ids[j])
    return partners


def _of_people(case: Case) -> Iterator[Found]:
    """Yield the people that the communes bring, grown as the whole city has, against the official figure."""
    official = case.unit_facts["population"]
    people = registered_people(case.communes["population"], case.communes.get("population_earlier"))
    shared = case.pieces["population_share"] * case.pieces["commune_id"].map(people)
    carried = shared.groupby(case.pieces["unit_id"]).sum(min_count=1).reindex(official.index)
    both = (carried.notna() & (official > 0)).to_numpy()
    if not carried[both].sum():
        return
    growth = official[both].sum() / carried[both].sum()
    divided = set(case.pieces.loc[case.pieces["relation"] != "whole", "unit_id"])
    for unit_id in official.index[both]:
        expected, given = float(carried[unit_id] * growth), float(official[unit_id])
        error = expected / given - 1
        remedy = (
            "check_zero"
            if 5 < max(expected / given, given / max(expected, 1.0)) < 20
            else "give_people"
            if unit_id in divided
            else "check_people"
        )
        yield Found(
            check="population_error_pct", subject=str(unit_id), value=100 * error, place=case.units.geometry[unit_id],
            at_stake_km2=min(abs(error), 1.0) * case.units.loc[unit_id, "area_km2"], remedy=remedy,
            figures={"expected_people": round(expected), "official_people": round(given)},
        )  # fmt: skip


def _of_foreign_land(case: Case) -> Iterator[Found]:
    """Yield land of communes in units that no clause gives it to: of whole communes by commune, of others by unit."""
    named = pd.MultiIndex.from_frame(case.pieces[["commune_id", "unit_id"]])
    foreign = case.overlay[~pd.MultiIndex.from_frame(case.overlay[["old_id", "new_id"]]).isin(named)]
    share_pct = 100 * foreign["area_m2"] / case.communes.area[foreign["old_id"]].to_numpy()
    found = foreign.assign(share_pct=share_pct, width_m=2 * foreign["area_m2"] / foreign.length)
    whole = found["old_id"].isin(case.pieces.loc[case.pieces["relation"] == "whole", "commune_id"])
    for commune_id, rows in found[whole].groupby("old_id"):
        if rows["share_pct"].sum() > CHECKS["whole_outside"].limit:
            rows = rows.sort_values("area_m2", ascending=False, kind="stable")
            yield _foreign(rows, check="whole_outside", subject=str(commune_id), other=tuple(rows["new_id"]))
    for _, row in found[~whole & (found["share_pct"] > CHECKS["unnamed_land"].limit)].iterrows():
        rows = row.to_frame().T
        yield _foreign(rows, check="unnamed_land", subject=row["new_id"], other=(row["old_id"],))


def _foreign(rows: pd.DataFrame, *, check: str, subject: str, other: tuple[str, ...]) -> Found:
    first = rows.iloc[0]
    km2 = float(rows["area_m2"].sum()) / 1e6
    return Found(
        check=check, subject=subject, other=other, value=float(rows["share_pct"].sum()), at_stake_km2=km2,
        place=first["geometry"], remedy="coarse_line" if first["width_m"] < COARSE_LINE_M else "check_relation",
        figures={"land_km2": round(km2, 4), "width_m": round(float(first["width_m"]))},
    )  # fmt: skip


def _of_units_without_land(case: Case) -> Iterator[Found]:
    """Yield units of which nothing is left: all that their clauses name is another's, or two polygons are one."""
    for unit_id in case.units.index[case.units.geometry.is_empty]:
        named = case.pieces["commune_id"][case.pieces["unit_id"] == unit_id]
        yield Found(
            check="unit_without_land", subject=unit_id, other=tuple(named), value=0.0,
            place=case.communes.geometry[named.iloc[0]], remedy="check_relation",
        )  # fmt: skip


def _of_clauses(case: Case) -> Iterator[Found]:
    """Yield parts whose land does not fit what their clause says of it."""
    least = CHECKS["part_tiny"].limit
    for row in case.pieces.itertuples():
        m2, share_pct = row.area_km2 * 1e6, 100 * row.area_share
        values = {
            "clause_without_land": m2 if row.geometry.is_empty else _NAN,
            "part_tiny": m2 if row.relation != "whole" and not row.geometry.is_empty and m2 < least else _NAN,
            "land_without_people_most": share_pct if row.relation == "part_area_only" else _NAN,
            "people_on_little_land": share_pct if row.relation == "part_area_whole_population" else _NAN,
        }
        for name, value in values.items():
            rule = CHECKS[name]
            if value < rule.limit if rule.at_least else value > rule.limit:
                yield Found(
                    check=name, subject=row.unit_id, other=(row.commune_id,), value=value,
                    at_stake_km2=_NAN if row.geometry.is_empty else row.area_km2,
                    place=case.communes.geometry[row.commune_id] if row.geometry.is_empty else row.geometry,
                    remedy="draw_line" if row.method == "modelled" else "check_relation",
                    figures={"relation": row.relation, "land_km2": round(row.area_km2, 4)},
                )  # fmt: skip


def _of_parts_apart(case: Case) -> Iterator[Found]:
    """Yield every part of a unit that is not joined to its largest one, with its size and distance."""
    several = case.units[shapely.get_num_geometries(np.asarray(case.units.geometry)) > 1]
    own = case.pieces.groupby("unit_id").indices
    for unit_id, shape in several.geometry.items():
        parts = shapely.get_parts(shape)
        parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
        pieces = case.pieces.iloc[own[unit_id]]
        for part in parts[1:]:
            point = shapely.point_on_surface(part)
            here = pieces[shapely.intersects(np.asarray(pieces.geometry), point)]
            modelled = bool((here["method"] == "modelled").any())
            distance_m = shapely.distance(part, parts[0])
            split_by_gap = not case.drawn[unit_id] and distance_m < _LOOSE_LINE_M
            yield Found(
                check="unit_apart", subject=str(unit_id), other=tuple(here["commune_id"]), place=part,
                value=100 * part.area / shape.area, at_stake_km2=_NAN if split_by_gap else part.area / 1e6,
                remedy="mend_communes" if split_by_gap else "draw_line" if modelled else "confirm_apart",
                figures={"land_km2": round(part.area / 1e6, 4), "distance_m": round(distance_m)},
            )  # fmt: skip


def _of_sureness(case: Case) -> Iterator[Found]:
    """Yield divided communes with a part of unsure share: the widest range, and who else takes part."""
    pieces = case.pieces.assign(width=case.pieces["share_high"] - case.pieces["share_low"])
    pieces = pieces.sort_values("width", ascending=False, kind="stable")
    whole_km2 = pieces.groupby("commune_id")["area_km2"].sum()
    unsure = pieces.loc[pieces["sureness"] == "unsure", "commune_id"]
    for commune_id, rows in pieces[pieces["commune_id"].isin(unsure)].groupby("commune_id"):
        first = rows.iloc[0]
        yield Found(
            check="share_unsure", subject=str(commune_id), other=tuple(rows["unit_id"]), value=100 * first["width"],
            at_stake_km2=first["width"] / 2 * whole_km2[commune_id], place=case.communes.geometry[commune_id],
            remedy="draw_line" if first["method"] == "modelled" else "check_communes",
            figures={"low_pct": round(100 * first["share_low"], 1), "high_pct": round(100 * first["share_high"], 1),
                     "share_pct": round(100 * first["area_share"], 1)},
        )  # fmt: skip


def _of_given_shares(case: Case, given: pd.Series) -> Iterator[Found]:
    """Yield communes that are cut by given shares which add up to more than the commune, or all of them to less."""
    pieces = case.pieces.assign(given=given)
    whole_km2 = pieces.groupby("commune_id")["area_km2"].sum()
    modelled = pieces.loc[(pieces["method"] == "modelled") & pieces["given"].notna(), "commune_id"]
    for commune_id, rows in pieces[pieces["commune_id"].isin(modelled)].groupby("commune_id"):
        off = float(rows["given"].sum()) - 1
        if 100 * abs(off) > CHECKS["given_shares_pct"].limit and (off > 0 or rows["given"].notna().all()):
            yield Found(
                check="given_shares_pct", subject=str(commune_id), other=tuple(rows["unit_id"]), value=100 * off,
                at_stake_km2=min(abs(off), 1.0) * whole_km2[commune_id], place=case.communes.geometry[commune_id],
                remedy="mend_shares", figures={"sum_pct": round(100 * (1 + off), 2)},
            )  # fmt: skip
