"""The app: pages drawn by Streamlit from a Plan; nothing is computed here."""
