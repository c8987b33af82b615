"""``scan.json``: the trials of ``l1met scan``."""

from typing import Any

from l1met_fpga.results.base import Result

__all__ = ["Scan", "Trial", "TrialCell"]


class TrialCell(Result):
    """Where a trial is worst against the weight table, on the validation part.

    Attributes:
        sample: Signal sample.
        rate_khz: Rate.
        low_gev: Lower end of the truth.
        high_gev: Upper end; None where it is open.
        difference: Of the efficiencies, trial minus table.
        error: Its paired error.
        in_errors: The difference over its error.
    """

    sample: str
    rate_khz: float
    low_gev: float
    high_gev: float | None
    difference: float
    error: float
    in_errors: float

    @property
    def text(self) -> str:
        """Cell of a table, such as ``-1.3 errors (znunu, 310 kHz, 100-150)``."""
        low, high = self.low_gev, self.high_gev
        truth = f"above {low:g}" if high is None else f"{low:g}-{high:g}"
        return f"{self.in_errors:+.1f} errors ({self.sample}, {self.rate_khz:.3g} kHz, {truth})"


class Trial(Result):
    """One trained trial.

    Attributes:
        number: Trial number.
        parameters: What was proposed.
        score: What it is best in (``scan.score``); more is better.
        efficiency: Mean over signal samples at equal rate, in the first bin of the evaluation.
        luts: Cost.
        figures: All validation figures that could be measured.
        worst: Where it is worst against the weight table; None where that could not be measured.
        pareto: Whether no other trial has a better score at the same or lower cost.
    """

    number: int
    parameters: dict[str, Any]
    score: float
    efficiency: float
    luts: float
    figures: dict[str, float]
    worst: TrialCell | None
    pareto: bool = False


class Scan(Result):
    """All trials, in the order of their numbers."""

    trials: list[Trial]
