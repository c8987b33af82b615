"""What a file holds, as figures from exact histograms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.totals import Totals
from l1met_fpga.data.truth import Quantity
from l1met_fpga.puppi.columns import STORED_COLUMNS, ParticleId

__all__ = ["ColumnRange", "Composition", "Inspection"]


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """Codes of one column over all candidates, in physical units.

    Attributes:
        lowest: Smallest value.
        median: Middle value.
        highest: Largest value.
        unit: Unit of the three, empty for codes and fractions.
    """

    lowest: float
    median: float
    highest: float
    unit: str


@dataclass(frozen=True, slots=True)
class Composition:
    """Candidates of one particle type.

    Attributes:
        per_event: Mean number per event.
        fraction: Of all candidates.
        pt_fraction: Of the scalar sum of pt.
        median_pt_gev: Middle pt, GeV.
    """

    per_event: float
    fraction: float
    pt_fraction: float
    median_pt_gev: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds.

    Attributes:
        path: File name.
        format: ``store``, ``root``, ``words``, ``l1metml`` or ``l1deepmet``.
        about: What a store says about itself (label, order, seed of the parts ...).
        totals: Histograms over all events.
        parts: Events per part of a store, empty for other files.
        counts: What reading or converting changed or dropped.
        problems: One sentence each, empty if all is well.
    """

    path: str
    format: str
    about: dict[str, str]
    totals: Totals
    parts: dict[str, int]
    counts: dict[str, int]
    problems: tuple[str, ...]

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.totals.n_events

    def ranges(self) -> dict[str, ColumnRange]:
        """Return the range of each column of the file."""
        result = {}
        for name, histogram in self.totals.codes.items():
            column = STORED_COLUMNS[name]
            values = (np.arange(histogram.size) + column.type.min_code) * column.lsb
            low, middle, high = _quantiles(values, histogram, (0.0, 0.5, 1.0))
            result[name] = ColumnRange(low, middle, high, column.unit)
        return result

    def composition(self) -> dict[ParticleId, Composition]:
        """Return the share of each particle type, all of them, also where there is none."""
        histograms = self.totals.pt_by_pid
        pt_gev = np.arange(histograms.shape[1]) * STORED_COLUMNS["pt"].lsb
        n_all = max(int(histograms.sum()), 1)
        sum_pt_gev = max(float(histograms.sum(axis=0) @ pt_gev), STORED_COLUMNS["pt"].lsb)
        return {
            pid: Composition(
                per_event=int(row.sum()) / max(self.n_events, 1),
                fraction=int(row.sum()) / n_all,
                pt_fraction=float(row @ pt_gev) / sum_pt_gev,
                median_pt_gev=_quantiles(pt_gev, row, (0.5,))[0],
            )
            for pid, row in zip(ParticleId, histograms, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what has no value (a median of nothing) is ``null``."""
        ranges = {
            name: {"lowest": r.lowest, "median": r.median, "highest": r.highest, "unit": r.unit}
            for name, r in self.ranges().items()
        }
        composition = {
            pid.name.lower(): {
                "per_event": c.per_event,
                "fraction": c.fraction,
                "pt_fraction": c.pt_fraction,
                "median_pt_gev": c.median_pt_gev,
            }
            for pid, c in self.composition().items()
        }
        used = int(np.flatnonzero(self.totals.multiplicity)[-1]) + 1 if self.n_events else 0
        summary: dict[str, Any] = _without_nan(
            {
                "path": self.path,
                "format": self.format,
                "about": self.about,
                "events": self.n_events,
                "candidates": int(self.totals.pt_by_pid.sum()),
                "parts": self.parts,
                "counts": self.counts,
                "truths": {
                    name: {"events": sizes.n, "mean_gev": sizes.mean_gev}
                    for name, sizes in self.totals.truths.items()
                    if Quantity.named(name).unit == "gev"
                },
                "sums_of_candidates": {
                    kind: {"mean_gev": sizes.mean_gev} for kind, sizes in self.totals.sums.items()
                },
                "ranges": ranges,
                "composition": composition,
                "multiplicity": self.totals.multiplicity[:used].tolist(),
                "problems": list(self.problems),
            }
        )
        return summary


def _quantiles(
    values: npt.NDArray[np.floating], histogram: npt.NDArray[np.int64], at: Sequence[float]
) -> list[float]:
    """Return quantiles of a histogram over exact values; NaN where it is empty."""
    below = np.cumsum(histogram)
    if not histogram.size or below[-1] == 0:
        return [float("nan")] * len(at)
    ranks = [min(int(fraction * below[-1]), int(below[-1]) - 1) for fraction in at]
    return [float(values[np.searchsorted(below, rank, side="right")]) for rank in ranks]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value
