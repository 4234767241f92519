"""The audit of a merge in words, and as a file of its own: CSV for programs, points for a map."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio

from geo.city import City
from geo.errors import Fault, InputError
from geo.publish.geopackage import findings_layer, fixed_time
from geo.publish.reasons import number_text
from geo.publish.tables import write_csv
from geo.text import t

#: Formats of the findings by suffix: the driver of GDAL, none for CSV.
FORMATS = {".csv": "", ".gpkg": "GPKG", ".geojson": "GeoJSON"}
_DECIMALS = {"pct": 1, "m2": 0, "m": 0, "people": 0, "spots": 0, "times": 0}


def findings_table(city: City, *, lang: str, failed_only: bool = False) -> pd.DataFrame:
    """Return the audit in words, a row per finding in its order and with its index.

    Returns
    -------
    pandas.DataFrame
        Columns ``severity``, ``check``, ``subject``, ``finding``, ``remedy`` as texts in `lang`; ``at_stake_km2``,
        ``lat`` and ``lon`` as numbers, NaN where there is none.
    """
    audit = city.audit[~city.audit["passed"]] if failed_only else city.audit
    names = {"unit": city.units["name"].to_dict(), "commune": city.communes["name"].to_dict()}
    names["city"] = {"city": t("audit.city", lang=lang)}
    words = [_words(row, names, lang=lang) for _, row in audit.iterrows()]
    columns = ["severity", "check", "subject", "finding", "remedy"]
    table = pd.DataFrame(words, columns=columns, index=audit.index)
    return table.assign(**{name: audit[name] for name in ("at_stake_km2", "lat", "lon")})


def _words(row: pd.Series[Any], names: dict[str, dict[str, str]], *, lang: str) -> tuple[str, str, str, str, str]:
    check = row["check"]
    subject = names[row["subject_kind"]].get(row["subject"], row["subject"]) or t("audit.nowhere", lang=lang)
    other = ", ".join(names[row["other_kind"]].get(id_, id_) for id_ in row["other"].split())
    values = {name: _amount(name, value, lang=lang) for name, value in json.loads(row["figures"]).items()}
    finding = t(
        f"audit.finding.{check}",
        lang=lang,
        subject=subject,
        other=other or t("audit.nowhere", lang=lang),
        partner=t("audit.partner.some", lang=lang, other=other) if other else "",
        value=_amount(row["unit"], row["value"], lang=lang),
        limit=_amount(row["unit"], row["limit"], lang=lang),
        **values,
    )
    return (
        t(f"audit.severity.{'passed' if row['passed'] else row['severity']}", lang=lang),
        t(f"audit.check.{check}", lang=lang),
        subject,
        finding.strip(),
        t(f"audit.remedy.{row['remedy']}", lang=lang) if row["remedy"] else "",
    )


def _amount(name: str, value: Any, *, lang: str) -> str:
    """Return a figure with its unit, which its name ends with; a code in words."""
    if name in ("relation", "size", "spot"):
        return t(f"audit.{name}.{value}", lang=lang)
    unit = name.rpartition("_")[2]
    if unit == "share":
        text = number_text(value, lang=lang, decimals=6) if value >= 1e-6 else f"{value:.0e}"
    else:
        decimals = _DECIMALS.get(unit, 2 if abs(value) >= 1 else 4)
        text = number_text(value, lang=lang, decimals=decimals)
    return t(f"audit.amount.{'count' if unit == 'spots' else unit}", lang=lang, n=text)


def write_findings(audit: pd.DataFrame, path: Path) -> None:
    """Write the audit to `path`, aside and then renamed: every finding to CSV, those with a place to GPKG or GeoJSON.

    Parameters
    ----------
    audit : pandas.DataFrame
        Table :class:`~geo.schemas.Audit`.
    path : pathlib.Path
        Its suffix is one of :data:`FORMATS`.

    Raises
    ------
    InputError
        The file cannot be written (key ``output_not_writable``).
    """
    driver = FORMATS[path.suffix.lower()]
    if not driver:
        write_csv(audit, path)
        return
    layer = findings_layer(audit)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as aside, fixed_time():
            file = Path(aside) / path.name
            pyogrio.write_dataframe(layer[layer.geometry.notna()], file, layer="audit", driver=driver)
            file.replace(path)
    except OSError as error:
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault(key="output_not_writable", value=str(path), values=detail)) from error
