import io

import pandas as pd

from geo.plan import Plan
from geo.publish.crosswalk import CROSSWALK_COLUMNS, crosswalk_csv, crosswalk_table


def test_every_piece_has_its_row(plan: Plan) -> None:
    table = pd.read_csv(io.BytesIO(crosswalk_csv(plan.city)), dtype=str)
    assert table.columns.tolist() == list(CROSSWALK_COLUMNS)
    assert len(table) == len(plan.city.pieces)


def test_the_rows_hold_the_figures_of_the_pieces_and_the_names_beside_the_ids(plan: Plan) -> None:
    city, table = plan.city, crosswalk_table(plan.city)
    same = [name for name in CROSSWALK_COLUMNS if name in city.pieces]
    pd.testing.assert_frame_equal(table[same], pd.DataFrame(city.pieces[same]))
    assert table["unit_name"].tolist() == city.units["name"][city.pieces["unit_id"]].tolist()
    assert table["commune_name"].tolist() == city.communes["name"][table["commune_id"]].tolist()
