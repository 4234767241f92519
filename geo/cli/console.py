"""What the commands share: their common options, the terminal, progress, and errors in words."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from geo.errors import Fault, FetchError, GeoError, InputError, ParamsError
from geo.text import LANGUAGES, catalogue, t

if TYPE_CHECKING:
    from geo.params import Params
    from geo.plan import Plan

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)

Data = Annotated[Path | None, typer.Option("--data", help="Data folder; the embedded data if left out.")]
Lang = Annotated[str | None, typer.Option("--lang", help=f"Language of the texts: {', '.join(LANGUAGES)}.")]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="TOML file of parameters.")]
Override = Annotated[list[str] | None, typer.Option("--set", help="One parameter, such as weights.size=0.5.")]

SpeedsFile = Annotated[Path | None, typer.Option("--speeds", help="Speed table as truso speeds writes it, edited.")]


def language(lang: str | None) -> str:
    """Return the language asked for, else that of the machine, else English."""
    if lang is None:
        lang = (os.environ.get("TRUSO_LANG") or locale.getlocale()[0] or "en")[:2].lower()
        return lang if lang in LANGUAGES else "en"
    if lang not in LANGUAGES:
        raise typer.BadParameter(f"{lang!r} is not one of {', '.join(LANGUAGES)}", param_hint="--lang")
    return lang


@contextmanager
def errors_in_words(lang: str) -> Iterator[None]:
    """Turn the errors of the library into words in `lang` and an exit code."""
    try:
        yield
    except (InputError, ParamsError, FetchError) as error:
        show_faults(error.faults, lang)
        raise typer.Exit(1) from error
    except GeoError as error:
        faults = getattr(error, "faults", ())
        if faults:
            show_faults(faults, lang)
        else:
            ERR.print(Text(str(error)), style="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        ERR.print(t("cli.stopped", lang=lang))
        raise typer.Exit(130) from error


@contextmanager
def progress_bar(lang: str) -> Iterator[Callable[[str, float], None]]:
    """Yield a function that shows the name of a step and the share done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task("")

        def tell(step: str, share: float = 0.0) -> None:
            bar.update(task, description=_step(step, share, lang))

        yield tell


def _step(step: str, share: float, lang: str) -> str:
    name = catalogue(lang).get(f"cli.step.{step}", step)
    return f"{name} {share:.0%}" if share else name


def params_of(
    data: Path | None, params: Path | None, overrides: Sequence[str] | None, *, speeds: Path | None = None
) -> Params:
    """Read the parameters that the options name: the file, over it the table of speeds, over both what is set."""
    from geo.params import read_params
    from geo.settings import Settings
    from geo.sources.speeds import read_speeds

    table = {} if speeds is None else read_speeds(speeds, settings=Settings())
    given = [f"access.speeds_kmh.{mode}.{name}={kmh!r}" for mode, row in table.items() for name, kmh in row.items()]
    return read_params(params, overrides=[*given, *(overrides or ())], data_dir=data)


def plan_of(
    data: Path | None,
    params: Path | None,
    overrides: Sequence[str] | None,
    *,
    progress: Callable[[str, float], None],
    values: Mapping[str, Any] | None = None,
    speeds: Path | None = None,
) -> Plan:
    """Read the parameters and the folder that the options name, and make the plan; `values` go before the former."""
    from geo.city import load_city  # as late as this, because they take a second to import
    from geo.plan import make_plan

    given = params_of(data, params, overrides, speeds=speeds).with_values(values or {})
    return make_plan(load_city(data, progress=progress), given, progress=progress)


def show_faults(faults: Sequence[Fault], lang: str) -> None:
    """Print faults as rows: where, what, and what mends it."""
    if not faults:
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column(t("cli.severity", lang=lang), no_wrap=True)
    table.add_column(t("cli.fault", lang=lang), overflow="fold")
    for fault in faults:
        style = "red" if fault.severity == "error" else "yellow"
        words = t(f"cli.severity_{fault.severity}", lang=lang)
        table.add_row(Text(words, style=style), Text(fault.describe(lang=lang)))
    ERR.print(table)


def show_elsewhere(plan: Plan, lang: str) -> None:
    """Print which figures of Hanoi a plan of another city stands on, if any."""
    from geo.sources.elsewhere import KEYS

    show_faults([note for note in plan.notes if note.key in KEYS], lang)


def show_line(text: str) -> None:
    """Print a sentence as it stands, if there is one."""
    if text:
        OUT.print(text, markup=False)


def printable(totals: dict[str, object], lang: str) -> dict[str, object]:
    """Return `totals` as they stand in a sentence: two decimals as the language writes them, a dash for the unknown."""
    from geo.publish.reasons import number_text

    def show(value: object) -> object:
        return (
            "–" if value is None else number_text(value, lang=lang, decimals=2) if isinstance(value, float) else value
        )

    return {name: show(value) for name, value in totals.items()}
