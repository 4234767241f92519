"""The files of a plan, as bytes and as a folder."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from geo.errors import Fault, InputError
from geo.plan import Plan
from geo.publish.crosswalk import crosswalk_csv
from geo.publish.geopackage import plan_gpkg
from geo.publish.provenance import readme_txt, summary_json
from geo.publish.tables import sites_csv, surplus_csv, units_csv
from geo.publish.webmap import map_html
from geo.publish.why import explanations_table
from geo.publish.workbook import plan_xlsx

#: Names of the files of a plan; a folder that holds others is never replaced.
FILES = (
    "units.csv",
    "sites.csv",
    "surplus.csv",
    "crosswalk.csv",
    "plan.gpkg",
    "plan.xlsx",
    "map.html",
    "summary.json",
    "params.toml",
    "README.txt",
)


def render_files(plan: Plan, *, lang: str = "en") -> dict[str, bytes]:
    """Return every file of `plan` by its name, in the order of :data:`FILES`.

    Parameters
    ----------
    plan : Plan
    lang : {"vi", "en", "fr"}
        Language of headings, reasons and notes; names of columns and ids in CSV and GeoPackage do not depend on it.

    Returns
    -------
    dict of str to bytes
        The same plan gives the same bytes, but for ``seconds`` in ``summary.json``.

    Raises
    ------
    KeyError
        `lang` is unknown.
    """
    start = time.perf_counter()
    explanations = explanations_table(plan, lang=lang)
    files = {
        "units.csv": units_csv(plan, lang=lang),
        "sites.csv": sites_csv(plan),
        "surplus.csv": surplus_csv(plan, lang=lang),
        "crosswalk.csv": crosswalk_csv(plan.city),
        "plan.gpkg": plan_gpkg(plan, lang=lang),
        "plan.xlsx": plan_xlsx(plan, lang=lang, explanations=explanations),
        "map.html": map_html(plan, lang=lang, explanations=explanations),
        "params.toml": plan.params.to_toml().encode(),
        "README.txt": readme_txt(plan, lang=lang),
    }
    files["summary.json"] = summary_json(plan, lang=lang, publish_s=time.perf_counter() - start)
    return {name: files[name] for name in FILES}


def write_plan(plan: Plan, out: str | Path, *, lang: str = "en") -> None:
    """Write the files of `plan` into the folder `out`, all or none of them.

    They are written into a folder beside `out`, which then takes its name; an older plan there is replaced as a whole.
    Between the two renames a crash leaves the older plan beside, under a name that begins with ``.``.

    Parameters
    ----------
    plan : Plan
    out : path-like
        Folder to make. It may exist if it is empty or holds nothing but files of a plan.
    lang : {"vi", "en", "fr"}

    Raises
    ------
    InputError
        `out` is a file, holds other files, or cannot be written (key ``output_not_writable``).
    """
    target = Path(out).resolve()
    _require_replaceable(target)
    files = render_files(plan, lang=lang)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{target.name}.", dir=target.parent, ignore_cleanup_errors=True
        ) as aside:
            new = Path(aside) / "new"
            new.mkdir()
            for name, content in files.items():
                (new / name).write_bytes(content)
            _replace_folder(new, target, old=Path(aside) / "old")
    except OSError as error:
        raise _not_writable(target, error.strerror or str(error)) from error


def _replace_folder(new: Path, target: Path, *, old: Path) -> None:
    if not target.exists():
        new.rename(target)
        return
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise


def _require_replaceable(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise _not_writable(target, "it is a file")
    try:
        others = sorted(path.name for path in target.iterdir() if path.name not in FILES or path.is_dir())
    except OSError as error:
        raise _not_writable(target, error.strerror or str(error)) from error
    if others:
        raise _not_writable(target, f"it holds other files: {', '.join(others[:5])}")


def _not_writable(target: Path, detail: str) -> InputError:
    return InputError(Fault(key="output_not_writable", value=str(target), values={"detail": detail}))
