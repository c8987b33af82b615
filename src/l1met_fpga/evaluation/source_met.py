"""MET of other algorithms that the sources of the stores held, evaluated beside the baselines."""

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import numpy as np

from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import FloatArray

__all__ = ["with_source_met"]

_log = logging.getLogger(__name__)


def with_source_met(
    samples: Sequence[Sample],
    source_met_xy_gev: Sequence[Mapping[str, FloatArray]],
    *,
    taken: Container[str],
) -> tuple[list[Sample], list[str]]:
    """Add to every sample the algorithms that all of them have for every event.

    Args:
        samples: Samples.
        source_met_xy_gev: MET by algorithm of the same events, one dict per sample.
        taken: Names of other estimates, which keep them.

    Returns:
        The samples, and the names that were added.
    """
    names = dict.fromkeys(name for held in source_met_xy_gev for name in held)
    usable = [
        name
        for name in names
        if name not in taken
        and all(name in held and np.isfinite(held[name]).all() for held in source_met_xy_gev)
    ]
    left_out = [name for name in names if name not in usable]
    if left_out:
        _log.warning(
            "%s: not in every sample for every event, or the name of another estimate; left out",
            ", ".join(left_out),
        )
    wider = [
        replace(sample, met_xy_gev=sample.met_xy_gev | {name: held[name] for name in usable})
        for sample, held in zip(samples, source_met_xy_gev, strict=True)
    ]
    return wider, usable
