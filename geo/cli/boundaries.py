"""Commands of the merge: audit, convert and clauses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from geo.cli.console import ERR, OUT, Data, Lang, errors_in_words, language, progress_bar, show_faults
from geo.text import t


def audit(
    data: Annotated[Path | None, typer.Argument(help="Data folder; the embedded data if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file of every finding.")] = None,
    lang: Lang = None,
) -> None:
    """Merge the boundaries of a data folder and audit them; exit code 1 on a breach of what must hold."""
    words = language(lang)
    with errors_in_words(words):
        from geo.city import load_city
        from geo.publish.tables import write_csv

        with progress_bar(words) as progress:
            findings = load_city(data, progress=progress).audit
        if out is not None:
            write_csv(findings, out)
        breaches = findings[~findings["passed"]]
        for row in breaches.itertuples():
            ERR.print(Text(f"{row.check} {row.subject}: {row.value:.6g} ({row.note})"), style="red")
        OUT.print(t("cli.audited", lang=words, n=len(findings), breaches=len(breaches)))
        if len(breaches):
            raise typer.Exit(1)


def convert(
    table: Annotated[Path, typer.Argument(help="CSV or XLSX with figures by old commune.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    data: Data = None,
    add: Annotated[list[str] | None, typer.Option("--sum", help="Column to add up, such as a count.")] = None,
    average: Annotated[list[str] | None, typer.Option("--mean", help="Column to average, such as a rate.")] = None,
    by: Annotated[Literal["population", "area"], typer.Option(help="What the figures go with.")] = "population",
    lang: Lang = None,
) -> None:
    """Carry figures of the old communes over to the new units."""
    words = language(lang)
    columns = [*(add or ()), *(average or ())]
    if not columns or len(set(columns)) < len(columns) or {"unit_id", "name", "n_unknown"} & set(columns):
        raise typer.BadParameter(
            "name each column once; unit_id, name and n_unknown are taken", param_hint="--sum, --mean"
        )
    with errors_in_words(words):
        from geo.city import load_city
        from geo.crosswalk import convert_statistic
        from geo.publish.tables import write_csv
        from geo.settings import Settings
        from geo.sources.statistics import read_statistic

        with progress_bar(words) as progress:
            city = load_city(data, progress=progress)
        figures = read_statistic(table, columns, commune_ids=list(city.communes.index), settings=Settings())
        units = convert_statistic(figures, city.pieces, add=add or (), average=average or (), by=by)
        units.insert(0, "name", city.units["name"])
        write_csv(units.reset_index(), out)
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
        from geo.clauses import check_clauses, parse_clauses
        from geo.publish.tables import write_csv
        from geo.settings import Settings
        from geo.sources.names import read_names, read_prose

        settings = Settings()
        known = read_names(communes, part="communes", settings=settings)
        named = None if units is None else read_names(units, part="units", settings=settings)
        parsed = parse_clauses(read_prose(text, settings=settings), communes=known, units=named)
        show_faults(parsed.faults, words)
        missing = check_clauses(parsed.table, communes=known, units=named)
        show_faults(missing, words)
        if any(fault.severity == "error" for fault in (*parsed.faults, *missing)):
            raise typer.Exit(1)
        write_csv(parsed.table, out)
        OUT.print(t("cli.clauses_read", lang=words, n=len(parsed.table), out=out))
