"""The reader's own inventory in place of the city's: read like a folder, for one session, named on every page."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.city import City, load_city
from geo.errors import InputError
from geo.progress import Progress
from geo.publish.tables import csv_bytes
from geo.schemas import WGS84, Inventory
from geo.settings import Settings
from geo.sources.faultlog import FaultLog
from geo.sources.files import FolderFiles
from geo.text import t

#: Largest file accepted, also after it is unpacked; the 903 buildings of Hanoi make 0.2 MB.
MAX_MB = 20
TYPES = ("csv", "xlsx")
_FOLDER, _KEPT = "buildings", "own_inventory"
_XLSX = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnInventory:
    """An inventory that a reader brought: the name of the file, and the city with its buildings."""

    file: str
    city: City


def current() -> OwnInventory | None:
    """Return the inventory of this session, None where it uses the city's own."""
    kept: OwnInventory | None = st.session_state.get(_KEPT)
    return kept


def is_own(city: City) -> bool:
    """Return whether `city` is the one that this session brought."""
    own = current()
    return own is not None and own.city.digest == city.digest


def use(own: OwnInventory | None) -> None:
    """Plan with `own` in this session from now on; None goes back to the city's inventory."""
    st.session_state[_KEPT] = own


def read_upload(content: bytes, *, settings: Settings, progress: Progress | None = None) -> City:
    """Return the city of the data folder with the buildings of `content`.

    Parameters
    ----------
    content : bytes
        A CSV or an XLSX as ``buildings/`` may hold; its name plays no part, what it is shows in its first bytes.
    settings : Settings
        Names the folder that everything else is read from. That folder is not touched.
    progress : callable, optional
        Called with the name of a step and the share done; what it raises stops the work.

    Raises
    ------
    InputError
        Something is wrong with the inventory; carries every fault found, with row and column.
    """
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / settings.data_dir.resolve().name
        shutil.copytree(settings.data_dir, folder, ignore=_leave_out_buildings(settings.data_dir))
        name = "inventory.xlsx" if content.startswith(_XLSX) else "inventory.csv"
        path = folder / _FOLDER / name
        path.parent.mkdir()
        path.write_bytes(content)
        _refuse_large(folder, path, settings)
        return load_city(folder, settings=settings, progress=progress)


def _leave_out_buildings(root: Path) -> Any:
    def leave_out(place: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(place) == root and name == _FOLDER]

    return leave_out


def _refuse_large(folder: Path, path: Path, settings: Settings) -> None:
    log = FaultLog()
    files = FolderFiles(folder, settings=settings.model_copy(update={"max_upload_mb": MAX_MB}), log=log)
    content = files.read(path)
    if content is not None and zipfile.is_zipfile(io.BytesIO(content)):
        files.unzip(path, content, suffixes=())
    if log.failed:
        raise InputError(log.faults())


def inventory_csv(city: City) -> bytes:
    """Return the inventory of `city` as a CSV that can be edited and uploaded."""
    degrees = city.sites.geometry.to_crs(WGS84)
    columns = [name for name in Inventory.to_schema().columns if name != "geometry"]
    table = pd.DataFrame(city.sites[columns]).assign(lon=degrees.x.round(7), lat=degrees.y.round(7)).reset_index()
    return csv_bytes(table, dict.fromkeys(table.columns))


def in_own_words(error: InputError, file: str) -> InputError:
    """Return `error` with the inventory under the name that the reader knows it by."""
    return InputError(
        [
            replace(fault, file=file if (fault.file or "").startswith(f"{_FOLDER}/inventory") else fault.file)
            for fault in error.faults
        ]
    )


def owner_text(own: OwnInventory, *, lang: str, buildings: str) -> str:
    """Return the sentence that says whose data the page shows."""
    return t("study.upload.banner", lang=lang, file=own.file, n=buildings)
