"""The inner loops, compiled by numba; the only place that imports it.

All of them work on ranks: the numbers of the nodes in the order of contraction. An edge of the hierarchy belongs
to its lower end; the edges of rank ``v`` are ``first[v]`` to ``first[v + 1]``, their upper ends ``head`` ascending.
Sums are cast back to 32 bits, because numba would widen them and halve the lanes of a vector instruction. Arrays are
made by the caller and filled by loops, because that takes numba a third of the time to compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_u32 = np.uint32
_NEVER = np.uint32(2**31 - 1)


def _kernel(function: F) -> F:
    """Compile at the first call, without the interpreter's lock, and keep the machine code on disk where possible."""
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # there is no folder that can be written
        return cast(F, numba.njit(nogil=True)(function))


@_kernel
def eliminate(first, adjacent, child, sibling, seen, first_up, head):  # type: ignore[no-untyped-def]
    """Contract the nodes one after the other: join all upper neighbours of each.

    The first upper neighbour of a node inherits the others, so a node's upper neighbours are its own and those of its
    children in the elimination tree. `child`, `sibling` and `seen` begin as -1 for each node. Fills `first_up`; returns
    the upper ends, in `head` or a longer copy of it.
    """
    n = len(first) - 1
    size = 0
    for v in range(n):
        first_up[v] = size
        if size + n > len(head):
            longer = np.empty(2 * len(head) + n, np.int32)
            for e in range(size):
                longer[e] = head[e]
            head = longer
        lowest = n
        for e in range(first[v], first[v + 1]):
            u = adjacent[e]
            if u > v and seen[u] != v:
                seen[u] = v
                head[size] = u
                size += 1
                lowest = min(lowest, u)
        c = child[v]
        while c >= 0:
            for e in range(first_up[c], first_up[c + 1]):
                u = head[e]
                if u > v and seen[u] != v:
                    seen[u] = v
                    head[size] = u
                    size += 1
                    lowest = min(lowest, u)
            c = sibling[c]
        if lowest < n:
            sibling[v] = child[lowest]
            child[lowest] = v
        first_up[v + 1] = size
    return head


@_kernel
def postorder(parent, size, free, new):  # type: ignore[no-untyped-def]
    """Fill `new` with ranks that give every subtree a run of numbers, so that a sweep finds what is above in the cache.

    `size` begins as 1 for each node.
    """
    n = len(parent)
    for v in range(n):
        if parent[v] >= 0:
            size[parent[v]] += size[v]
    free_for_roots = n - 1
    for v in range(n - 1, -1, -1):
        if parent[v] >= 0:
            new[v] = free[parent[v]]
            free[parent[v]] -= size[v]
        else:
            new[v] = free_for_roots
            free_for_roots -= size[v]
        free[v] = new[v] - 1


@_kernel
def relax_lower(first, head, first_low, tail, edge, up, down, up_to, down_from):  # type: ignore[no-untyped-def]
    """Give every edge the best way through a common lower neighbour of its ends (basic customisation).

    ``edge[first_low[v]:first_low[v + 1]]`` are the edges to `v` from its lower neighbours ``tail``. `up` and `down`
    hold the weights along an edge and against it; `up_to` and `down_from` have room for one of each node.
    """
    n = len(first) - 1
    for v in range(n):
        for e in range(first[v], first[v + 1]):
            up_to[head[e]] = up[e]
            down_from[head[e]] = down[e]
        for i in range(first_low[v], first_low[v + 1]):
            low = edge[i]
            to_v = up[low]
            from_v = down[low]
            for e in range(low + 1, first[tail[i] + 1]):
                u = head[e]
                up_to[u] = min(up_to[u], _u32(from_v + up[e]))
                down_from[u] = min(down_from[u], _u32(down[e] + to_v))
        for e in range(first[v], first[v + 1]):
            up[e] = up_to[head[e]]
            down[e] = down_from[head[e]]


@_kernel
def relax_upper(first, head, first_low, tail, edge, up, down, up_to, down_from):  # type: ignore[no-untyped-def]
    """Give every edge the best way through a common higher neighbour too (perfect customisation).

    From the top down, so that the edge between two higher nodes is exact before a lower one needs it.
    """
    n = len(first) - 1
    for v in range(n - 1, -1, -1):
        for e in range(first[v], first[v + 1]):
            up_to[head[e]] = up[e]
            down_from[head[e]] = down[e]
        for i in range(first_low[v], first_low[v + 1]):
            low = edge[i]
            to_v = up[low]
            from_v = down[low]
            for e in range(low + 1, first[tail[i] + 1]):
                u = head[e]
                to_u = up[e]
                from_u = down[e]
                up[e] = min(to_u, _u32(to_v + up_to[u]))
                down[e] = min(from_u, _u32(down_from[u] + from_v))
                to_v = min(to_v, _u32(to_u + down_from[u]))
                from_v = min(from_v, _u32(up_to[u] + from_u))
            up[low] = to_v
            down[low] = from_v


@_kernel
def prune(first, head, basic, perfect, kept_first, kept_head, kept_weight):  # type: ignore[no-untyped-def]
    """Keep the edges that no way through a higher node beats; ``kept_first[0]`` is 0 before."""
    n = len(first) - 1
    size = 0
    for v in range(n):
        for e in range(first[v], first[v + 1]):
            if basic[e] == perfect[e] and basic[e] < _NEVER:
                kept_head[size] = head[e]
                kept_weight[size] = basic[e]
                size += 1
        kept_first[v + 1] = size


@_kernel
def mark_ancestors(parent, ranks, marked):  # type: ignore[no-untyped-def]
    """Mark what lies above `ranks` in the elimination tree, themselves included."""
    for i in range(len(ranks)):
        v = ranks[i]
        while v >= 0 and not marked[v]:
            marked[v] = True
            v = parent[v]


@_kernel
def search(places, offsets, above, climbing, ranks, rows, sweeping, reach, stamp, batch, found, column):  # type: ignore[no-untyped-def]
    """Fill ``found[rows[i], column + place]`` with the shortest way between rank ``ranks[i]`` and each place.

    The places, each in a lane of `reach`, climb together over `above`, the ancestors of all of them, and then sweep
    down over `ranks` (PHAST). `climbing` and `sweeping` are edges as :func:`prune` keeps them. ``stamp[v]`` is the
    number of the batch that last wrote row `v` of `reach`, so that nothing is cleared between batches.
    """
    lanes = reach.shape[1]
    for i in range(len(above)):
        stamp[above[i]] = batch
        for lane in range(lanes):
            reach[above[i], lane] = _NEVER
    for place in range(places.shape[0]):
        for end in range(places.shape[1]):
            if places[place, end] >= 0:
                reach[places[place, end], place] = min(reach[places[place, end], place], offsets[place, end])
    _climb(above, climbing, reach)
    _sweep(ranks, rows, sweeping, reach, stamp, batch, found, column, column + len(places))


@_kernel
def _climb(ranks, edges, reach):  # type: ignore[no-untyped-def]
    """Relax the edges from each of `ranks`, ascending and closed under ancestors."""
    first, head, weight = edges
    lanes = reach.shape[1]
    for i in range(len(ranks)):
        row = reach[ranks[i]]
        for e in range(first[ranks[i]], first[ranks[i] + 1]):
            above = reach[head[e]]
            more = weight[e]
            for lane in range(lanes):
                above[lane] = min(above[lane], _u32(row[lane] + more))


@_kernel
def _sweep(ranks, rows, edges, reach, stamp, batch, found, start, stop):  # type: ignore[no-untyped-def]
    """Give each of `ranks`, descending and closed under ancestors, the best of its own way and those from above."""
    first, head, weight = edges
    lanes = reach.shape[1]
    for i in range(len(ranks)):
        v = ranks[i]
        row = reach[v]
        if stamp[v] != batch:
            for lane in range(lanes):
                row[lane] = _NEVER
        for e in range(first[v], first[v + 1]):
            above = reach[head[e]]
            more = weight[e]
            for lane in range(lanes):
                row[lane] = min(row[lane], _u32(above[lane] + more))
        if rows[i] >= 0:
            answer = found[rows[i]]
            for lane in range(stop - start):
                answer[start + lane] = row[lane]
