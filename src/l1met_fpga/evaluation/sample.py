"""Samples and estimates: what every figure and plot of the evaluation starts from."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.predictions import read_met
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET, PUPPI_MET, Quantity
from l1met_fpga.errors import DataError
from l1met_fpga.identity import Identity
from l1met_fpga.metrics.arrays import (
    FloatArray,
    check_met_xy,
    check_same_length,
    magnitude_gev,
)
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS, Candidates

__all__ = [
    "Estimator",
    "Events",
    "Sample",
    "estimate",
    "load_arrays",
    "load_store",
    "same_truth",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """Candidates and truth of events of one store.

    Attributes:
        label: Sample label.
        candidates: Integer columns, shape (n, n_slots).
        gen_met_xy_gev: Shape (n, 2); NaN where the source had none.
        n_candidates: Before truncation, shape (n,).
        is_background: Pile-up-only events.
        identity: What tells these events from others: the store, its part and their number.
        source_met_xy_gev: MET of the source's other algorithms by name, shape (n, 2), GeV; NaN
            where the source had none.
    """

    label: str
    candidates: Candidates
    gen_met_xy_gev: FloatArray
    n_candidates: npt.NDArray[np.int64]
    is_background: bool = False
    identity: Identity = field(default_factory=dict)
    source_met_xy_gev: dict[str, FloatArray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.gen_met_xy_gev)


Estimator = Callable[[Events], npt.ArrayLike]
"""Gives the MET of events, shape (n, 2), GeV."""


@dataclass(frozen=True)
class Sample:
    """Estimates of the same events, beside the truth.

    Attributes:
        label: ``ttbar``, ``znunu``, ``pileup``, ...
        gen_met_xy_gev: Shape (n, 2), GeV; zeros for pile-up-only events.
        met_xy_gev: Estimates by name, each shape (n, 2), GeV.
        is_background: Pile-up-only events: rates come from them, resolutions do not.
        n_candidates: Per event, when known.
        identity: What these events are, when they come from a store.
    """

    label: str
    gen_met_xy_gev: FloatArray
    met_xy_gev: dict[str, FloatArray]
    is_background: bool = False
    n_candidates: npt.NDArray[np.int64] | None = None
    identity: dict[str, Any] | None = None
    _scores: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_met_xy(self.gen_met_xy_gev, name=f"generator MET of {self.label!r}")
        for name, met in self.met_xy_gev.items():
            check_met_xy(met, name=f"{name!r} of {self.label!r}")
        check_same_length({"the generator": self.gen_met_xy_gev, **_quoted(self.met_xy_gev)})

    def __len__(self) -> int:
        return len(self.gen_met_xy_gev)

    @property
    def gen_gev(self) -> FloatArray:
        """|genMET| per event."""
        return magnitude_gev(self.gen_met_xy_gev)

    def score(self, name: str) -> FloatArray:
        """Return what a trigger cuts on, of one estimate: |MET|, GeV."""
        if name not in self._scores:
            self._scores[name] = magnitude_gev(self.met_xy_gev[name])
        return self._scores[name]


def _quoted(met: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Put names of estimates in quotes, so that they differ from the generator's."""
    return {repr(name): vectors for name, vectors in met.items()}


def load_store(
    path: Path,
    part: Part | None = Part.TEST,
    *,
    columns: tuple[str, ...] = REQUIRED_COLUMNS,
    max_events: int | None = None,
) -> Events:
    """Read one part of a store.

    Args:
        path: HDF5 store.
        part: Training, validation or test part; ``None`` takes all events.
        columns: Candidate columns.
        max_events: Take at most so many, from the start.

    Raises:
        DataError: If the file is no store, the part holds no event, or no event has truth.
    """
    with Store.open(path) as store:
        events = np.arange(store.n_events) if part is None else store.events_of(part)
        if len(events) == 0:
            which = "any event" if part is None else f"an event in its {part.name.lower()} part"
            raise DataError(f"{path} does not hold {which}; convert more events or another split")
        events = events[:max_events]
        has_truth = GEN_MET in store.truths
        gen = store.truth(GEN_MET, events) if has_truth else np.full((len(events), 2), np.nan)
        known = np.isfinite(gen).all(axis=1)
        if not known.any():
            raise DataError(
                f"{path} ({store.label!r}): no event has generator MET, so nothing can be measured "
                "with it; if its events are pile-up only, convert it with --role background"
            )
        if not known.all():
            logger.warning(
                "%s: %d of %d events have no generator MET and are left out",
                path, int((~known).sum()), len(events),
            )  # fmt: skip
            events, gen = events[known], gen[known]
        candidates = store.candidates(events, columns)
        n_candidates = store.n_candidates(events)
        identity = {
            **store.identity,
            "part": "all" if part is None else part.name.lower(),
            "events": len(events),
        }
        others = {
            quantity.key: store.baseline(quantity.name, events)
            for quantity in map(Quantity.named, store.baselines)
            if quantity.kind == "vector" and quantity.name != PUPPI_MET
        }
        return Events(
            store.label, candidates, gen, n_candidates, store.is_background, identity, others
        )


def estimate(events: Events, estimators: Mapping[str, Estimator]) -> Sample:
    """Run every estimator on the events of a sample."""
    met = {name: np.asarray(run(events), dtype=np.float64) for name, run in estimators.items()}
    return Sample(
        events.label,
        events.gen_met_xy_gev,
        met,
        events.is_background,
        events.n_candidates,
        dict(events.identity),
    )


def load_arrays(label: str, files: Mapping[str, Path], *, is_background: bool = False) -> Sample:
    """Read other people's MET of the same events, one file per estimate.

    Args:
        label: Sample label.
        files: Estimate name to ``.npz``; the first file that holds the truth gives it.
        is_background: Pile-up-only events, which need no truth.

    Raises:
        DataError: If no file holds the truth of a signal sample, or lengths differ.
    """
    read = {name: read_met(path) for name, path in files.items()}
    met = {name: vectors for name, (vectors, _) in read.items()}
    truths = [truth for _, truth in read.values() if truth is not None]
    if not truths and not is_background:
        raise DataError(
            f"no file of sample {label!r} holds the truth (gen_px and gen_py, or gen_pt and "
            f"gen_phi): {', '.join(map(str, files.values()))}"
        )
    for truth in truths[1:]:
        if truth.shape != truths[0].shape or not same_truth(truth, truths[0], within_gev=1e-3):
            raise DataError(
                f"the files of sample {label!r} hold different generator MET, so they are not the "
                f"same events in the same order: {', '.join(map(str, files.values()))}"
            )
    if is_background:
        return Sample(label, np.zeros_like(next(iter(met.values()))), met, is_background=True)
    return _with_known_truth(label, truths[0], met)


def same_truth(one: FloatArray, other: FloatArray, *, within_gev: float) -> bool:
    """Compare generator MET; unknown in one file and known in the other is no difference."""
    both = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    return bool(np.allclose(one[both], other[both], rtol=1e-5, atol=within_gev))


def _with_known_truth(label: str, gen: FloatArray, met: dict[str, FloatArray]) -> Sample:
    """Leave out events without truth; a truth that is zero throughout is none."""
    known = np.asarray(np.isfinite(gen).all(axis=1))
    if not (np.abs(gen[known]) > 0).any():
        raise DataError(
            f"sample {label!r}: no event has generator MET other than zero; if its events are "
            f"pile-up only, give --background {label}"
        )
    check_same_length({"the generator": gen, **_quoted(met)})
    if not known.all():
        logger.warning(
            "%s: %d of %d events have no generator MET and are left out",
            label, int((~known).sum()), len(known),
        )  # fmt: skip
    return Sample(label, gen[known], {name: vectors[known] for name, vectors in met.items()})
