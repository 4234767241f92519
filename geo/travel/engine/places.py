"""Where searches begin, and the integers that they count in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import GeoError

#: Result where no way leads; every sum of weights must stay below it. Two of them fit into 32 bits.
UNREACHED = np.uint32(2**31 - 1)
#: Weight of an arc that is closed.
CLOSED = UNREACHED
#: Places that share a sweep at most, one a lane of 32 bits: an edge is read once for all of them.
MOST_LANES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Places that searches begin at: nodes, or points on arcs, which have two ends.

    Attributes
    ----------
    node : ndarray of int64, shape (n_places, n_ends)
        Nodes next to the place, -1 where there are fewer.
    weight : ndarray of uint32, shape (n_places, n_ends)
        From each of them to the place, or from the place to them when ways away from it are asked.
    """

    node: NDArray[np.int64]
    weight: NDArray[np.uint32]

    @staticmethod
    def at(nodes: ArrayLike) -> Places:
        """Return places that are nodes."""
        node = np.asarray(nodes, np.int64).reshape(-1, 1)
        return Places(node=node, weight=np.zeros(node.shape, np.uint32))

    def __len__(self) -> int:
        return len(self.node)

    def __getitem__(self, rows: slice | NDArray) -> Places:
        return Places(node=self.node[rows], weight=self.weight[rows])


def checked_nodes(nodes: ArrayLike, n_nodes: int, *, least: int = 0) -> NDArray[np.int64]:
    """Return `nodes` as an array.

    Raises
    ------
    GeoError
        One of them is below `least` or not below `n_nodes`; the kernels would read beyond their arrays.
    """
    array = np.asarray(nodes, np.int64)
    if array.size and not least <= array.min() <= array.max() < n_nodes:
        raise GeoError(f"nodes are {array.min()} to {array.max()}; allowed: {least} to {n_nodes - 1}")
    return array


def checked_weights(weights: ArrayLike, n_arcs: int) -> NDArray[np.uint32]:
    """Return `weights` as 32-bit integers.

    Raises
    ------
    GeoError
        There are not `n_arcs` of them, they are no integers, or one is negative or above :data:`CLOSED`.
    """
    array = np.asarray(weights)
    if array.shape != (n_arcs,) or array.dtype.kind not in "iu":
        raise GeoError(f"weights are {array.dtype} of shape {array.shape}; expected {n_arcs} integers")
    if array.size and not 0 <= array.min() <= array.max() <= CLOSED:
        raise GeoError(f"weights are {array.min()} to {array.max()}; allowed: 0 to {CLOSED} (closed)")
    return array.astype(np.uint32)
