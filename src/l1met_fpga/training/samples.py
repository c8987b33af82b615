"""The samples of a run: stores, made once from ROOT files where needed, in memory by part."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.convert import convert
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.training.mixture import PackedEvents

__all__ = ["STORE_FOLDER", "LoadedSample", "load_samples", "store_of"]

logger = logging.getLogger(__name__)

STORE_FOLDER = Path("build/stores")
"""Where stores made from ROOT files are kept."""
EVENTS_PER_READ = 16384


@dataclass(frozen=True, slots=True)
class LoadedSample:
    """One sample in memory.

    Attributes:
        label: From the store.
        is_background: Whether its events are pile-up only.
        store: The file.
        share: Share of an epoch.
        train: Events to train on.
        validation: Events to watch training with.
    """

    label: str
    is_background: bool
    store: Path
    share: float
    train: PackedEvents
    validation: PackedEvents


def store_of(sample: TrainingSample) -> Path:
    """Return the sample's store, converting a ROOT file the first time it is used.

    The store's name holds a hash of the file's path, size and time, so a changed file is
    converted again.

    Raises:
        ConfigError: If the file is missing or of another kind.
        DataError: If it cannot be converted.
    """
    path = sample.path
    if not path.is_file():
        known = sorted(str(p) for p in path.parent.glob(f"*{path.suffix}"))[:6]
        there = f"; there are {', '.join(known)}" if known else ""
        raise ConfigError(f"no sample {path}{there}. Check `samples` or --sample")
    if path.suffix == ".h5":
        return path
    if path.suffix != ".root":
        raise ConfigError(f"sample {path} must be a store (.h5) or a ROOT file (.root)")
    label = sample.label or path.stem
    status = path.stat()
    key = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{label}"
    store = (
        STORE_FOLDER / f"{path.stem}-{hashlib.blake2b(key.encode(), digest_size=6).hexdigest()}.h5"
    )
    if not store.is_file():
        logger.info("converting %s to %s (once)", path, store)
        STORE_FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            convert([str(path)], store, ConvertConfig(label=label), workers=1)
        except DataError:
            if not store.is_file():  # made meanwhile by a training beside this one
                raise
    return store


def load_samples(
    samples: Sequence[TrainingSample], columns: Sequence[str], *, watch: Part = Part.VALIDATION
) -> tuple[LoadedSample, ...]:
    """Read the training and validation parts of every sample.

    Args:
        samples: What to read.
        columns: Candidate columns that the network needs.
        watch: Part to use for validation.

    Raises:
        ConfigError: If there is no sample, or one is missing.
        DataError: If a file is no store, or two have the same label.
    """
    if not samples:
        raise ConfigError(
            "no samples to train on: add a section `samples` with paths, or give --sample"
        )
    loaded = tuple(_load(sample, columns, watch) for sample in samples)
    labels = [sample.label for sample in loaded]
    if len(set(labels)) < len(labels):
        raise DataError(f"two samples have the same label: {labels}; put them into one store")
    return loaded


def _load(sample: TrainingSample, columns: Sequence[str], watch: Part) -> LoadedSample:
    path = store_of(sample)
    with Store.open(path) as store:
        parts = store.parts()[: sample.max_events]
        by_part = {
            part: _read(store, np.flatnonzero(parts == part), columns)
            for part in (Part.TRAIN, watch)
        }
        label, is_background = store.label, store.is_background
    train = by_part[Part.TRAIN]
    share = float(len(train)) if sample.weight is None else sample.weight
    logger.info(
        "%s: %d training and %d validation events, share %g",
        label, len(train), len(by_part[watch]), share,
    )  # fmt: skip
    return LoadedSample(label, is_background, path, share, train, by_part[watch])


def _read(store: Store, events: np.ndarray, columns: Sequence[str]) -> PackedEvents:
    """Read events in pieces, so that the padded form of all never exists."""
    pieces = []
    for first in range(0, max(len(events), 1), EVENTS_PER_READ):
        some = events[first : first + EVENTS_PER_READ]
        gen = store.gen_met_xy_gev(some)
        pieces.append(PackedEvents.pack(store.candidates(some, columns), gen, columns))
    return PackedEvents.concatenate(pieces)
