"""The command about scenarios: what rush hour, a closed bridge or a barred zone does to a plan."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

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
    plan_of,
    progress_bar,
    show_elsewhere,
)
from geo.text import t


def scenario(
    name: Annotated[str | None, typer.Argument(help="Name or TOML file; all names are listed if left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the differences, unit by unit.")] = None,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day looked at.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Also choose the sites anew under the scenario.")] = False,
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Say what a scenario does to the travel times of a plan whose sites stay."""
    words = language(lang)
    with errors_in_words(words):
        from geo.errors import Fault, NetworkError
        from geo.profile import list_scenarios, read_scenario
        from geo.publish.impact import anew_text, write_impact
        from geo.study.impact import anew_table, build_stage, choose_anew, compare_scenario

        if name is None:
            for known in list_scenarios(data):
                OUT.print(f"{known}: {read_scenario(known, data_dir=data).words(words)}", markup=False)
            return
        found = read_scenario(name, data_dir=data, on=None if on is None else on.date())
        with progress_bar(words) as progress:
            made = plan_of(data, params, set_, speeds=speeds, progress=progress)
            if made.city.network is None:
                raise NetworkError(Fault(key="no_network"))
            stage = build_stage(made.city, made.params.access)
            impact = compare_scenario(made, found, stage=stage, progress=progress)
            chosen = choose_anew(made, found, progress=progress) if anew else None
        table = None if chosen is None else anew_table(made, chosen)
        if out is not None:
            write_impact(impact, out, anew=table)
        show_elsewhere(made, words)
        _tell(impact, words)
        if chosen is not None and table is not None:
            OUT.print(f"- {anew_text(impact, table, chosen.totals, lang=words)}", markup=False)
        if out is not None:
            OUT.print(t("cli.written", lang=words, out=out), markup=False)


def _tell(impact: Any, lang: str) -> None:
    from geo.publish.impact import impact_texts

    OUT.print(impact.scenario.words(lang), style="bold", markup=False)
    for sentence in impact_texts(impact, lang=lang):
        OUT.print(f"- {sentence}", markup=False)
