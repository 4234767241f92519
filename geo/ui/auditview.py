"""The audit of the merge as the app shows it: the worst, where they lie, every finding; and the parts of a unit."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from geo.merge.audit import breaches, highlights, worst
from geo.publish.findings import findings_table
from geo.publish.tables import csv_bytes
from geo.text import t
from geo.ui.sketch import draw_findings
from geo.ui.tables import MISSING, in_words
from geo.ui.view import View
from geo.ui.words import plain


def show_audit(view: View) -> None:
    """Show what the audit found: how much, where, what to read first with its remedy, and all of it to take along."""
    city = view.plan.city
    texts = findings_table(city, lang=view.lang)
    n_failed, n_breaches = int((~city.audit["passed"]).sum()), len(breaches(city.audit))
    counts = {"n": len(texts), "breaches": n_breaches, "notices": n_failed - n_breaches}
    summary = t("audit.summary", lang=view.lang, passed=len(texts) - n_failed, **counts)
    (st.warning if n_breaches else st.success)(plain(summary), icon=":material/fact_check:")
    first = {name: rows for name, rows in highlights(city.audit).items() if len(rows)}
    if first:
        listed, picture = st.columns((3, 2), gap="medium")
        picture.image(
            draw_findings(city, worst(city.audit, n=len(city.audit)), lang=view.lang),
            width="stretch",
            alt=t("audit.worst", lang=view.lang),
        )
        for name, rows in first.items():
            lines = (_line(view, row) for _, row in texts.loc[rows.index].iterrows())
            listed.markdown("\n".join([f"**{plain(t(f'audit.{name}', lang=view.lang))}**\n", *lines]))
    with st.expander(t("audit.all", lang=view.lang)):
        _show_table(texts, lang=view.lang)
        audit = csv_bytes(city.audit, dict.fromkeys(city.audit.columns))
        st.download_button("audit.csv", audit, "audit.csv", "text/csv", icon=":material/download:")


def _line(view: View, row: pd.Series[Any]) -> str:
    stake = row["at_stake_km2"]
    km2 = "" if pd.isna(stake) else t("audit.amount.km2", lang=view.lang, n=view.number(stake, decimals=2))
    return f"1. {f'**{plain(km2)}** ' if km2 else ''}{plain(row['finding'])} *{plain(row['remedy'])}*"


def _show_table(table: pd.DataFrame, *, lang: str) -> None:
    columns = {
        name: st.column_config.Column(
            t(f"audit.column.{name}", lang=lang), width="large" if name in ("finding", "remedy") else None
        )
        for name in table.columns
    }
    shown = in_words(table, {"at_stake_km2": 2, "lat": 5, "lon": 5}, lang=lang)
    st.dataframe(shown, hide_index=True, column_config=columns, placeholder=MISSING)


def pieces_table(view: View, unit_id: str) -> pd.DataFrame:
    """Return what the unit is made of: commune, clause, share of its land with its range, how it was cut, how sure."""
    pieces = view.plan.city.pieces
    own = pieces[pieces["unit_id"] == unit_id]
    names = view.plan.city.communes["name"]

    def words(group: str, codes: pd.Series) -> list[str]:
        return [t(f"audit.{group}.{code}", lang=view.lang) for code in codes]

    return pd.DataFrame(
        {
            "commune": names[own["commune_id"]].to_numpy(),
            "relation": words("relation", own["relation"]),
            "area_share": 100 * own["area_share"].to_numpy(),
            "share_low": 100 * own["share_low"].to_numpy(),
            "share_high": 100 * own["share_high"].to_numpy(),
            "method": words("method", own["method"]),
            "sureness": words("sureness", own["sureness"]),
        }
    )


def show_pieces(view: View, unit_id: str) -> None:
    """Show the parts of the unit: how each was found and how sure its share is."""
    table = pieces_table(view, unit_id)
    labels = {name: t(f"audit.column.{name}", lang=view.lang) for name in table.columns}
    shares = dict.fromkeys(("area_share", "share_low", "share_high"), 1)
    with st.expander(t("audit.pieces", lang=view.lang)):
        shown = in_words(table, shares, lang=view.lang, percent=shares)
        st.dataframe(shown, hide_index=True, column_config=labels, placeholder=MISSING)
        st.caption(t("audit.pieces_help", lang=view.lang))
