"""From figures to sites: criteria, constraints and the optimum."""
