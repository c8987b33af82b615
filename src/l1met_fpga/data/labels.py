"""Sample labels that mean something to the program."""

from typing import Final

__all__ = ["BACKGROUND_LABELS"]

BACKGROUND_LABELS: Final = frozenset({"pileup", "minbias", "single_neutrino"})
"""Samples of pile-up-only events: rates come from these, resolutions do not."""
