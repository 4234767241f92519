"""The buildings that are not kept, as the list that Decrees 186/2025 and 03/2025 ask for."""

from __future__ import annotations

import pandas as pd

from geo.plan import Plan
from geo.text import t

#: Columns of ``surplus.csv`` in order, with the decimals of a number; None marks text.
SURPLUS_COLUMNS: dict[str, int | None] = {
    "site_id": None,
    "name": None,
    "kind": None,
    "address": None,
    "old_owner": None,
    "unit_id": None,
    "new_unit": None,
    "land_area_m2": 0,
    "floor_area_m2": 0,
    "condition": None,
    "proposed_use": None,
    "legal_status": None,
}


def surplus_table(plan: Plan, *, lang: str) -> pd.DataFrame:
    """Return one row for every building that the plan does not keep, unit after unit.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
        Language of the kinds and the conditions.

    Returns
    -------
    pandas.DataFrame
        The columns of :data:`SURPLUS_COLUMNS`. ``old_owner`` is the district of a district office, else the old commune
        with its district. What the inventory does not hold is missing or empty: ``proposed_use`` and ``legal_status``
        always are, for the units to fill in.
    """
    city = plan.city
    sites = city.sites[~plan.sites["chosen"].to_numpy()]
    unit_order = city.units.index.get_indexer(pd.Index(sites["unit_id"]))
    sites = sites.assign(unit_order=unit_order).sort_values("unit_order", kind="stable")
    table = pd.DataFrame(sites[["name", "address", "unit_id", "land_area_m2", "floor_area_m2"]])
    table["kind"] = [t(f"publish.kind.{kind}", lang=lang) for kind in sites["kind"]]
    table["condition"] = [
        t(f"choice.condition.{grade}", lang=lang) if isinstance(grade, str) else "" for grade in sites["condition"]
    ]
    table["address"] = table["address"].fillna("")
    table["new_unit"] = table["unit_id"].map(city.units["name"])
    table["old_owner"] = _owners(plan, sites)
    table = table.assign(proposed_use="", legal_status="")
    return table.rename_axis("site_id").reset_index()[list(SURPLUS_COLUMNS)]


def _owners(plan: Plan, sites: pd.DataFrame) -> list[str]:
    communes, districts = plan.city.communes["name"].to_dict(), plan.city.districts["name"].to_dict()
    owners = []
    for kind, commune_id, district_id in zip(sites["kind"], sites["commune_id"], sites["district_id"], strict=True):
        commune = None if kind == "district_office" else communes.get(commune_id)
        names = [name for name in (commune, districts.get(district_id)) if isinstance(name, str)]
        owners.append(", ".join(names))
    return owners
