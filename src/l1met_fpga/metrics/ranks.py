"""Ranks of scores, for areas under curves."""

import numpy as np

from l1met_fpga.metrics.arrays import FloatArray

__all__ = ["average_ranks"]


def average_ranks(values: FloatArray) -> FloatArray:
    """Return the rank of each value, from 1; equal values share the mean of their ranks.

    As ``scipy.stats.rankdata``, whose import takes a second: as long as the rest of a short command.

    Args:
        values: Shape (n,). One NaN makes every rank NaN.
    """
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: FloatArray = (last - (count - 1) / 2)[place]
    return ranks
