"""Re-score and re-choose the embedded city after a change of weights, against spopt's p-median, unit by unit.

Run ``python -m benchmarks.rescore``. The peer solves the part of the problem that both share: the one and the two sites
of each unit that minimise the mean travel time (p = 1 and p = 2). It is given the same travel times and a sample of
the units, since it takes seconds for each; its time is scaled to all of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pulp
from spopt.locate import PMedian

from geo import Params, load_city, make_plan
from geo.choice.choose import choose_sites
from geo.plan import prepare
from geo.travel.access import UnitTimes

RUNS = 25
SAMPLE = 8


def median_ms(work: Callable[[int], object], runs: int) -> float:
    """Return the median of `runs` calls, in milliseconds."""
    seconds = []
    for run in range(runs):
        start = time.perf_counter()
        work(run)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


def weights_of(run: int) -> Params:
    """Return parameters whose weights differ from run to run."""
    return Params().with_values({"weights.size": (run % 10 + 1) / 10})


def solve_by_spopt(unit: UnitTimes) -> None:
    """Find the best one and the best two sites of a unit with spopt and CBC."""
    minutes = np.where(np.isfinite(unit.minutes), unit.minutes, 1e4)
    for n_sites in (1, 2):
        model = PMedian.from_cost_matrix(minutes, unit.population, p_facilities=n_sites)
        model.solve(pulp.PULP_CBC_CMD(msg=False))


def main() -> None:
    """Print the figures side by side."""
    city = load_city()
    prepared = prepare(city, Params())
    population = city.units["population"].to_numpy()

    def rescore(run: int) -> None:
        params = weights_of(run)
        choose_sites(prepared.options, prepared.options.scores(params.weights), population, params.choice)

    ours = median_ms(rescore, RUNS)
    whole = median_ms(lambda run: make_plan(city, weights_of(run)), RUNS)
    units = [unit for unit in prepared.times.units.values() if len(unit.site_ids) > 1]
    sample = units[:: max(1, len(units) // SAMPLE)][:SAMPLE]
    peer = sum(median_ms(lambda _, unit=unit: solve_by_spopt(unit), 1) for unit in sample) / len(sample) * len(units)
    n_sites, n_options = len(city.sites), len(prepared.options.unit)
    print(f"{n_sites} buildings, {len(population)} units, {n_options} single sites and pairs")
    print(f"re-score and re-choose the city        {ours:12.2f} ms")
    print(f"the same with every table of the plan  {whole:12.2f} ms")
    print(f"spopt p-median, p = 1 and 2, all units {peer:12.0f} ms (scaled from {len(sample)} units)")
    print(f"ratio spopt / re-score                 {peer / ours:12.0f}")


if __name__ == "__main__":
    main()
