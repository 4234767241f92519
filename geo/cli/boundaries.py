"""Commands of the merge: audit, convert and clauses."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from geo.cli.console import OUT, Data, Lang, errors_in_words, language, progress_bar, show_faults
from geo.text import t

if TYPE_CHECKING:
    import pandas as pd

    from geo.city import City


def audit(
    data: Annotated[Path | None, typer.Argument(help="Data folder; the embedded data if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write: .csv, .gpkg or .geojson.")] = None,
    lang: Lang = None,
) -> None:
    """Merge the boundaries of a data folder and audit them; exit code 1 on a breach of what must hold."""
    words = language(lang)
    with errors_in_words(words):
        from geo.city import load_city
        from geo.merge.audit import breaches
        from geo.publish.findings import FORMATS, write_findings

        if out is not None and out.suffix.lower() not in FORMATS:
            raise typer.BadParameter(f"the suffix is none of {', '.join(FORMATS)}", param_hint="--out")
        with progress_bar(words) as progress:
            city = load_city(data, progress=progress, need_buildings=False)
        if out is not None:
            write_findings(city.audit, out)
        show_faults(city.notes, words)
        _show_audit(city, words)
        if len(breaches(city.audit)):
            raise typer.Exit(1)


def _show_audit(city: City, lang: str) -> None:
    """Print how many findings of each check failed, then those to read first, and where the rest is."""
    from geo.merge.audit import breaches, highlights
    from geo.publish.findings import findings_table

    failed = city.audit[~city.audit["passed"]]
    texts = findings_table(city, lang=lang)
    counts = (texts["severity"] + ": " + texts["check"])[failed.index].value_counts(sort=False)
    for kind, n in counts.items():
        OUT.print(Text(f"{n:6}  {kind}"))
    shown: set[int] = set()
    for name, rows in highlights(city.audit).items():
        shown |= set(rows.index)
        if len(rows):
            OUT.print(Text(f"\n{t(f'audit.{name}', lang=lang)}", style="bold"))
            OUT.print(_findings_list(texts.loc[rows.index], lang))
    if len(shown) < len(failed):
        OUT.print(Text(t("audit.rest", lang=lang, shown=len(shown), failed=len(failed)) + "\n"))
    n_failed = {"breaches": len(breaches(city.audit)), "notices": len(failed) - len(breaches(city.audit))}
    OUT.print(t("audit.summary", lang=lang, n=len(texts), passed=len(texts) - len(failed), **n_failed))


def _findings_list(texts: pd.DataFrame, lang: str) -> Table:
    """Return findings as rows: the land in doubt; what it is, what mends it and where."""
    from geo.publish.reasons import number_text

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for _, row in texts.iterrows():
        km2 = "" if math.isnan(row["at_stake_km2"]) else number_text(row["at_stake_km2"], lang=lang, decimals=2)
        place = "" if math.isnan(row["lat"]) else f" ({row['lat']:.5f}, {row['lon']:.5f})"
        table.add_row(
            Text(km2 and t("audit.amount.km2", lang=lang, n=km2)),
            Text.assemble(f"{row['finding']}{place}\n", (f"→ {row['remedy']}", "dim")),
        )
    return table


def convert(
    table: Annotated[Path, typer.Argument(help="CSV or XLSX with figures by old commune.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    data: Data = None,
    add: Annotated[list[str] | None, typer.Option("--sum", help="Column to add up, such as a count.")] = None,
    average: Annotated[list[str] | None, typer.Option("--mean", help="Column to average, such as a rate.")] = None,
    by: Annotated[Literal["population", "area"], typer.Option(help="What the figures go with.")] = "population",
    weight: Annotated[str | None, typer.Option(help="Column to weigh averages by; else people or land.")] = None,
    crosswalk: Annotated[Path | None, typer.Option("--crosswalk", help="CSV file of the shares, to write too.")] = None,
    lang: Lang = None,
) -> None:
    """Carry figures of the old communes over to the new units."""
    words = language(lang)
    columns = [*(add or ()), *(average or ())]
    if weight is not None and (weight in columns[len(add or ()) :] or not average):
        raise typer.BadParameter("it weighs the columns of --mean, and is none of them", param_hint="--weight")
    if not columns or len(set(columns)) < len(columns) or {"unit_id", "name", "n_unknown"} & set(columns):
        raise typer.BadParameter(
            "name each column once; unit_id, name and n_unknown are taken", param_hint="--sum, --mean"
        )
    for path, others, option in ((out, (table,), "--out"), (crosswalk, (table, out), "--crosswalk")):
        if path is not None and path.resolve() in [other.resolve() for other in others]:
            raise typer.BadParameter("the table, or --out, is this file already", param_hint=option)
    with errors_in_words(words):
        from geo.city import load_city
        from geo.merge.crosswalk import convert_statistic, note_gaps
        from geo.publish.crosswalk import crosswalk_csv
        from geo.publish.tables import write_csv, write_file
        from geo.settings import Settings
        from geo.sources.statistics import read_statistic

        with progress_bar(words) as progress:
            city = load_city(data, progress=progress, need_buildings=False)
        named: dict[str, Any] = {"add": add or (), "average": average or (), "weight": weight}
        statistic = read_statistic(table, commune_ids=list(city.communes.index), settings=Settings(), **named)
        units = convert_statistic(statistic.figures, city.pieces, by=by, **named)
        names = {"communes": city.communes["name"], "units": city.units["name"], "file": table.name}
        gaps = note_gaps(statistic.figures, city.pieces, by=by, **named, **names)
        show_faults([*city.notes, *statistic.notes, *gaps], words)
        units.insert(0, "name", city.units["name"])
        write_csv(units.reset_index(), out)
        if crosswalk is not None:
            write_file(crosswalk_csv(city), crosswalk)
        OUT.print(t("cli.written", lang=words, out=out))


def clauses(
    text: Annotated[Path, typer.Argument(help="Text of the resolution, or a list of units and their communes; UTF-8.")],
    communes: Annotated[Path, typer.Option("--communes", help="Old communes: a table, a map or a data folder.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    units: Annotated[Path | None, typer.Option("--units", help="New units, likewise; else numbered.")] = None,
    lang: Lang = None,
) -> None:
    """Turn the prose of a resolution into the table of clauses; exit code 1 where it is ambiguous or incomplete."""
    words = language(lang)
    with errors_in_words(words):
        from geo.merge.clauses import check_clauses, parse_clauses
        from geo.publish.tables import write_csv
        from geo.settings import Settings
        from geo.sources.names import read_names, read_prose

        settings = Settings()
        known = read_names(communes, part="communes", settings=settings)
        named = None if units is None else read_names(units, part="units", settings=settings)
        prose, notes = read_prose(text, settings=settings)
        parsed = parse_clauses(prose, communes=known, units=named)
        missing = check_clauses(parsed.table, communes=known, units=named, rows=parsed.lines, source=text.name)
        if any(fault.key == "clause_none" for fault in parsed.faults):
            missing = []  # that all is missing is no news then
        found = [
            replace(fault, file=text.name, column=None) for fault in (*notes, *parsed.faults, *missing)
        ]  # a text: no columns
        show_faults(found, words)
        if any(fault.severity == "error" for fault in found):
            raise typer.Exit(1)
        write_csv(parsed.table, out)
        OUT.print(t("cli.clauses_read", lang=words, n=len(parsed.table), out=out))
