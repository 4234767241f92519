import re
from pathlib import Path

import pytest

from geo.params import ChoiceParams
from geo.settings import Settings
from geo.sources import columns

ROOT = Path(__file__).parents[1]
TABLES = ("COMMUNES", "UNITS", "DISTRICTS", "CLAUSES", "INVENTORY", "COMMUNE_POPULATION", "POINT_POPULATION")


@pytest.mark.parametrize("table", TABLES)
def test_the_data_page_lists_every_column_with_its_other_names(table: str) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for column in getattr(columns, table):
        needed = "yes" if column.needed else ""
        assert re.search(rf"\| `{column.name}` \| {needed} \| .*\| {re.escape(', '.join(column.aliases))} \|", page)


def test_the_example_of_the_readme_runs(shared_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the embedded data, as a reader would type it."""
    monkeypatch.setenv("GEO_CACHE_DIR", str(shared_settings.cache_dir))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    scope: dict = {}
    exec(example, scope)
    assert 126 <= scope["plan"].totals["sites"] <= ChoiceParams().max_sites
    assert scope["plan"].params.weights.size == 0.5


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


def test_the_readme_names_both_commands_and_ci_runs_the_second() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in page
    assert "make test" in page
    assert "make test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
