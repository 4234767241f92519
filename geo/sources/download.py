"""What every download needs: bounds on time and size, a check of the answer, patience, and failures in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from geo.errors import Fault, FetchError

_BUSY = {408, 425, 429, 500, 502, 503, 504}
#: A server may ask for more patience than ours, up to this.
_LONGEST_WAIT_S = 120.0
_T = TypeVar("_T")


class PassingError(Exception):
    """A failure that may not happen again, and the seconds the server asked to be left alone."""

    def __init__(self, fault: Fault, *, wait_s: float = 0.0) -> None:
        self.fault = fault
        self.wait_s = wait_s
        super().__init__(fault)


def fetch_fault(key: str, *, file: str | None = None, **values: object) -> Fault:
    """Return a fault of a download; its words stand under ``fetch_`` and `key`."""
    return Fault(key=f"fetch_{key}", file=file, values={name: str(value) for name, value in values.items()})


def get(url: str, session: requests.Session, *, limit_s: float, limit_bytes: int, hosts: set[str]) -> bytes:
    """Return what lies at `url`, whole.

    Parameters
    ----------
    url : str
    session : requests.Session
    limit_s : float
        Longest time for connecting, for a silence and for the whole answer.
    limit_bytes : int
        Largest answer, unpacked.
    hosts : set of str
        The host is added once it has answered.

    Raises
    ------
    PassingError
        The server is busy, stalls or breaks off.
    FetchError
        It refuses, or the answer is too large.
    requests.RequestException
        It cannot be reached.
    """
    with session.get(url, stream=True, timeout=limit_s) as response:
        hosts.add(host_of(url))
        body = read_body(response, limit_s=limit_s, limit_bytes=limit_bytes)
        check_status(response, body)
        return body


def read_body(response: requests.Response, *, limit_s: float, limit_bytes: int) -> bytes:
    """Return the whole body, within `limit_s`: the timeout of requests ends a silence only, not a trickle."""
    host, end = host_of(response.url), time.monotonic() + limit_s
    body = bytearray()
    try:
        # iter_content would wait for a full chunk; read1 returns what has arrived.
        while chunk := response.raw.read1(1 << 16, decode_content=True):
            body += chunk
            if len(body) > limit_bytes:
                raise FetchError(fetch_fault("too_large", host=host, allowed=f"{limit_bytes / 1e6:g} MB"))
            if time.monotonic() > end:
                raise PassingError(fetch_fault("slow", host=host, limit_s=f"{limit_s:g}"))
    except urllib3.exceptions.ReadTimeoutError as error:
        raise PassingError(fetch_fault("stalled", host=host)) from error
    except urllib3.exceptions.HTTPError as error:
        raise PassingError(fetch_fault("cut", host=host, bytes=len(body))) from error
    finally:
        response.close()
    return bytes(body)


def check_status(response: requests.Response, body: bytes) -> None:
    """Raise unless the server answered with what was asked for."""
    if response.ok:
        return
    status = f"{response.status_code} {response.reason}"
    host = host_of(response.url)
    if response.status_code in _BUSY:
        raise PassingError(fetch_fault("busy", host=host, status=status), wait_s=_asked_patience_s(response))
    raise FetchError(fetch_fault("refused", host=host, status=status, words=first_words(body) or "-"))


def repeat(ask: Callable[[], _T], *, waits_s: Sequence[float], hosts: set[str], file: str | None = None) -> _T:
    """Return what `ask` returns; call it again after each of the waits while it fails in passing.

    Parameters
    ----------
    ask : callable
        Raises :class:`PassingError` or what requests raises.
    waits_s : sequence of float
        Seconds before each repetition; longer where the server asks for it.
    hosts : set of str
        Hosts that have answered before: one that never did is not asked again, since there is no internet.
    file : str, optional
        File that the error names.

    Raises
    ------
    FetchError
        It fails for good, or still does after the last wait.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return ask()
        except FetchError as error:
            raise FetchError([replace(fault, file=fault.file or file) for fault in error.faults]) from error
        except (requests.RequestException, PassingError) as error:
            fault, passing = _fault_of(error, hosts)
            if not passing or tries > len(waits_s):
                raise FetchError(replace(fault, file=file, values={**fault.values, "n": str(tries)})) from error
            time.sleep(max(waits_s[tries - 1], getattr(error, "wait_s", 0.0)))


def _fault_of(error: requests.RequestException | PassingError, hosts: set[str]) -> tuple[Fault, bool]:
    """Return the fault and whether it may pass."""
    if isinstance(error, PassingError):
        return error.fault, True
    host = host_of(None if error.request is None else str(error.request.url))
    if isinstance(error, requests.ConnectionError):
        return fetch_fault("unreachable", host=host), host in hosts
    if isinstance(error, requests.Timeout):
        return fetch_fault("timeout", host=host), True
    return fetch_fault("failed", host=host, detail=error), False


def _asked_patience_s(response: requests.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isascii() and asked.isdecimal() else 0.0


def host_of(url: str | None) -> str:
    """Return the host and port of `url`."""
    return urlsplit(url or "").netloc or "?"


def first_words(body: bytes) -> str:
    """Return how a body begins, in one line."""
    return " ".join(body[:2000].decode("utf-8", "replace").split())[:200]
