"""Benchmarks: ratios to a named peer in the same run, never a timed test."""
