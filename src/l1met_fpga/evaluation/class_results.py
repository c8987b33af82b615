"""Figures of classes as ``metrics.json`` holds them; NaN becomes ``null``."""

from collections.abc import Iterable

import numpy as np

from l1met_fpga.evaluation.class_figures import ClassFiguresOf, OneEstimate
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.metrics.classes import difference
from l1met_fpga.results.base import Measured
from l1met_fpga.results.classes import ClassEfficiency, ClassFigures, ClassResult

__all__ = ["class_result"]


def class_result(found: ClassFiguresOf, primary: str | None) -> ClassResult:
    """Return the figures of a head.

    Args:
        found: The figures.
        primary: Estimate whose areas the others' are compared with.
    """
    subject = None if primary is None else found.estimates[primary]
    return ClassResult(
        examples=found.examples.tolist(),
        mistag=found.mistag,
        edges_gev=_numbers(found.bins.edges_gev),
        estimates={
            name: _figures(one, None if name == primary else subject)
            for name, one in found.estimates.items()
        },
    )


def _figures(one: OneEstimate, subject: OneEstimate | None) -> ClassFigures:
    return ClassFigures(
        area=[_measured(found.value, found.error) for found in one.areas],
        difference=None
        if subject is None
        else [
            _measured(*difference(mine, other))
            for mine, other in zip(subject.areas, one.areas, strict=True)
        ],
        pairs=_table(one.pairs),
        confusion=_table(one.confusion),
        at_mistag=[
            ClassEfficiency(
                efficiency=_numbers(tagged.value),
                efficiency_error=_numbers(tagged.error),
                mistag=_numbers(rest.value),
            )
            for tagged, rest in one.at_mistag
        ],
        response=[_measured(*found) for found in one.response],
        width=[_measured(*found) for found in one.width],
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [_number(value) for value in values]


def _table(values: FloatArray) -> list[list[float | None]]:
    return [_numbers(row) for row in values]


def _measured(value: float, error: float) -> Measured:
    return Measured(value=_number(value), error=_number(error))
