"""Choose a coupled city of 23,000 columns by integer programming, against spopt's p-median, unit by unit.

Run ``python -m benchmarks.choice``. Part one is a made-up city of the size of Hanoi's problem with every pair of 19
candidates a unit: 126 units, 23,940 columns, three caps that bind together (sites, former district offices, money).
Part two gives spopt the travel times of the embedded city: it finds the one and the two sites of each unit that
minimise the mean travel time (p = 1 and p = 2), which knows no cap at all, for a sample of the units, and its time is
scaled to all of them. Beside it stands the embedded city chosen by us under the same three caps.
"""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pandas as pd

from benchmarks.rescore import median_ms, solve_by_spopt
from geo import Params, load_city
from geo.choice.choose import Choice, choose_sites
from geo.choice.constraints import Limits, build_limits
from geo.choice.need import needs_of
from geo.choice.score import Options
from geo.params import ChoiceParams, ConstraintParams, Norms
from geo.plan import choose, prepare

N_UNITS, N_EACH = 126, 19
SAMPLE = 6
RUNS = 3


def made_up_city(seed: int) -> tuple[Options, np.ndarray, np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return options, scores, population, sites and needs of a city drawn at random."""
    draw = np.random.default_rng(seed)
    pairs = np.array(list(combinations(range(N_EACH), 2)))
    first = np.concatenate([np.arange(N_EACH), pairs[:, 0]])
    second = np.concatenate([np.full(N_EACH, -1), pairs[:, 1]])
    start = np.repeat(np.arange(N_UNITS) * N_EACH, len(first))
    first, second = np.tile(first, N_UNITS) + start, np.tile(second, N_UNITS)
    second = np.where(second < 0, -1, second + start)
    n_sites = N_UNITS * N_EACH
    area = draw.lognormal(6.5, 0.6, n_sites).round()
    quality = draw.uniform(0.3, 0.9, n_sites)
    share = np.where(second >= 0, area[second], 0) / 3000 + area[first] / 3000
    alone = quality[first] * 0.6 + 0.3 * np.minimum(1, share)
    scores = np.round(np.where(second >= 0, alone + 0.1 * quality[second] - 0.03, alone), 9)
    unit = np.repeat(np.arange(N_UNITS), N_EACH + len(pairs))
    options = Options(
        unit_ids=pd.Index([f"{u:03}" for u in range(N_UNITS)]),
        site_ids=pd.Index([f"S{s:04}" for s in range(n_sites)]),
        unit=unit,
        first=first,
        second=second,
        criteria=np.zeros((len(unit), 4)),
        usable_area_m2=area[first] + np.where(second >= 0, area[second], 0.0),
        penalty=np.zeros(len(unit)),
        minutes_between=np.where(second >= 0, 5.0, np.nan),
    )
    kind = np.where(draw.uniform(size=n_sites) < 0.1, "district_office", "commune_office")
    sites = pd.DataFrame(
        {"kind": kind, "hall_seats": 100.0, "parking_area_m2": 100.0, "known_area_m2": area, "priced_area_m2": area},
        index=options.site_ids,
    )
    units = pd.DataFrame({"population": 1.0, "kind": None, "staff": 76.0}, index=options.unit_ids)
    return options, scores, draw.integers(10_000, 130_000, N_UNITS).astype(float), sites, needs_of(units, Norms())


def tight_limits(options: Options, sites: pd.DataFrame, needs: pd.DataFrame, free: Choice) -> Limits:
    """Return caps that bind: nine tenths of the money and half of the district offices that the free choice uses."""
    loose = build_limits(
        options,
        sites,
        needs,
        choice=ChoiceParams(),
        constraints=ConstraintParams(max_district_offices=10**6, max_cost=10**12, cost_per_m2=1.5, cost_per_site=200),
    )
    used = {cap.key: float(cap.use[free.chosen].sum()) for cap in loose.caps}
    constraints = ConstraintParams(
        max_district_offices=int(used["max_district_offices"] / 2),
        max_cost=0.9 * used["max_cost"],
        cost_per_m2=1.5,
        cost_per_site=200,
    )
    return build_limits(options, sites, needs, choice=ChoiceParams(max_sites=200), constraints=constraints)


def main() -> None:
    """Print the figures side by side."""
    seconds = []
    for seed in range(RUNS):
        options, scores, population, sites, needs = made_up_city(seed)
        free = choose_sites(options, scores, population, ChoiceParams())
        limits = tight_limits(options, sites, needs, free)
        start = time.perf_counter()
        choice = choose_sites(options, scores, population, ChoiceParams(max_sites=200), limits=limits)
        seconds.append(time.perf_counter() - start)
        print(
            f"made-up city {seed}: {len(options.unit)} columns, {len(limits.caps)} caps, {choice.method}, "
            f"gap {choice.gap:.0e}, objective {choice.objective:.6f}, {seconds[-1]:.2f} s"
        )
    city = load_city()
    prepared = prepare(city, Params())
    params = Params().with_values(
        {
            "choice.max_sites": 200,
            "constraints.max_district_offices": 8,
            "constraints.max_cost": 350_000,
            "constraints.cost_per_m2": 1.5,
            "constraints.cost_per_site": 200,
        }
    )
    embedded = prepared.options.scores(params.weights)
    ours = median_ms(lambda _: choose(city, prepared, embedded, params), RUNS)
    all_units = [unit for unit in prepared.times.units.values() if len(unit.site_ids) > 1]
    sample = all_units[:: max(1, len(all_units) // SAMPLE)][:SAMPLE]
    peer = (
        sum(median_ms(lambda _, unit=unit: solve_by_spopt(unit), 1) for unit in sample) / len(sample) * len(all_units)
    )
    made = choose(city, prepared, embedded, params)
    print(f"embedded city, {len(prepared.options.unit)} columns, 3 caps, {made.method}: {ours / 1000:8.2f} s")
    print(
        f"spopt p-median, p = 1 and 2, no caps     {peer / 1000:12.1f} s "
        f"(scaled from {len(sample)} of {len(all_units)} units)"
    )
    print(f"ratio spopt / ours                       {peer / ours:12.0f}")
    print(f"slowest of the made-up cities            {max(seconds):12.2f} s")


if __name__ == "__main__":
    main()
