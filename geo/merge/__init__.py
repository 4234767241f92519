"""From old communes to new units: clauses, division, people, crosswalk and audit."""
