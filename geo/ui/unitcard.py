"""The unit looked at, in a few lines beside the map."""

from __future__ import annotations

import streamlit as st

from geo.ui.view import View
from geo.ui.words import plain


def show_unit_card(view: View) -> None:
    """Show the chosen unit's proposal and its reason, or how to choose a unit."""
    with st.container(border=True):
        if not view.unit_id:
            st.caption(view.say("card.none"))
            return
        unit = view.unit(view.unit_id)
        st.markdown(f"**{plain(unit['name'])}**")
        for key in ("site_id_1", "site_id_2"):
            if unit[key]:
                role = str(view.plan.sites.loc[unit[key], "role"])
                st.markdown(f"- {view.role(role)}: {view.site_name(unit[key])}")
        figures = (
            view.minutes(unit["mean_time_min"]),
            view.say("card.share", share=view.share(unit["share_within_30min"])),
            view.say("card.norm", norm=view.norm(unit["norm_met_pct"])),
        )
        st.caption(" · ".join(figures))
        st.caption(view.reason(unit))
        if st.button(view.say("card.open"), icon=":material/arrow_forward:", type="primary"):
            st.switch_page(view.pages["unit"])
