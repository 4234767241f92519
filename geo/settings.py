"""What describes the machine and never changes a number; environment variables ``GEO_*`` override it."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The data that come with the project, whatever a setting says.
EMBEDDED_DATA = Path(__file__).resolve().parent.parent / "data"


class Settings(BaseSettings):
    """Folders, addresses and limits.

    Attributes
    ----------
    data_dir : pathlib.Path
        Data folder used where none is named: the embedded one.
    cache_dir : pathlib.Path
        Where travel times and parsed networks are kept, by the digest of what they were made from.
    max_cache_mb : int
        Size of that folder above which what was not used for longest is deleted; 0 for no limit.
    overpass_url : str
        Overpass endpoint that ``truso fetch osm`` asks.
    request_timeout_s : float
        Longest wait for one answer.
    max_upload_mb : int
        Largest file accepted from a user, also after it is unpacked.
    max_rows : int
        Longest table accepted from a user.
    """

    model_config = SettingsConfigDict(env_prefix="GEO_", frozen=True)

    data_dir: Path = EMBEDDED_DATA
    cache_dir: Path = Path(platformdirs.user_cache_dir("truso", appauthor=False))
    max_cache_mb: int = 2000
    overpass_url: str = "https://overpass-api.de/api"
    request_timeout_s: float = 180.0
    max_upload_mb: int = 400
    max_rows: int = 200_000
