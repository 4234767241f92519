from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from geo.merge.anneal import Forces, Potts, anneal

# A strip of atoms; W and E hold the ends, the group between them is to be divided.
#
#     +---+---+---+---+---+---+
#     | W | . | . | . | . | E |
#     +---+---+---+---+---+---+


def strip(n_between: int = 4, *, target: tuple[float, float] = (3, 3), **columns: list[float]) -> Potts:
    n = n_between + 2
    return Potts(
        group=np.array([0, *[1] * n_between, 2]),
        size=np.ones(n),
        tail=np.arange(n - 1),
        head=np.arange(1, n),
        length=np.full(n - 1, 0.3),
        option_group=np.array([0, 1, 1, 2]),
        option_label=np.array([0, 0, 1, 1]),
        cost=np.array(columns.get("cost", [0.0] * 4)),
        wanted=np.array(columns.get("wanted", [np.nan] * 4)),
        target=np.array(target, float),
    )


def energy(problem: Potts, option: NDArray[np.intp], forces: Forces) -> float:
    """Return the energy of a labelling, term by term as the module states it."""
    label = problem.option_label[option]
    of_group = np.bincount(problem.group, problem.size)
    share = np.bincount(option, problem.size, minlength=len(problem.cost)) / of_group[problem.option_group]
    free = problem.cost * share - forces.dominance * share**2 - forces.presence * np.log(share + forces.presence_floor)
    land = np.bincount(label, problem.size, minlength=len(problem.target))
    cut = label[problem.tail] != label[problem.head]
    return float(problem.length[cut].sum() + free.sum() + forces.area * np.abs(land / problem.target - 1).sum())


def test_a_strip_is_cut_once_where_the_areas_say() -> None:
    assert anneal(strip()).tolist() == [0, 1, 1, 2, 2, 3]
    assert anneal(strip(target=(2, 4))).tolist() == [0, 1, 2, 2, 2, 3]


def test_where_no_area_is_known_the_words_of_the_clause_decide() -> None:
    unknown = (np.nan, np.nan)
    assert np.bincount(anneal(strip(10, target=unknown, cost=[0, 4, 0, 0])))[1] == 1, "a small part of the land"
    assert np.bincount(anneal(strip(10, target=unknown, cost=[0, -4, 0, 0])))[1] == 9, "nearly all of it"


def test_no_option_goes_without_an_atom() -> None:
    assert set(anneal(strip(target=(1, 5)))) == {0, 1, 2, 3}


def test_a_given_share_outweighs_the_areas() -> None:
    option = anneal(strip(10, target=(2, 10), wanted=[1, 0.7, 0.3, 1]))
    assert np.bincount(option).tolist() == [1, 7, 3, 1]


@pytest.mark.parametrize("seed", range(8))
def test_the_energy_is_near_the_least_of_all_labellings(seed: int) -> None:
    """A grid of 4 x 4 atoms whose middle columns are free: 2 ** 8 labellings, each tried."""
    draw = np.random.default_rng(seed)
    place = np.arange(16).reshape(4, 4)
    tail = np.concatenate([place[:, :-1].ravel(), place[:-1].ravel()])
    head = np.concatenate([place[:, 1:].ravel(), place[1:].ravel()])
    group = np.tile([0, 1, 1, 2], 4)
    order = np.argsort(group, kind="stable")
    rank = np.argsort(order)
    problem = Potts(
        group=group[order],
        size=draw.uniform(0.5, 1.5, 16),
        tail=rank[tail],
        head=rank[head],
        length=draw.uniform(0.1, 0.5, len(tail)),
        option_group=np.array([0, 1, 1, 2]),
        option_label=np.array([0, 0, 1, 1]),
        cost=np.array([0, *draw.uniform(-1, 1, 2), 0]),
        wanted=np.full(4, np.nan),
        target=draw.uniform(6, 10, 2),
    )
    forces = Forces()
    found = energy(problem, anneal(problem, forces), forces)
    tried = [np.array([0] * 4 + list(middle) + [3] * 4) for middle in product([1, 2], repeat=8)]
    every = [energy(problem, option, forces) for option in tried]
    assert found <= np.quantile(every, 0.02), "better than 98 of 100 labellings"
