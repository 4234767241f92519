"""A Plan in, bytes out: tables, GeoPackage, workbook, map and summary."""

from geo.publish.files import FILES, render_files, write_plan
from geo.publish.reasons import reason_text

__all__ = ["FILES", "reason_text", "render_files", "write_plan"]
