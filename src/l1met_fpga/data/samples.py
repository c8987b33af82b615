"""The samples of a run in memory, by part."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role
from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.counts import COUNT_MEANINGS
from l1met_fpga.data.examples import GEN_MET, PUPPI_MET, Examples
from l1met_fpga.data.sample_store import sample_files, store_of
from l1met_fpga.data.slots import tell_cut
from l1met_fpga.data.sources import refuse_repeated_files
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.puppi.sums import puppi_met_xy_gev

__all__ = ["LoadedSample", "load_samples"]

logger = logging.getLogger(__name__)

EVENTS_PER_READ = 16384


@dataclass(frozen=True, slots=True)
class LoadedSample:
    """One sample in memory.

    Attributes:
        label: From the store.
        role: What it is for, from the store.
        store: The file.
        identity: What the store holds, :attr:`l1met_fpga.data.store.Store.identity`.
        units: Unit of one count, by column.
        sources: SHA-256 of the store's input files, where known.
        share: Share of an epoch.
        train: Events to train on.
        validation: Events to watch training with.
        cut_candidates: Candidates behind the slots of the network, which it does not see.
    """

    label: str
    role: Role
    store: Path
    identity: dict[str, Any]
    units: dict[str, str]
    sources: tuple[str, ...]
    share: float
    train: Examples
    validation: Examples
    cut_candidates: int

    @property
    def is_background(self) -> bool:
        """Whether its events are pile-up only."""
        return self.role == "background"

    def record(self) -> dict[str, Any]:
        """Return what ``training.json`` says about it."""
        return {
            "path": str(self.store),
            "label": self.label,
            "role": self.role,
            "share": self.share,
            "training_events": len(self.train),
            "validation_events": len(self.validation),
            "cut_candidates": self.cut_candidates,
            "identity": self.identity,
            "units": self.units,
            "sources": list(self.sources),
        }


def load_samples(
    samples: Sequence[TrainingSample], model: ModelConfig, *, watch: Part = Part.VALIDATION
) -> tuple[LoadedSample, ...]:
    """Read the training and validation parts of every sample, as the network sees them.

    Args:
        samples: What to read.
        model: Columns and slots that the network has.
        watch: Part to use for validation.

    Raises:
        ConfigError: If there is no sample, one is missing, or a signal sample has no truth.
        DataError: If a file is no store, or two hold the same events or have the same label.
    """
    if not samples:
        raise ConfigError(
            "no samples to train on: add a section `samples` with paths, or give --sample"
        )
    refuse_repeated_files(file for sample in samples for file in sample_files(sample.path))
    loaded = tuple(_load(sample, model, watch) for sample in samples)
    _refuse_twins(loaded)
    if not any(sample.is_background for sample in loaded):
        logger.warning(
            "no sample is background (pile-up-only events): no trigger rate, threshold or "
            "efficiency can be measured. Add one, or say which it is: --sample FILE:SHARE:background"
        )
    return loaded


def _refuse_twins(samples: Sequence[LoadedSample]) -> None:
    labels: dict[str, LoadedSample] = {}
    contents: dict[str, LoadedSample] = {}
    for sample in samples:
        for content in (sample.identity["content"], *sample.sources):
            first = contents.setdefault(content, sample)
            if first is not sample:
                raise DataError(
                    f"{sample.store} holds the same events as {first.store}, or events of the same "
                    "input file; they would be counted twice"
                )
        first = labels.setdefault(sample.label, sample)
        if first is not sample:
            raise DataError(
                f"two samples have the same label {sample.label!r}, {first.store} and "
                f"{sample.store}; put them into one store, or give another label at conversion"
            )


def _load(sample: TrainingSample, model: ModelConfig, watch: Part) -> LoadedSample:
    path = store_of(sample)
    with Store.open(path) as store:
        about = store.attributes
        chosen = _with_truth(store, sample.max_events)
        parts = store.parts()[chosen]
        (train, train_cut), (validation, validation_cut) = (
            _read(store, chosen[parts == part], model) for part in (Part.TRAIN, watch)
        )
        share = float(len(train)) if sample.weight is None else float(sample.weight)
        logger.info(
            "%s: %d training and %d validation events, share %g",
            about.label, len(train), len(validation), share,
        )  # fmt: skip
        for name, count in about.counts.items():  # a ROOT sample was converted without a word
            if count:
                logger.info("%s: %d %s", about.label, count, COUNT_MEANINGS.get(name, name))
        cut = train_cut + validation_cut
        seen = train.n_rows + validation.n_rows
        tell_cut(str(path), model.n_candidates, cut, cut + seen)
        return LoadedSample(
            label=about.label,
            role=about.role,
            store=path,
            identity=store.identity,
            units=about.units,
            sources=tuple(source["sha256"] for source in about.sources if source.get("sha256")),
            share=share,
            train=train,
            validation=validation,
            cut_candidates=cut,
        )


def _with_truth(store: Store, max_events: int | None) -> npt.NDArray[np.int64]:
    """Return the numbers of the events that can be trained on; a message tells how many cannot."""
    gen = store.gen_met_xy_gev(slice(0, max_events))
    known = np.all(np.isfinite(gen), axis=1)
    if not store.is_background and not np.any(gen[known]):
        raise ConfigError(
            f"{store.path} (label {store.label!r}) is a signal sample, but the generator MET of all "
            f"its {len(gen)} events is missing or 0. If they are pile-up-only events, say so: add "
            ":background to the --sample of its ROOT file, or convert it with --role background"
        )
    if not known.all():
        logger.warning(
            "%s: %d of %d events have no generator MET and are left out",
            store.path, int((~known).sum()), len(known),
        )  # fmt: skip
    return np.flatnonzero(known)


def _read(store: Store, events: npt.NDArray[np.int64], model: ModelConfig) -> tuple[Examples, int]:
    """Read events in pieces, so that the padded form of all never exists.

    The PUPPI MET is that of all candidates, those behind the network's slots included.

    Returns:
        What the network sees of them, and how many candidates are cut.
    """
    pieces, cut = [], 0
    for first in range(0, max(len(events), 1), EVENTS_PER_READ):
        some = events[first : first + EVENTS_PER_READ]
        candidates = store.candidates(some, model.columns)
        whole = Examples.from_padded(
            candidates,
            columns=model.columns,
            truth={GEN_MET: store.gen_met_xy_gev(some)},
            ids=store.event_id(some),
            besides={PUPPI_MET: puppi_met_xy_gev(candidates)},
        )
        seen = whole.first_rows(model.n_candidates)
        cut += whole.n_rows - seen.n_rows
        pieces.append(seen)
    return Examples.concatenate(pieces), cut
