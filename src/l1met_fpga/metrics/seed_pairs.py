"""Figures of several trainings that differ in the seed alone, and differences of two such sets, seed by seed.

A figure of a training scatters with its seed and with the events that it is measured on. The scatter of
the seeds is seen between them, that of the events by resampling them, the same ones for all trainings. The
seeds' scatter holds a part of the events' already (two networks disagree on few of them), so their sum
in quadrature is rather too large than too small.
"""

from dataclasses import dataclass

import numpy as np

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.bootstrap import spread

__all__ = ["SeedMean", "mean_over_seeds"]


@dataclass(frozen=True, slots=True)
class SeedMean:
    """Mean over seeds, with its errors; NaN where there is none.

    Attributes:
        value: The mean.
        error_seeds: Standard error of the mean by the scatter of the seeds; 0 of one seed.
        error_events: Standard deviation over resampled events.
    """

    value: float
    error_seeds: float
    error_events: float

    @property
    def error(self) -> float:
        """Both errors together."""
        return float(np.hypot(self.error_seeds, self.error_events))


def mean_over_seeds(values: FloatArray, resampled: FloatArray) -> SeedMean:
    """Return the mean of a figure, or of its difference between trainings of the same seeds.

    Args:
        values: One per seed, shape (n_seeds,).
        resampled: The same of resampled events, shape (n_samples, n_seeds).
    """
    n = len(values)
    seeds = float(np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else 0.0
    events = float(spread(resampled.mean(axis=1)))
    return SeedMean(float(np.mean(values)), seeds, events)
