"""The command ``truso``: each command parses, makes one library call and turns an error into words."""

from __future__ import annotations

import gc

import typer

from geo.cli import access, boundaries, choice, network, plan, scenario, sources, speeds

app = typer.Typer(
    help="Choose one or two headquarters for every unit of a territorial reform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (plan.plan, plan.check, boundaries.audit, boundaries.convert, boundaries.clauses):
    app.command()(command)
for question in (choice.explain, choice.frontier, choice.robust, choice.mcda, choice.compare):
    app.command()(question)
app.command()(access.access)
app.command()(scenario.scenario)
app.command()(speeds.speeds)
app.command()(network.network)
app.command("build-demo")(sources.build_demo)
app.command()(plan.run)

fetch_app = typer.Typer(help="Fetch real data where there is internet.", no_args_is_help=True)
fetch_app.command("osm")(sources.fetch_osm)
fetch_app.command("units")(sources.fetch_units)
app.add_typer(fetch_app, name="fetch")


def main() -> None:
    """Run the command line."""
    gc.set_threshold(200_000, 50, 50)  # a command lives for seconds; collecting as often as usual costs a tenth of them
    app()
