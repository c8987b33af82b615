"""Histograms over all events of a file, filled batch by batch."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.batch import EventBatch
from l1met_fpga.puppi.columns import (
    COLUMNS,
    MAX_PUPPI_WEIGHT,
    ParticleId,
)
from l1met_fpga.puppi.sums import ragged_met_xy_gev
from l1met_fpga.puppi.words import CHARGED_ONLY, NEUTRAL_ONLY, is_charged

__all__ = ["MET_BIN_GEV", "Histogram", "Totals"]

Histogram = npt.NDArray[np.int64]

MET_BIN_GEV: Final = 1.0
_N_MET_BINS: Final = 2048
_N_MULTIPLICITY_BINS: Final = 1024
_HARD_MET_GEV: Final = 50.0
_FAR_GEV: Final = 1.0


def _zeros(*shape: int) -> Histogram:
    return np.zeros(shape, np.int64)


@dataclass(slots=True)
class Totals:
    """Exact sums over the events added so far.

    Attributes:
        n_events: Events.
        n_with_gen_met: Events with a generator MET.
        multiplicity: Events by number of candidates before truncation; the last bin is open.
        codes: Candidates by code, per column; the first bin is the type's smallest code. Only
            charged candidates count for ``z0``, ``dxy`` and ``quality``, only neutral ones for
            ``puppi_weight`` and ``em_id``.
        beyond: Candidates whose code does not fit the column's type, per column; in no histogram.
        pt_by_pid: Candidates by type and pt code, shape (8, 16384).
        charged_weights_not_one: Charged candidates with another weight than 1.
        gen_met: Events by generator MET in bins of :data:`MET_BIN_GEV`; the last bin is open.
        puppi_met: Events by MET of the candidates, the same.
        n_zero_gen_met: Events whose generator MET is exactly zero.
        gen_met_sum_gev: Sum of the generator MET of all events.
        puppi_met_sum_gev: Sum of the MET of the candidates of all events.
        n_with_source_met: Untruncated events whose source gave a PUPPI MET.
        n_source_met_far: Those where it is over 1 GeV from the MET of the candidates.
        n_hard: Events with generator MET above 50 GeV.
        n_hard_backward: Those whose candidates' MET points away from it.
    """

    n_events: int = 0
    n_with_gen_met: int = 0
    multiplicity: Histogram = field(default_factory=lambda: _zeros(_N_MULTIPLICITY_BINS))
    codes: dict[str, Histogram] = field(default_factory=dict)
    beyond: Counter[str] = field(default_factory=Counter)
    pt_by_pid: Histogram = field(
        default_factory=lambda: _zeros(len(ParticleId), COLUMNS["pt"].type.max_code + 1)
    )
    charged_weights_not_one: int = 0
    gen_met: Histogram = field(default_factory=lambda: _zeros(_N_MET_BINS))
    puppi_met: Histogram = field(default_factory=lambda: _zeros(_N_MET_BINS))
    n_zero_gen_met: int = 0
    gen_met_sum_gev: float = 0.0
    puppi_met_sum_gev: float = 0.0
    n_with_source_met: int = 0
    n_source_met_far: int = 0
    n_hard: int = 0
    n_hard_backward: int = 0

    @property
    def mean_gen_met_gev(self) -> float:
        """Mean generator MET, NaN where no event has one."""
        n = self.n_with_gen_met
        return self.gen_met_sum_gev / n if n else float("nan")

    @property
    def mean_puppi_met_gev(self) -> float:
        """Mean MET of the candidates, NaN without events."""
        return self.puppi_met_sum_gev / self.n_events if self.n_events else float("nan")

    def add(self, batch: EventBatch) -> None:
        """Count the events of a batch."""
        self.n_events += batch.n_events
        top = _N_MULTIPLICITY_BINS - 1
        self.multiplicity += np.bincount(
            np.minimum(batch.n_candidates, top), minlength=_N_MULTIPLICITY_BINS
        )
        self._add_columns(batch)
        self._add_met(batch)

    def _add_columns(self, batch: EventBatch) -> None:
        pid, pt = batch.columns["pid"], batch.columns["pt"]
        charged = is_charged(pid)
        for name, column in batch.columns.items():
            kind = COLUMNS[name].type
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
        weight = batch.columns["puppi_weight"]
        self.charged_weights_not_one += int((weight[charged] != MAX_PUPPI_WEIGHT).sum())

    def _add_met(self, batch: EventBatch) -> None:
        puppi = ragged_met_xy_gev(batch.columns, batch.counts)
        self.puppi_met += _met_histogram(puppi)
        self.puppi_met_sum_gev += float(np.hypot(*puppi.T).sum())
        known = np.isfinite(batch.gen_met_xy_gev).all(axis=1)
        gen = batch.gen_met_xy_gev[known]
        self.n_with_gen_met += int(known.sum())
        self.n_zero_gen_met += int((gen == 0).all(axis=1).sum())
        self.gen_met += _met_histogram(gen)
        self.gen_met_sum_gev += float(np.hypot(*gen.T).sum())
        hard = np.hypot(*gen.T) > _HARD_MET_GEV
        along = np.einsum("ij,ij->i", gen[hard], puppi[known][hard])
        self.n_hard += int(hard.sum())
        self.n_hard_backward += int((along < 0).sum())
        given = np.isfinite(batch.puppi_met_xy_gev).all(axis=1)
        given &= batch.counts == batch.n_candidates
        distance = np.hypot(*(batch.puppi_met_xy_gev[given] - puppi[given]).T)
        self.n_with_source_met += int(given.sum())
        self.n_source_met_far += int((distance > _FAR_GEV).sum())


def _met_histogram(met_xy_gev: npt.NDArray[np.float64]) -> Histogram:
    size_gev = np.hypot(met_xy_gev[:, 0], met_xy_gev[:, 1])
    cell = np.minimum(size_gev / MET_BIN_GEV, _N_MET_BINS - 1).astype(np.int64)
    return np.bincount(cell, minlength=_N_MET_BINS)
