"""The worst cell of an evaluation: see :mod:`l1met_fpga.metrics.worst_cell`."""

from collections.abc import Iterator

from l1met_fpga.evaluation.summary import bin_text
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import WorstCell

__all__ = ["worst_cell", "worst_cell_text"]


def worst_cell(metrics: Metrics, name: str, reference: str = "table") -> WorstCell | None:
    """Return where an estimate is worst against another, None where no cell has an error.

    Args:
        metrics: Content of ``metrics.json``.
        name: Estimate in question.
        reference: What it is held against.
    """
    return min(_cells(metrics, name, reference), key=lambda one: one.in_errors, default=None)


def _cells(metrics: Metrics, name: str, reference: str) -> Iterator[WorstCell]:
    for label, found in metrics.trigger.items():
        for rate, row in found.efficiency.items():
            for key, cells in row.items():
                one = cells[name].difference.get(reference) if name in cells else None
                if one is not None and one.value is not None and one.error:
                    yield WorstCell(
                        sample=label, rate=rate, bin=key, difference=one,
                        in_errors=one.value / one.error,
                    )  # fmt: skip


def worst_cell_text(metrics: Metrics, cell: WorstCell) -> str:
    """Return a sentence such as ``-0.013 ± 0.010 in SAMPLE at 310 kHz, TRUTH 100-150 GeV``."""
    point = next(one for one in metrics.working_points if one.key == cell.rate)
    where = f"{cell.sample} at {point.title}, {metrics.words.truth} {bin_text(cell.bin)}"
    return f"{cell.difference.value:+.3f} ± {cell.difference.error:.3f} in {where}"
