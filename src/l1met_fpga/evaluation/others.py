"""Other algorithms that the sources of the stores held, evaluated beside the baselines."""

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import numpy as np

from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.tasks.task import Heads

__all__ = ["with_others"]

_log = logging.getLogger(__name__)


def with_others(
    samples: Sequence[Sample], others: Sequence[Mapping[str, Heads]], *, taken: Container[str]
) -> tuple[list[Sample], list[str]]:
    """Add to every sample the algorithms that all of them have for every event.

    Args:
        samples: Samples.
        others: Heads by algorithm of the same events, one mapping per sample.
        taken: Names of other estimates, which keep them.

    Returns:
        The samples, and the names that were added.
    """
    names = dict.fromkeys(name for held in others for name in held)
    usable = [
        name
        for name in names
        if name not in taken and all(name in held and _known(held[name]) for held in others)
    ]
    left_out = [name for name in names if name not in usable]
    if left_out:
        _log.warning(
            "%s: not in every sample for every event, or the name of another estimate; left out",
            ", ".join(left_out),
        )
    wider = [
        replace(sample, estimates=sample.estimates | {name: held[name] for name in usable})
        for sample, held in zip(samples, others, strict=True)
    ]
    return wider, usable


def _known(heads: Heads) -> bool:
    return all(bool(np.isfinite(values).all()) for values in heads.values())
