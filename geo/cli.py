"""The command ``truso``: each command parses, makes one library call and turns an error into words."""

from __future__ import annotations

import gc
import locale
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from geo.errors import Fault, GeoError, InputError, ParamsError
from geo.text import LANGUAGES, catalogue, describe_fault, t

app = typer.Typer(
    help="Choose one or two headquarters for every unit of a territorial reform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
fetch_app = typer.Typer(help="Fetch real data where there is internet.", no_args_is_help=True)
app.add_typer(fetch_app, name="fetch")

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

Data = Annotated[Path | None, typer.Option("--data", help="Data folder; the embedded data if left out.")]
Lang = Annotated[str | None, typer.Option("--lang", help=f"Language of the texts: {', '.join(LANGUAGES)}.")]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="TOML file of parameters.")]
Override = Annotated[list[str] | None, typer.Option("--set", help="One parameter, such as weights.size=0.5.")]


def main() -> None:
    """Run the command line."""
    gc.set_threshold(200_000, 50, 50)  # a command lives for seconds; collecting as often as usual costs a tenth of them
    app()


@app.command()
def plan(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; made if needed.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    lang: Lang = None,
) -> None:
    """Choose the sites of a data folder and write the plan."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.city import load_city
        from geo.params import read_params
        from geo.plan import make_plan
        from geo.publish import write_plan

        parsed = read_params(params, overrides=set_ or ())
        with _progress(language) as progress:
            city = load_city(data, progress=progress)
            made = make_plan(city, parsed, progress=progress)
            progress("publish", 0.0)
            write_plan(made, out, lang=language)
        _show_faults(made.notes, language)
        _out.print(t("cli.planned", lang=language, out=out, **_printable(made.totals)))


@app.command()
def check(
    data: Annotated[Path | None, typer.Argument(help="Data folder; the embedded data if left out.")] = None,
    lang: Lang = None,
) -> None:
    """Say everything that is wrong with a data folder; exit code 1 if it cannot be used."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.city import check_city

        faults = check_city(data)
        _show_faults(faults, language)
        if any(fault.severity == "error" for fault in faults):
            raise typer.Exit(1)
        _out.print(t("cli.check_passed", lang=language))


@app.command()
def audit(
    data: Annotated[Path | None, typer.Argument(help="Data folder; the embedded data if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file of every finding.")] = None,
    lang: Lang = None,
) -> None:
    """Merge the boundaries of a data folder and audit them; exit code 1 on a breach of what must hold."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.city import load_city
        from geo.publish.tables import write_csv

        with _progress(language) as progress:
            findings = load_city(data, progress=progress).audit
        if out is not None:
            write_csv(findings, out)
        breaches = findings[~findings["passed"]]
        for row in breaches.itertuples():
            _err.print(Text(f"{row.check} {row.subject}: {row.value:.6g} ({row.note})"), style="red")
        _out.print(t("cli.audited", lang=language, n=len(findings), breaches=len(breaches)))
        if len(breaches):
            raise typer.Exit(1)


@app.command()
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
    language = _language(lang)
    columns = [*(add or ()), *(average or ())]
    if not columns or len(set(columns)) < len(columns) or {"unit_id", "name", "n_unknown"} & set(columns):
        raise typer.BadParameter(
            "name each column once; unit_id, name and n_unknown are taken", param_hint="--sum, --mean"
        )
    with _errors_in_words(language):
        from geo.city import load_city
        from geo.crosswalk import convert_statistic
        from geo.publish.tables import write_csv
        from geo.settings import Settings
        from geo.sources.statistics import read_statistic

        with _progress(language) as progress:
            city = load_city(data, progress=progress)
        figures = read_statistic(table, columns, commune_ids=list(city.communes.index), settings=Settings())
        units = convert_statistic(figures, city.pieces, add=add or (), average=average or (), by=by)
        units.insert(0, "name", city.units["name"])
        write_csv(units.reset_index(), out)
        _out.print(t("cli.written", lang=language, out=out))


@app.command()
def clauses(
    text: Annotated[Path, typer.Argument(help="Text of the resolution, or a list of units and their communes; UTF-8.")],
    communes: Annotated[Path, typer.Option("--communes", help="Old communes: a table, a map or a data folder.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    units: Annotated[Path | None, typer.Option("--units", help="New units, likewise; else numbered.")] = None,
    lang: Lang = None,
) -> None:
    """Turn the prose of a resolution into the table of clauses; exit code 1 where it is ambiguous or incomplete."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.clauses import check_clauses, parse_clauses
        from geo.publish.tables import write_csv
        from geo.settings import Settings
        from geo.sources.names import read_names, read_prose

        settings = Settings()
        known = read_names(communes, part="communes", settings=settings)
        named = None if units is None else read_names(units, part="units", settings=settings)
        parsed = parse_clauses(read_prose(text, settings=settings), communes=known, units=named)
        _show_faults(parsed.faults, language)
        missing = check_clauses(parsed.table, communes=known, units=named)
        _show_faults(missing, language)
        if any(fault.severity == "error" for fault in (*parsed.faults, *missing)):
            raise typer.Exit(1)
        write_csv(parsed.table, out)
        _out.print(t("cli.clauses_read", lang=language, n=len(parsed.table), out=out))


@app.command("build-demo")
def build_demo(
    facts: Annotated[Path | None, typer.Option("--facts", help="Folder of the facts tables.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; the embedded data if left out.")] = None,
    lang: Lang = None,
) -> None:
    """Build the modelled data from the facts."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.demo import build_demo as build
        from geo.settings import Settings

        home = Settings().data_dir
        with _progress(language) as progress:
            build(facts or home / "facts", out or home, progress=lambda step: progress(step, 0.0))
        _out.print(t("cli.built", lang=language, out=out or home))


@fetch_app.command("osm")
def fetch_osm(
    place: Annotated[str, typer.Argument(help="Name of a place, or a file of polygons.")],
    out: Annotated[Path, typer.Option("--out", help="Extract to write; its name ends with .osm.pbf.")],
    margin_m: Annotated[float, typer.Option(help="Metres beyond the area, so that no way around is cut off.")] = 1000,
    lang: Lang = None,
) -> None:
    """Fetch the roads of a place from OpenStreetMap."""
    language = _language(lang)
    with _errors_in_words(language):
        from geo.sources.fetch import fetch_osm as fetch

        area = Path(place) if Path(place).is_file() else place
        with _progress(language) as progress:
            path = fetch(area, out, margin_m=margin_m, progress=progress)
        _out.print(t("cli.written", lang=language, out=path))


@app.command()
def run(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port of the page.")] = 8501,
) -> None:
    """Start the app on a data folder and print its address."""
    page = Path(__file__).resolve().parent.parent / "app.py"
    environment = {**os.environ, **({"GEO_DATA_DIR": str(data.resolve())} if data else {})}
    command = [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port)]
    raise typer.Exit(subprocess.call([*command, "--server.headless", "true"], env=environment, cwd=page.parent))


def _language(lang: str | None) -> str:
    """Return the language asked for, else that of the machine, else English."""
    if lang is None:
        lang = (os.environ.get("TRUSO_LANG") or locale.getlocale()[0] or "en")[:2].lower()
        return lang if lang in LANGUAGES else "en"
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is not one of {', '.join(LANGUAGES)}", param_hint="--lang")
    return lang


@contextmanager
def _errors_in_words(lang: str) -> Iterator[None]:
    try:
        yield
    except (InputError, ParamsError) as error:
        _show_faults(error.faults, lang)
        raise typer.Exit(1) from error
    except GeoError as error:
        _err.print(Text(str(error)), style="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        _err.print(t("cli.stopped", lang=lang))
        raise typer.Exit(130) from error


@contextmanager
def _progress(lang: str) -> Iterator[Callable[[str, float], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("")

        def tell(step: str, share: float = 0.0) -> None:
            bar.update(task, description=_step(step, share, lang))

        yield tell


def _step(step: str, share: float, lang: str) -> str:
    name = catalogue(lang).get(f"cli.step.{step}", step)
    return f"{name} {share:.0%}" if share else name


def _show_faults(faults: Sequence[Fault], lang: str) -> None:
    """Print faults as rows: where, what, and what mends it."""
    if not faults:
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column(t("cli.severity", lang=lang), no_wrap=True)
    table.add_column(t("cli.fault", lang=lang), overflow="fold")
    for fault in faults:
        style = "red" if fault.severity == "error" else "yellow"
        words = t(f"cli.severity_{fault.severity}", lang=lang)
        table.add_row(Text(words, style=style), Text(describe_fault(fault, lang=lang)))
    _err.print(table)


def _printable(totals: dict[str, object]) -> dict[str, object]:
    def show(value: object) -> object:
        return "–" if value is None else f"{value:.2f}" if isinstance(value, float) else value

    return {name: show(value) for name, value in totals.items()}
