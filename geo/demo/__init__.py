"""The embedded city: Hanoi, modelled from facts."""

from geo.demo.build import build_demo

__all__ = ["build_demo"]
