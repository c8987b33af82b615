"""Further studies of an evaluation: groups of events, fakes and misses."""

from l1met_fpga.results.base import Measured, Result

__all__ = ["ByBin", "GroupEfficiency", "Studies", "Tails"]


class GroupEfficiency(Result):
    """Efficiencies in one group of events and one bin of the truth, at the threshold for all events.

    Attributes:
        events: Events there.
        efficiency: By estimate; the error is half the Clopper-Pearson interval.
        difference: Of the subject to the others, paired, at the given thresholds.
    """

    events: int
    efficiency: dict[str, Measured]
    difference: dict[str, Measured]


class Tails(Result):
    """Shares of events whose calibrated estimate is far from the truth.

    Attributes:
        fakes: Above it.
        misses: Below it; None in pile-up-only events.
    """

    fakes: Measured
    misses: Measured | None


ByBin = dict[str, dict[str, GroupEfficiency]]
"""By group of events and bin of the truth."""


class Studies(Result):
    """Further studies, of the simplest and the best baseline and the networks.

    Attributes:
        classes: Efficiencies by study (``region``, ``pileup``), signal sample and working point.
        tails_beyond_gev: How far from the truth a tail begins.
        tails: By sample and estimate.
    """

    classes: dict[str, dict[str, dict[str, ByBin]]]
    tails_beyond_gev: float
    tails: dict[str, dict[str, Tails]]
