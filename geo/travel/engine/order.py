"""The order in which nodes are contracted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import splu


def minimum_degree_order(adjacency: csr_array) -> NDArray[np.int32]:
    """Return the rank of every node, 0 for the one contracted first.

    Contracting a node joins its neighbours, exactly as eliminating a row of a symmetric sparse matrix does; an order
    that keeps the matrix sparse keeps the hierarchy small. SuperLU, which scipy ships, has multiple minimum degree
    (Liu, ACM TOMS 11, 1985). The matrix is diagonally dominant: it is never singular and needs no pivots.

    Parameters
    ----------
    adjacency : scipy.sparse.csr_array, shape (n_nodes, n_nodes)
        Symmetric pattern without diagonal; the values do not matter.
    """
    n_nodes = adjacency.shape[0]
    if not adjacency.nnz:
        return np.arange(n_nodes, dtype=np.int32)
    edges = csc_array((np.full(adjacency.nnz, -1.0), adjacency.indices, adjacency.indptr), shape=adjacency.shape)
    most = float(np.diff(adjacency.indptr).max())
    matrix = csc_array(edges + eye_array(n_nodes, format="csc") * (2 * most + 1))
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return factors.perm_c.astype(np.int32)
