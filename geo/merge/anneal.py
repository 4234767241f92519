"""Mean-field annealing of a Potts model: labels for atoms of land, such that each label is compact and of given size.

The energy of a labelling is the length of the lines between different labels, plus what each label costs an atom, plus
what the sums by group and the sums by label cost. Its Gibbs distribution is approximated by independent atoms, whose
probabilities are iterated to self-consistency while the temperature falls (Peterson & Söderberg, Int. J. Neural Syst. 1
(1989) 3-22; Hofmann & Buhmann, IEEE PAMI 19 (1997) 1-14). Then single atoms move while the energy falls. The result is
a local optimum; no random number is drawn, so the same input gives the same labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

#: Temperatures, in the units of the energy, from where all labels are nearly even to where one of them has won.
_HOT, _COLD = 0.5, 0.02
#: Below this temperature the labels have settled: the mean over it is steadier than the last state.
_SETTLED = 0.08
_SWEEPS = 400
#: Share of the old probabilities that a sweep replaces; all at once would swing to and fro.
_STEP = 0.5
#: Rounds of single moves at the end, and the least that one must gain.
_DESCENTS, _LEAST_GAIN = 200, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Potts:
    """A labelling problem. Every atom chooses among the options of its group; an option stands for a label.

    Attributes
    ----------
    group : ndarray of int, shape (n_atoms,)
    size : ndarray of float64, shape (n_atoms,)
        Land of each atom, in the units of `target`.
    tail, head : ndarray of int, shape (n_edges,)
        Neighbouring atoms, each pair once.
    length : ndarray of float64, shape (n_edges,)
        Energy of a line between the two, where their labels differ.
    option_group, option_label : ndarray of int, shape (n_options,)
        Sorted by group; every group has an option, and a label occurs once in a group.
    cost : ndarray of float64, shape (n_options,)
        Energy of giving the whole group to the option.
    wanted : ndarray of float64, shape (n_options,)
        Share of its group that the option should get, NaN where free.
    target : ndarray of float64, shape (n_labels,)
        Land that each label should get, NaN where free.
    """

    group: NDArray[np.intp]
    size: NDArray[np.float64]
    tail: NDArray[np.intp]
    head: NDArray[np.intp]
    length: NDArray[np.float64]
    option_group: NDArray[np.intp]
    option_label: NDArray[np.intp]
    cost: NDArray[np.float64]
    wanted: NDArray[np.float64]
    target: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forces:
    """Weights of the terms of the energy: modelling assumptions, see ``docs/method.md``.

    Attributes
    ----------
    area : float
        Energy of a label whose land is off by all of its target.
    highest_price : float
        Of a label's land while it cools; less than `area`, because dear land swings to and fro between labels.
    rate : float
        How fast the price of a label's land, or of a wanted share, follows its error, a sweep: dual ascent.
    dominance : float
        Gain where one option takes the whole of its group: most divided groups go nearly whole to one.
    presence, presence_floor : float
        Cost ``-presence * log(share + floor)`` of an option with little of its group: each was named for some land.
    wanted : float
        Energy of a share that is off by the whole group.
    """

    area: float = 15.0
    highest_price: float = 10.0
    rate: float = 8.0
    dominance: float = 0.8
    presence: float = 0.2
    presence_floor: float = 0.005
    wanted: float = 100.0


def anneal(problem: Potts, forces: Forces | None = None) -> NDArray[np.intp]:
    """Return the option that each atom takes, shape (n_atoms,)."""
    field = _Field(problem, forces or Forces())
    probability = 1 / field.n_options[field.atom]
    settled = np.zeros_like(probability)
    for temperature in np.geomspace(_HOT, _COLD, _SWEEPS):
        probability += _STEP * (field.softmax(field.energy(probability), temperature) - probability)
        if temperature < _SETTLED:
            settled += probability
    return field.descend(field.best(settled))


class _Field:
    """The mean field. A state is a pair (atom, option); states are sorted by atom, then option."""

    def __init__(self, problem: Potts, forces: Forces) -> None:
        first_option = np.searchsorted(problem.option_group, problem.group)
        self.n_options = np.bincount(problem.option_group)[problem.group]
        self.first = np.cumsum(self.n_options) - self.n_options
        self.atom = np.repeat(np.arange(len(problem.group)), self.n_options)
        self.option = first_option[self.atom] + np.arange(len(self.atom)) - self.first[self.atom]
        self.label = problem.option_label[self.option]
        self.size = problem.size[self.atom]
        of_group = _sums(problem.group, problem.size, problem.option_group[-1] + 1)
        with np.errstate(invalid="ignore"):
            self.share = np.nan_to_num(problem.size / of_group[problem.group])[self.atom]
        self.problem, self.forces = problem, forces
        self.price = np.zeros(len(problem.target))
        self.share_price = np.zeros(len(problem.cost))
        self.touching = self._touching()

    def _touching(self) -> csr_matrix:
        """Return the length of the line that each state shares with each other of the same label."""
        problem, n_labels = self.problem, len(self.problem.target)
        tail = np.concatenate([problem.tail, problem.head])
        head = np.concatenate([problem.head, problem.tail])
        edge = np.repeat(np.arange(len(tail)), self.n_options[tail])
        state = self.first[tail[edge]] + np.arange(len(edge)) - np.searchsorted(edge, edge)
        key = self.atom * n_labels + self.label
        order = np.argsort(key)
        sought = head[edge] * n_labels + self.label[state]
        other = order[np.minimum(np.searchsorted(key[order], sought), len(key) - 1)]
        same = key[other] == sought
        length = np.concatenate([problem.length, problem.length])[edge]
        return csr_matrix((length[same], (state[same], other[same])), shape=(len(key), len(key)))

    def energy(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energy of each state in the mean field of the others, and let the prices follow."""
        problem, forces = self.problem, self.forces
        share = _sums(self.option, probability * self.share, len(problem.cost))
        free = problem.cost - 2 * forces.dominance * share - forces.presence / (share + forces.presence_floor)
        share_price = self.share_price + forces.rate * np.nan_to_num(share - problem.wanted)
        self.share_price = np.clip(share_price, -forces.wanted, forces.wanted)
        of_option = np.where(np.isnan(problem.wanted), free, self.share_price)
        land = _sums(self.label, probability * self.size, len(problem.target))
        price = self.price + forces.rate * np.nan_to_num(land / problem.target - 1)
        self.price = np.clip(price, -forces.highest_price, forces.highest_price)
        of_label = np.nan_to_num(self.price / problem.target)
        return self.share * of_option[self.option] + self.size * of_label[self.label] - self.touching @ probability

    def softmax(self, energy: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
        """Return the probability of each state among those of its atom."""
        logit = -energy / temperature
        weight = np.exp(logit - np.maximum.reduceat(logit, self.first)[self.atom])
        probability: NDArray[np.float64] = weight / np.add.reduceat(weight, self.first)[self.atom]
        return probability

    def best(self, probability: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the most probable option of each atom, the first of equals; no option goes without an atom.

        One that would takes the atom where it is most probable, of those whose option has another.
        """
        top = np.maximum.reduceat(probability, self.first)
        is_top = np.flatnonzero(probability == top[self.atom])
        best: NDArray[np.intp] = self.option[is_top[np.searchsorted(self.atom[is_top], np.arange(len(top)))]]
        n_atoms = np.bincount(best, minlength=len(self.problem.cost))
        for missing in np.flatnonzero((n_atoms == 0) & ~(self.problem.wanted == 0)):
            states = np.flatnonzero((self.option == missing) & (n_atoms[best[self.atom]] > 1))
            if len(states):
                atom = self.atom[states[np.argmax(probability[states])]]
                n_atoms[best[atom]] -= 1
                best[atom], n_atoms[missing] = missing, 1
        return best

    def descend(self, best: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return `best` after moving atoms, the most gainful first, until no move of one atom lowers the energy."""
        best = best.copy()
        for _ in range(_DESCENTS):
            gain = self._gains(best)
            moves = np.flatnonzero(gain > _LEAST_GAIN)
            if not len(moves):
                break
            touched: set[int] = set()
            groups: set[int] = set()
            for state in moves[np.argsort(-gain[moves], kind="stable")].tolist():
                atom = self.atom[state]
                labels = {int(self.label[state]), int(self.problem.option_label[best[atom]])}
                group = int(self.problem.group[atom])
                if touched.isdisjoint(labels) and group not in groups:  # so that the gains still hold
                    best[atom] = self.option[state]
                    touched |= labels
                    groups.add(group)
        return best

    def _gains(self, best: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return by how much the energy falls if the atom of each state moves there; 0 where it may not."""
        is_here = self.option == best[self.atom]
        here = np.flatnonzero(is_here)
        beside = self.touching @ is_here.astype(float)
        source, bit = here[self.atom], self.share
        share = _sums(best, self.share[here], len(self.problem.cost))[self.option]
        land = _sums(self.label[here], self.size[here], len(self.problem.target))[self.label]
        leaving = self._state_energy(source, share[source], land[source]) - self._state_energy(
            source, share[source] - bit, land[source] - self.size
        )
        entering = self._state_energy(slice(None), share, land) - self._state_energy(
            slice(None), share + bit, land + self.size
        )
        gain = beside - beside[source] + leaving + entering
        is_last = np.bincount(best, minlength=len(self.problem.cost))[self.option[source]] == 1
        return np.where(is_here | is_last, 0.0, gain)

    def _state_energy(
        self, states: NDArray[np.intp] | slice, share: NDArray[np.float64], land: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the energy of the option and of the label of `states` that have this share and this land."""
        problem, forces = self.problem, self.forces
        wanted = problem.wanted[self.option[states]]
        free = problem.cost[self.option[states]] * share - forces.dominance * share**2
        free -= forces.presence * np.log(np.maximum(share, 0) + forces.presence_floor)
        of_option = np.where(np.isnan(wanted), free, forces.wanted * np.abs(share - wanted))
        off = np.abs(land / problem.target[self.label[states]] - 1)
        of_label: NDArray[np.float64] = forces.area * np.nan_to_num(off)
        return of_option + of_label


def _sums(key: NDArray[np.intp], value: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the sum of `value` for each key below `n`."""
    return np.asarray(np.bincount(key, value, minlength=n), float)
