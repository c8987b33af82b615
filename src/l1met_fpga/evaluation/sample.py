"""Samples and estimates: what every figure and plot of the evaluation starts from."""

import logging
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.labels import BACKGROUND_LABELS
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.identity import content_digest
from l1met_fpga.metrics.arrays import (
    FloatArray,
    check_met_xy,
    check_same_length,
    magnitude_gev,
    met_xy_from_polar,
)
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS, Candidates

__all__ = ["Estimator", "Events", "Sample", "estimate", "load_arrays", "load_store", "read_met"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """Candidates and truth of events of one store.

    Attributes:
        label: Sample label.
        candidates: Integer columns, shape (n, n_slots).
        gen_met_xy_gev: Shape (n, 2); NaN where the source had none.
        n_candidates: Before truncation, shape (n,).
        identity: What these events are (:mod:`l1met_fpga.identity`).
    """

    label: str
    candidates: Candidates
    gen_met_xy_gev: FloatArray
    n_candidates: npt.NDArray[np.int64]
    identity: dict[str, Any] | None = None

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
    _magnitudes: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_met_xy(self.gen_met_xy_gev, name=f"generator MET of {self.label!r}")
        for name, met in self.met_xy_gev.items():
            check_met_xy(met, name=f"{name!r} of {self.label!r}")
        check_same_length(generator=self.gen_met_xy_gev, **self.met_xy_gev)

    def __len__(self) -> int:
        return len(self.gen_met_xy_gev)

    @property
    def gen_gev(self) -> FloatArray:
        """|genMET| per event."""
        return magnitude_gev(self.gen_met_xy_gev)

    def met_gev(self, name: str) -> FloatArray:
        """Return |MET| of one estimate."""
        if name not in self._magnitudes:
            self._magnitudes[name] = magnitude_gev(self.met_xy_gev[name])
        return self._magnitudes[name]


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
        DataError: If the file is no store or the part holds no event.
    """
    with Store.open(path) as store:
        events = np.arange(store.n_events) if part is None else store.events_of(part)
        if len(events) == 0:
            which = "any event" if part is None else f"an event in its {part.name.lower()} part"
            raise DataError(f"{path} does not hold {which}; convert more events or another split")
        events = events[:max_events]
        gen = store.gen_met_xy_gev(events)
        if store.label in BACKGROUND_LABELS:
            gen = np.where(np.isfinite(gen), gen, 0.0)
        known = np.isfinite(gen).all(axis=1)
        if not known.all():
            logger.warning(
                "%s: %d of %d events have no generator MET and are left out",
                path, int((~known).sum()), len(events),
            )  # fmt: skip
            events, gen = events[known], gen[known]
        candidates = store.candidates(events, columns)
        identity = _identity(store, part, len(events))
        return Events(store.label, candidates, gen, store.n_candidates(events), identity)


def _identity(store: Store, part: Part | None, n_events: int) -> dict[str, Any]:
    about = store.attributes
    return {
        "label": store.label,
        "sources": content_digest(about.sources),
        "split_seed": about.split_seed,
        "split_fractions": list(about.split_fractions),
        "part": "all" if part is None else part.name.lower(),
        "events": n_events,
    }


def estimate(events: Events, estimators: Mapping[str, Estimator]) -> Sample:
    """Run every estimator on the events of a sample."""
    met = {name: np.asarray(run(events), dtype=np.float64) for name, run in estimators.items()}
    background = events.label in BACKGROUND_LABELS
    return Sample(
        events.label,
        events.gen_met_xy_gev,
        met,
        background,
        events.n_candidates,
        events.identity,
    )


def read_met(path: Path) -> tuple[FloatArray, FloatArray | None]:
    """Read MET, and generator MET when present, from ``.npz``.

    Keys: ``px`` and ``py``, or ``pt`` and ``phi`` (GeV, rad); the truth the same with ``gen_`` in
    front.

    Raises:
        DataError: If the file cannot be read or has other keys.
    """
    try:
        with path.open("rb") as raw, zipfile.ZipFile(raw):  # np.load would leave a bad file open
            raw.seek(0)
            with np.load(raw) as file:
                arrays = {key: np.asarray(file[key], dtype=np.float64) for key in file.files}
    except FileNotFoundError:
        raise DataError(f"no file {path}; check the path") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as err:
        raise DataError(f"{path} is not a NumPy .npz file of numbers: {err}") from err
    met = _vectors(arrays, "", path)
    if met is None:
        raise DataError(
            f"{path} needs arrays px and py, or pt and phi (and gen_px, gen_py or gen_pt, gen_phi "
            f"for the truth), got {sorted(arrays)}"
        )
    return met, _vectors(arrays, "gen_", path)


def _vectors(arrays: Mapping[str, FloatArray], prefix: str, path: Path) -> FloatArray | None:
    for keys, polar in ((("px", "py"), False), (("pt", "phi"), True)):
        names = [prefix + key for key in keys]
        if all(name in arrays for name in names):
            first, second = (arrays[name] for name in names)
            if first.ndim != 1 or first.shape != second.shape:
                raise DataError(
                    f"{path}: {names[0]} {first.shape} and {names[1]} {second.shape} must be of "
                    "the same length, one number per event"
                )
            return met_xy_from_polar(first, second) if polar else np.stack([first, second], -1)
    return None


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
        if truth.shape != truths[0].shape or not np.allclose(truth, truths[0], atol=1e-3):
            raise DataError(
                f"the files of sample {label!r} hold different generator MET, so they are not the "
                f"same events in the same order: {', '.join(map(str, files.values()))}"
            )
    gen = truths[0] if truths else np.zeros_like(next(iter(met.values())))
    return Sample(label, gen, met, is_background)
