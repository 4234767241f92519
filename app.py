"""Entry point of the app: ``streamlit run app.py``."""

from pathlib import Path

from geo.ui.app import run

run(static_dir=Path(__file__).resolve().parent / "static")
