"""What an estimate is, and whether it can be one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.metrics.arrays import magnitude_gev
from l1met_fpga.metrics.binning import MIN_EVENTS
from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.tasks.task import Task

__all__ = ["Estimate", "odd_responses"]

_POSSIBLE_RESPONSE: Final = (0.2, 5.0)
"""An estimate in GeV lies well inside, trained or not."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an estimate is.

    Attributes:
        kind: A baseline, a network of this package, or one read from a file.
        title: Text in legends and tables.
        form: ``float``, ``quantized``, ``hls_csim``, ... of a network.
        network: Digest of the ``network.json`` beside that form.
        calibration: How the size is told in the word for the global trigger, if it is corrected.
    """

    kind: Literal["baseline", "network", "file"]
    title: str
    form: str | None = None
    network: str | None = None
    calibration: SizeCalibration | None = None


def odd_responses(
    samples: Iterable[Sample],
    estimates: Mapping[str, Estimate],
    task: Task,
    range_gev: tuple[float, float],
) -> Iterator[str]:
    """Name estimates from files whose size or direction cannot be that of the truth.

    Rates and efficiencies do not show a wrong sign, unit or angle; the response does. It is the
    ratio of means, ``<u . q/|q|> / <|q|>``, for truth in ``range_gev``.
    """
    (low, high), words = range_gev, task.words
    for sample in samples:
        q = task.vector(sample.truth)
        size = magnitude_gev(q)
        inside = (size >= low) & (size < high)
        if inside.sum() < MIN_EVENTS:
            continue
        direction = q[inside] / size[inside, None]
        for name, about in estimates.items():
            u = task.vector(sample.estimates[name])[inside]
            response = float(np.einsum("ij,ij->i", u, direction).mean() / size[inside].mean())
            if about.kind == "file" and not (
                _POSSIBLE_RESPONSE[0] <= response <= _POSSIBLE_RESPONSE[1]
            ):
                yield (
                    f"{name} in {sample.label}: the response at {words.truth_long} of {low:g} to "
                    f"{high:g} {words.unit} is {response:.3g}, which no {words.score} has; check "
                    f"{task.files.hint}."
                )
