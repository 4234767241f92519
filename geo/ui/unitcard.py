"""The unit looked at, in a few lines beside the map."""

from __future__ import annotations

import streamlit as st

from geo.publish.why import explanation_texts
from geo.study.explain import explain_unit
from geo.text import t
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
        chosen = [unit[key] for key in ("site_id_1", "site_id_2") if unit[key]]
        roles = view.plan.sites["role"]
        st.markdown("\n".join(view.site_line(site_id, roles[site_id]) for site_id in chosen))
        st.caption(view.reason(unit))
        if st.toggle(t("choice.card.why", lang=view.lang), key="card_why"):
            explained = explain_unit(view.plan, view.unit_id)
            texts = explanation_texts(view.plan, explained, lang=view.lang)[1:]  # the first is the caption above
            st.markdown("\n".join(f"- {plain(text)}" for text in texts))
        if st.button(view.say("card.open"), icon=":material/arrow_forward:", type="primary"):
            st.switch_page(view.pages["unit"])
