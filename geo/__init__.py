"""Siting public offices after a territorial reform: merge, score, choose, explain.

>>> from geo import Params, load_city, make_plan
>>> plan = make_plan(load_city(), Params())  # doctest: +SKIP
"""

from geo.city import City, check_city, load_city
from geo.errors import Fault, FetchError, GeoError, InfeasibleError, InputError, NetworkError, ParamsError
from geo.params import Params, read_params
from geo.plan import Plan, make_plan
from geo.settings import Settings

__all__ = [
    "City",
    "Fault",
    "FetchError",
    "GeoError",
    "InfeasibleError",
    "InputError",
    "NetworkError",
    "Params",
    "ParamsError",
    "Plan",
    "Settings",
    "check_city",
    "load_city",
    "make_plan",
    "read_params",
]
