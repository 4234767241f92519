"""``python -m geo`` is ``truso``."""

from geo.cli import main

main()
