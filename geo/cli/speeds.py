"""The command about speeds: the table that a planner edits and gives back with ``--speeds``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geo.cli.console import OUT, Data, Lang, Override, ParamsFile, SpeedsFile, errors_in_words, language, params_of
from geo.text import t


def speeds(
    out: Annotated[Path, typer.Option("--out", help="Table to write, csv.")],
    scenario: Annotated[str | None, typer.Option("--scenario", help="Name or TOML file of a scenario.")] = None,
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    speeds: SpeedsFile = None,
    lang: Lang = None,
) -> None:
    """Write the speeds that a plan would use, by mode and class of road, with their source."""
    words = language(lang)
    with errors_in_words(words):
        from geo.profile import read_scenario
        from geo.publish.speeds import speed_table
        from geo.publish.tables import write_csv

        access = params_of(data, params, set_, speeds=speeds).access
        if scenario is not None:
            laid = read_scenario(scenario, data_dir=data).over(access.scenario)
            access = access.model_copy(update={"scenario": laid})
        write_csv(speed_table(access), out)
        OUT.print(t("cli.written", lang=words, out=out), markup=False)
