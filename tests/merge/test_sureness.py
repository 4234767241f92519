import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo.merge.sureness import AREA_SLACK, add_ranges


def pieces(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """Return pieces of (commune, unit, method, km2)."""
    table = pd.DataFrame(rows, columns=["commune_id", "unit_id", "method", "area_km2"])
    table["area_share"] = table["area_km2"] / table.groupby("commune_id")["area_km2"].transform("sum")
    return table


def ranges(table: pd.DataFrame, *, found: list[float] | None = None, **official: float) -> pd.DataFrame:
    found_share = pd.Series(np.nan if found is None else found, index=table.index, dtype=float)
    return add_ranges(table, found_share=found_share, official_area_km2=pd.Series(official, dtype=float))


def test_a_whole_commune_and_a_drawn_part_are_sure() -> None:
    table = ranges(pieces([("A", "W", "whole", 1), ("B", "W", "drawn", 0.3), ("B", "E", "drawn", 0.7)]))
    assert table["sureness"].tolist() == ["sure"] * 3
    assert (table["share_low"] == table["share_high"]).all()


def test_an_official_part_lies_between_the_commune_as_found_and_as_fitted() -> None:
    table = ranges(pieces([("B", "W", "official", 0.3), ("B", "E", "official", 0.7)]), found=[0.2, 0.72])
    assert table["share_low"].tolist() == pytest.approx([0.2, 0.7])
    assert table["share_high"].tolist() == pytest.approx([0.3, 0.72])
    assert table["sureness"].tolist() == ["fair", "sure"]


def test_official_areas_pin_down_the_only_open_part_of_a_unit() -> None:
    """W is A whole and a part of B; its official 1.4 km2 leave 0.4 km2 of B, give or take 2 % of 1.4 km2."""
    table = pieces([("A", "W", "whole", 1), ("B", "W", "modelled", 0.5), ("B", "E", "modelled", 0.5)])
    part = ranges(table, W=1.4).iloc[1]
    assert [part["share_low"], part["share_high"]] == pytest.approx([0.4 - 1.4 * AREA_SLACK, 0.5])
    assert ranges(table)["sureness"].tolist() == ["sure", "unsure", "unsure"], "without areas anything goes"


def test_an_area_that_contradicts_its_communes_is_not_believed() -> None:
    table = pieces([("A", "W", "whole", 1), ("B", "W", "modelled", 0.5), ("B", "E", "modelled", 0.5)])
    assert ranges(table, W=9.0)[["share_low", "share_high"]].iloc[1].tolist() == [0, 1]


@st.composite
def divisions(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return communes divided between three units, and official areas that the true parts meet."""
    share = st.floats(0.05, 1)
    rows = [(c, u, "modelled", draw(share)) for c in "ABC" for u in draw(st.sets(st.sampled_from("XYZ"), min_size=2))]
    table = pieces(rows)
    return table, table.groupby("unit_id")["area_km2"].sum().to_dict()


@given(divisions())
def test_the_range_holds_every_division_that_the_sums_allow(case: tuple[pd.DataFrame, dict[str, float]]) -> None:
    """Linear programming finds the true ends; the range is never narrower."""
    table, official = case
    found = ranges(table, **official)
    size = table.groupby("commune_id")["area_km2"].transform("sum")
    communes, units = (pd.get_dummies(table[key]).T for key in ("commune_id", "unit_id"))
    target = np.array([official[unit] for unit in units.index])
    bounds = {
        "A_eq": communes.to_numpy(float), "b_eq": table.groupby("commune_id")["area_km2"].sum().to_numpy(),
        "A_ub": np.vstack([units, -units.to_numpy(float)]).astype(float),
        "b_ub": np.concatenate([target * (1 + AREA_SLACK), -target * (1 - AREA_SLACK)]),
    }  # fmt: skip
    for i in range(len(table)):
        for sign, column in ((1, "share_low"), (-1, "share_high")):
            end = linprog(sign * np.eye(len(table))[i], **bounds).x[i] / size.iloc[i]
            assert sign * found[column].iloc[i] <= sign * end + 1e-6
