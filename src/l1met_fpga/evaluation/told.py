"""Response of the size that a network tells the global trigger, where it carries a calibration."""

from collections.abc import Mapping

import numpy as np

from l1met_fpga.evaluation.estimates import Estimate
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import FloatArray, magnitude_gev
from l1met_fpga.metrics.binning import MIN_EVENTS, Bins
from l1met_fpga.metrics.projection import project
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.results.metrics import Series
from l1met_fpga.tasks.task import Task

__all__ = ["told_responses"]


def told_responses(
    sample: Sample, task: Task, estimates: Mapping[str, Estimate], bins: Bins
) -> dict[str, Series]:
    """Return the mean response in bins of the truth, with the told size in place of the network's.

    Args:
        sample: A signal sample.
        task: What is estimated.
        estimates: Those with a calibration are taken.
        bins: Of the truth.
    """
    truth = task.vector(sample.truth)
    return {
        name: _response(task.vector(sample.estimates[name]), truth, about.calibration, bins)
        for name, about in estimates.items()
        if about.calibration is not None
    }


def _response(u: FloatArray, q: FloatArray, line: SizeCalibration, bins: Bins) -> Series:
    size = magnitude_gev(u)
    told = (
        u * np.divide(line.told_gev(size), size, out=np.zeros_like(size), where=size > 0)[:, None]
    )
    seen = project(told, q)
    place = bins.index(seen.gen_gev)
    found = [
        _mean(seen.parallel_gev[place == k], seen.gen_gev[place == k]) for k in range(len(bins))
    ]
    return Series(value=[value for value, _ in found], error=[error for _, error in found])


def _mean(along: FloatArray, truth: FloatArray) -> tuple[float | None, float | None]:
    """Return the ratio of means and its error."""
    if len(truth) < MIN_EVENTS:
        return None, None
    ratio = along.mean() / truth.mean()
    spread = (along - ratio * truth).std() / truth.mean()
    return float(ratio), float(spread / np.sqrt(len(truth)))
