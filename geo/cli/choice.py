"""Commands about the choice: explain, frontier and robust."""

from __future__ import annotations

from typing import Annotated

import typer

from geo.cli.console import OUT, Data, Lang, Override, ParamsFile, errors_in_words, language, progress_bar


def explain(
    unit: Annotated[str, typer.Argument(help="Code of the unit.")],
    data: Data = None,
    params: ParamsFile = None,
    set_: Override = None,
    lang: Lang = None,
) -> None:
    """Say why a unit gets the sites it gets, and what would have to change for others to win."""
    words = language(lang)
    with errors_in_words(words):
        from geo.city import load_city
        from geo.explain import explain_unit
        from geo.params import read_params
        from geo.plan import make_plan
        from geo.publish.reasons import modelled_text
        from geo.publish.why import explanation_texts

        parsed = read_params(params, overrides=set_ or ())
        with progress_bar(words) as progress:
            made = make_plan(load_city(data, progress=progress), parsed, progress=progress)
            explained = explain_unit(made, unit)
        OUT.print(f"{made.units['name'][unit]} ({unit})", style="bold", markup=False)
        for sentence in explanation_texts(made, explained, lang=words):
            OUT.print(f"- {sentence}", markup=False)
        modelled = modelled_text(made, lang=words)
        if modelled:
            OUT.print(modelled, markup=False)
