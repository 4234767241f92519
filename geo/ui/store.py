"""What is kept in memory: the city, its plans and their files, each under the digest of what it was made from.

Sessions share it, but for what comes from a reader's own inventory: that is kept, a few of each, for the session alone.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import streamlit as st

from geo.city import City, load_city
from geo.params import AccessParams, Params, digest_of
from geo.plan import Plan, make_plan
from geo.profile import Scenario
from geo.publish import render_files
from geo.settings import Settings
from geo.study.compare import Comparison, compare_plans
from geo.study.impact import Impact, Stage, build_stage, compare_scenario
from geo.ui import upload
from geo.ui.diffmap import unit_shapes
from geo.ui.served import Served, serve_ground

#: Name of the archive that holds all files of a plan.
ARCHIVE = "truso.zip"
_FIXED_DATE = (2025, 7, 1, 0, 0, 0)
#: Plans of an own inventory that a session keeps, 30 MB each.
_OWN_ENTRIES = 3
P = ParamSpec("P")
T = TypeVar("T")


def current_city(settings: Settings) -> City:
    """Return the city of the data folder, read again only when a file of it has changed."""
    return _city(str(settings.data_dir), _stamp(settings.data_dir), _settings=settings)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return tuple((str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files)


@st.cache_resource(max_entries=2, show_spinner=False)
def _city(data_dir: str, stamp: tuple[tuple[str, int, int], ...], _settings: Settings) -> City:
    return load_city(Path(data_dir), settings=_settings)


def _digest_of_city(city: City) -> str:
    return city.digest


def _digest_of_params(params: Params) -> str:
    return params.digest


def _digest_of_plan(plan: Plan) -> tuple[str, str, str]:
    return plan.city.digest, plan.params.digest, plan.version


def _digest_of_scenario(scenario: Scenario) -> str:
    return scenario.digest


_DIGESTS: dict[str | type[Any], Callable[[Any], Any]] = {
    City: _digest_of_city, Params: _digest_of_params, AccessParams: digest_of, Plan: _digest_of_plan,
    Scenario: _digest_of_scenario,
}  # fmt: skip


def _kept(*, max_entries: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function makes of its first argument, a City or a Plan, for all sessions or for the one it is of."""

    def keep(make: Callable[P, T]) -> Callable[P, T]:
        shared = st.cache_resource(max_entries=max_entries, show_spinner=False, hash_funcs=_DIGESTS)(make)
        of_session = st.cache_resource(
            max_entries=_OWN_ENTRIES, show_spinner=False, hash_funcs=_DIGESTS, scope="session"
        )(make)

        @wraps(make)
        def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            city = args[0].city if isinstance(args[0], Plan) else cast("City", args[0])
            return (of_session if upload.is_own(city) else shared)(*args, **kwargs)

        return answer

    return keep


@_kept(max_entries=64)
def current_plan(city: City, params: Params) -> Plan:
    """Return the plan of `city` under `params`."""
    return make_plan(city, params, settings=Settings())


@_kept(max_entries=3)
def current_stage(city: City, params: AccessParams) -> Stage:
    """Return what all scenarios of a city and a mode share."""
    return build_stage(city, params)


@_kept(max_entries=32)
def current_impact(plan: Plan, scenario: Scenario, _stage: Stage) -> Impact:
    """Return what `scenario` does to `plan`."""
    return compare_scenario(plan, scenario, stage=_stage, settings=Settings())


@_kept(max_entries=16)
def current_comparison(before: Plan, after: Plan) -> Comparison:
    """Return what changes from one plan to another."""
    return compare_plans(before, after, settings=Settings())


@_kept(max_entries=2)
def current_shapes(city: City) -> list[dict[str, Any]]:
    """Return the units as the map of differences draws them."""
    return unit_shapes(city)


@st.cache_resource(max_entries=1, show_spinner=False, hash_funcs=_DIGESTS, scope="session")
def own_map(city: City, folder: str) -> Served:
    """Return what the map of a reader's own inventory loads; `folder` is the one that the app serves."""
    return serve_ground(city, folder=Path(folder))


@_kept(max_entries=6)
def plan_files(plan: Plan, lang: str) -> dict[str, bytes]:
    """Return the files of `plan` by name, and all of them in one archive."""
    files = dict(render_files(plan, lang=lang))
    return {**files, ARCHIVE: _zipped(files)}


def _zipped(files: dict[str, bytes]) -> bytes:
    """Return `files` in one archive; its dates are fixed, so that the same plan gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, date_time=_FIXED_DATE), files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
