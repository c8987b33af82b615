"""Bad days of the detector: what a fault does at the threshold that was right without it."""

from l1met_fpga.results.base import Measured, Result

__all__ = ["FaultedEfficiency", "FaultedEstimate", "Faults"]


class FaultedEfficiency(Result):
    """Efficiency in one bin of the truth.

    Attributes:
        efficiency: With the fault; the error is half the Clopper-Pearson interval.
        change: Minus that without the fault, paired.
    """

    efficiency: Measured
    change: Measured


class FaultedEstimate(Result):
    """What a fault does to one estimate.

    Attributes:
        rate_khz: Rate, with half the Clopper-Pearson interval; None where the fault is one of
            other samples without a pile-up-only one.
        growth: Over the rate without the fault, paired.
        efficiency: By signal sample and bin of the truth.
    """

    rate_khz: Measured | None
    growth: Measured | None
    efficiency: dict[str, dict[str, FaultedEfficiency]]


class Faults(Result):
    """Every bad day that was tried.

    Attributes:
        rate_khz: Rate of all estimates without a fault.
        thresholds_gev: Threshold that gives it, by estimate; None where ties allow none.
        seed: Seed of what is random.
        about: What each fault is, by its name.
        none: Without a fault, by estimate.
        days: By name of the fault and estimate.
    """

    rate_khz: float
    thresholds_gev: dict[str, float | None]
    seed: int
    about: dict[str, str]
    none: dict[str, FaultedEstimate]
    days: dict[str, dict[str, FaultedEstimate]]
