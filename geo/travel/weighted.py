"""Figures of people who count with their number: the weighted mean and the weighted quantile."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> float:
    """Return the mean of the values that are known and weigh something; NaN where there are none.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Not known where NaN or infinite.
    weights : array-like of float, shape (n,)
        Zero or more; NaN weighs nothing.
    """
    values, weights = np.asarray(values, float), np.asarray(weights, float)
    counted = np.isfinite(values) & (weights > 0)
    return float(np.average(values[counted], weights=weights[counted])) if counted.any() else float("nan")


def weighted_quantile(values: NDArray[np.float64], weights: NDArray[np.float64], q: float) -> float:
    """Return the least value that at least the share `q` of the weight does not exceed; NaN where it is infinite."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= q * weights.sum() * (1 - 1e-12)
    value = values[order][int(reached.argmax())]
    return float(value) if np.isfinite(value) else float("nan")
