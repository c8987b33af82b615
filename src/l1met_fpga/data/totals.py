"""Histograms over all events of a file, filled batch by batch."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import BASELINES, N_BEFORE_CUT
from l1met_fpga.data.truth import CANDIDATE_SUMS, PUPPI_MET, Kind, Quantity, size_of
from l1met_fpga.puppi.columns import (
    COLUMNS,
    MAX_PUPPI_WEIGHT,
    STORED_COLUMNS,
    ParticleId,
)
from l1met_fpga.puppi.sums import event_sums
from l1met_fpga.puppi.words import CHARGED_ONLY, NEUTRAL_ONLY, is_charged

__all__ = ["BIN_GEV", "Histogram", "Sizes", "Totals"]

Histogram = npt.NDArray[np.int64]

BIN_GEV: Final = 1.0
_N_BINS: Final = 2048
_N_MULTIPLICITY_BINS: Final = 1024
_HARD_GEV: Final = 50.0
_FAR_GEV: Final = 1.0


def _zeros(*shape: int) -> Histogram:
    return np.zeros(shape, np.int64)


@dataclass(slots=True)
class Sizes:
    """Sizes of vectors, or numbers, that events have.

    Attributes:
        n: Events that have one.
        n_zero: Events where it is exactly zero.
        sum_gev: Sum of them.
        histogram: Events in bins of :data:`BIN_GEV`; the last bin is open.
    """

    n: int = 0
    n_zero: int = 0
    sum_gev: float = 0.0
    histogram: Histogram = field(default_factory=lambda: _zeros(_N_BINS))

    @property
    def mean_gev(self) -> float:
        """Mean, NaN where no event has one."""
        return self.sum_gev / self.n if self.n else float("nan")

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Count known values of either kind."""
        sizes = size_of(values)
        self.n += len(sizes)
        self.n_zero += int((sizes == 0).sum())
        self.sum_gev += float(sizes.sum())
        cell = np.minimum(sizes / BIN_GEV, _N_BINS - 1).astype(np.int64)
        self.histogram += np.bincount(cell, minlength=_N_BINS)


@dataclass(slots=True)
class Totals:
    """Exact sums over the events added so far.

    Attributes:
        n_events: Events.
        multiplicity: Events by number of candidates before truncation; the last bin is open.
        codes: Candidates by code, per column; the first bin is the type's smallest code. Only
            charged candidates count for ``z0``, ``dxy`` and ``quality``, only neutral ones for
            ``puppi_weight`` and ``em_id``.
        beyond: Candidates whose code does not fit the column's type, per column; in no histogram.
        pt_by_pid: Candidates by type and pt code, shape (8, 16384).
        charged_weights_not_one: Charged candidates with another weight than 1.
        truths: The truths by name, of the events that have them.
        sums: What the candidates add up to, by kind (:data:`~l1met_fpga.data.truth.CANDIDATE_SUMS`).
        n_with_source_sum: Untruncated events whose source gave the vector sum of its candidates.
        n_source_sum_far: Those where it is over 1 GeV from that of the candidates.
        n_hard: Events with a true vector above 50 GeV, by name of the truth.
        n_hard_backward: Those whose candidates' vector points away from it.
    """

    n_events: int = 0
    multiplicity: Histogram = field(default_factory=lambda: _zeros(_N_MULTIPLICITY_BINS))
    codes: dict[str, Histogram] = field(default_factory=dict)
    beyond: Counter[str] = field(default_factory=Counter)
    pt_by_pid: Histogram = field(
        default_factory=lambda: _zeros(len(ParticleId), COLUMNS["pt"].type.max_code + 1)
    )
    charged_weights_not_one: int = 0
    truths: dict[str, Sizes] = field(default_factory=dict)
    sums: dict[Kind, Sizes] = field(
        default_factory=lambda: {kind: Sizes() for kind in CANDIDATE_SUMS}
    )
    n_with_source_sum: int = 0
    n_source_sum_far: int = 0
    n_hard: Counter[str] = field(default_factory=Counter)
    n_hard_backward: Counter[str] = field(default_factory=Counter)

    def add(self, events: Examples) -> None:
        """Count events."""
        self.n_events += len(events)
        before = events.besides[N_BEFORE_CUT]
        self.multiplicity += np.bincount(
            np.minimum(before, _N_MULTIPLICITY_BINS - 1), minlength=_N_MULTIPLICITY_BINS
        )
        self._add_columns(events)
        sums = event_sums(events.columns, events.counts)
        for kind, values in sums.items():
            self.sums[kind].add(values)
        for name, values in events.truth.items():
            self._add_truth(name, values, sums)
        self._compare_source(events, sums["vector"])

    def _add_columns(self, events: Examples) -> None:
        pid, pt = events.columns["pid"], events.columns["pt"]
        charged = is_charged(pid)
        for name, column in events.columns.items():
            kind = STORED_COLUMNS[name].type
            codes = column.astype(np.int64) - kind.min_code
            if name in CHARGED_ONLY:
                codes = codes[charged]
            elif name in NEUTRAL_ONLY:
                codes = codes[~charged]
            n_codes = kind.max_code - kind.min_code + 1
            fits = (codes >= 0) & (codes < n_codes)
            self.beyond[name] += int((~fits).sum())
            counts = np.bincount(codes[fits], minlength=n_codes)
            self.codes[name] = self.codes.get(name, 0) + counts
        n_pid, n_pt = self.pt_by_pid.shape
        fits = (pid >= 0) & (pid < n_pid) & (pt >= 0) & (pt < n_pt)
        cells = pid[fits].astype(np.int64) * n_pt + pt[fits]
        cell = np.bincount(cells, minlength=self.pt_by_pid.size)
        self.pt_by_pid += cell.reshape(self.pt_by_pid.shape)
        weight = events.columns["puppi_weight"]
        self.charged_weights_not_one += int((weight[charged] != MAX_PUPPI_WEIGHT).sum())

    def _add_truth(
        self, name: str, values: npt.NDArray[np.float64], sums: dict[Kind, npt.NDArray[np.float64]]
    ) -> None:
        truth = Quantity.named(name)
        known = truth.is_known(values)
        self.truths.setdefault(name, Sizes()).add(values[known])
        if truth.kind == "vector":
            hard = known & (size_of(values) > _HARD_GEV)
            along = np.einsum("ij,ij->i", values[hard], sums["vector"][hard])
            self.n_hard[name] += int(hard.sum())
            self.n_hard_backward[name] += int((along < 0).sum())

    def _compare_source(self, events: Examples, vector: npt.NDArray[np.float64]) -> None:
        """Compare the source's sum of its candidates with that of those that are here."""
        claimed = events.besides.get(f"{BASELINES}{PUPPI_MET}")
        if claimed is None:
            return
        given = Quantity.named(PUPPI_MET).is_known(claimed)
        given &= events.counts == events.besides[N_BEFORE_CUT]
        distance = size_of(claimed[given].astype(np.float64) - vector[given])
        self.n_with_source_sum += int(given.sum())
        self.n_source_sum_far += int((distance > _FAR_GEV).sum())
