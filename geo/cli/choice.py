"""Commands about the choice: explain, frontier, robust, mcda and compare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geo.cli.console import (
    OUT,
    Data,
    Lang,
    Override,
    ParamsFile,
    SpeedsFile,
    errors_in_words,
    language,
    params_of,
    plan_of,
    progress_bar,
    show_elsewhere,
    show_line,
)
from geo.text import t

if TYPE_CHECKING:
    from geo.study.compare import Comparison

#: A longer value of a parameter, such as all pins of a decision, is cut on the terminal; the file has all of it.
_SHOWN_CHARACTERS = 60


def explain(
    unit: Annotated[str | None, typer.Argument(help="Code of the unit.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the sentences of every unit.")] = None,
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Say why a unit, or every unit, gets the sites it gets, and what would have to change for others to win."""
    words = language(lang)
    if (unit is None) == (out is None):
        raise typer.BadParameter("give one of the two", param_hint="UNIT, --out")
    with errors_in_words(words):
        from geo.publish.reasons import modelled_text
        from geo.publish.tables import write_csv
        from geo.publish.why import explanation_texts, explanations_table
        from geo.study.explain import explain_unit

        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress)
            if out is not None:
                write_csv(explanations_table(made, lang=words), out)
        show_elsewhere(made, words)
        if unit is None:
            OUT.print(t("choice.explain.written", lang=words, n=len(made.units), out=out))
            return
        explained = explain_unit(made, unit)
        OUT.print(f"{made.units['name'][unit]} ({unit})", style="bold", markup=False)
        for sentence in explanation_texts(made, explained, lang=words):
            OUT.print(f"- {sentence}", markup=False)
        show_line(modelled_text(made, lang=words))


def frontier(
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Say what each further site buys: the optimum of every budget, from one site for each unit to two."""
    words = language(lang)
    with errors_in_words(words):
        from geo.publish.reasons import number_text
        from geo.publish.tables import write_csv
        from geo.study.frontier import trace_frontier

        parsed = params_of(data, params, set_, speeds=speeds)
        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress, values={"choice.max_sites": 1_000_000})
            table = trace_frontier(replace(made, params=parsed))
        write_csv(table.reset_index(), out)
        show_elsewhere(made, words)
        budget = parsed.choice.max_sites
        shadow = table["shadow_price"].get(budget, float("nan"))
        enough = table.index[table["objective"] >= table["objective"].max() - 1e-9].min()
        told = {"n": len(table), "out": out, "budget": budget, "enough": enough, "lang": words}
        if budget >= table.index.max():
            OUT.print(t("choice.frontier.written_all", **told))
        else:
            OUT.print(t("choice.frontier.written", shadow=number_text(shadow, lang=words, decimals=6), **told))


def robust(
    out: Annotated[Path, typer.Option("--out", help="Folder for robust_units, robust_sites and robust_figures.csv.")],
    weightings: Annotated[int, typer.Option(min=1, help="How many random weightings to try.")] = 2000,
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Choose anew under other weights, travel times and norms: how often each building wins, which units are firm."""
    words = language(lang)
    with errors_in_words(words):
        from geo.publish.tables import write_csv
        from geo.study.sensitivity import robustness_tables, try_times, vary_figures

        with progress_bar(words) as progress:
            made = plan_of(
                data, params, set_, speeds=speeds, progress=progress, values={"robustness.n_weightings": weightings}
            )
            units, sites = robustness_tables(made)
            units["times_win_share"] = try_times(made)
            figures = vary_figures(made)
        for name, table in (("units", units.reset_index()), ("sites", sites.reset_index()), ("figures", figures)):
            write_csv(table, out / f"robust_{name}.csv")
        show_elsewhere(made, words)
        firm = int((units["firmness"] == "firm").sum())
        contestable = int((units["firmness"] == "contestable").sum())
        OUT.print(t("choice.robust.written", lang=words, n=weightings, firm=firm, contestable=contestable, out=out))
        most = figures.iloc[int(figures["units_changed"].to_numpy().argmax())]
        values = {name: str(most[name]) for name in ("figure", "now", "tried")}
        OUT.print(t("choice.robust.figures", lang=words, units=most["units_changed"], **values), markup=False)


def mcda(
    out: Annotated[Path, typer.Option("--out", help="Folder for mcda_units.csv and mcda_sites.csv.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Rank the buildings by TOPSIS and PROMETHEE II beside the weighted sum, and say where they disagree."""
    words = language(lang)
    with errors_in_words(words):
        from geo.publish.tables import write_csv
        from geo.study.mcda import compare_methods

        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress)
            units, sites = compare_methods(made)
        for name, table in (("units", units), ("sites", sites)):
            write_csv(table.reset_index(), out / f"mcda_{name}.csv")
        show_elsewhere(made, words)
        agree = int(units["agree"].sum())
        OUT.print(t("choice.mcda.written", lang=words, n=len(units), agree=agree, sites=len(sites), out=out))


def compare(
    out: Annotated[Path, typer.Option("--out", help="CSV file of every unit, before and after.")],
    after: Annotated[Path | None, typer.Option("--with", help="TOML file of the other parameters.")] = None,
    decided: Annotated[Path | None, typer.Option("--decided", help="Table unit_id, site_id_1, site_id_2.")] = None,
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Compare a plan with that of another file of parameters, or with sites that were decided on.

    Beside the CSV file of the units another, whose name ends with _params, lists the parameters that differ.
    """
    words = language(lang)
    if (after is None) == (decided is None):
        raise typer.BadParameter("give one of the two", param_hint="--with, --decided")
    with errors_in_words(words):
        from geo.params import read_params
        from geo.plan import make_plan
        from geo.publish.compare import write_comparison
        from geo.publish.reasons import profile_text
        from geo.settings import Settings
        from geo.sources.decided import read_decided
        from geo.study.compare import compare_plans, decided_params

        with progress_bar(words) as progress:
            first = plan_of(data, params, set_, speeds=speeds, progress=progress)
            if decided is not None:
                ids = {"unit_ids": list(first.city.units.index), "site_ids": list(first.city.sites.index)}
                other = decided_params(read_decided(decided, **ids, settings=Settings()), first)
            else:
                other = read_params(after, data_dir=data)
            second = make_plan(first.city, other, progress=progress)
            found = compare_plans(first, second)
        write_comparison(found, out, lang=words)
        show_elsewhere(first, words)
        _tell_comparison(found, words)
        show_line(profile_text(second, lang=words))
        show_line(t("cli.written", lang=words, out=out))


def _tell_comparison(found: Comparison, words: str) -> None:
    from geo.publish.compare import comparison_texts, params_table, totals_texts

    table = params_table(found, lang=words)
    show_line(t("compare.params", lang=words, n=len(table)) if len(table) else t("compare.params_same", lang=words))
    short = table.map(lambda text: text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")
    rows = [*short.itertuples(index=False, name=None), *totals_texts(found, lang=words)]
    for label, before, later in rows:
        show_line(t("choice.compare.row", lang=words, label=label, before=before or "–", after=later or "–"))
    for sentence in comparison_texts(found, lang=words):
        show_line(f"- {sentence}")
