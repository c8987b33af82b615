"""The samples of a run in memory, by part."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import Role
from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.counts import COUNT_MEANINGS
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.overlap import all_event_keys, shared_events
from l1met_fpga.data.sample_store import sample_files, store_of
from l1met_fpga.data.slots import tell_cut
from l1met_fpga.data.sources import refuse_repeated_files
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import TRUTHS
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.results.run import SampleRecord

__all__ = ["LoadedSample", "Reference", "load_samples", "require_samples"]

logger = logging.getLogger(__name__)

EVENTS_PER_READ = 16384

Reference = Callable[[Examples], Mapping[str, npt.NDArray[Any]]]
"""Gives more of what is known of examples, by name, from all their candidates."""


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

    def record(self) -> SampleRecord:
        """Return what ``training.json`` says about it."""
        return SampleRecord(
            path=str(self.store),
            label=self.label,
            role=self.role,
            share=self.share,
            training_events=len(self.train),
            validation_events=len(self.validation),
            cut_candidates=self.cut_candidates,
            identity=self.identity,
            units=self.units,
            sources=list(self.sources),
        )


def require_samples(samples: Sequence[TrainingSample]) -> None:
    """Check that there are samples and that their files exist, each given once.

    Raises:
        ConfigError: If not.
    """
    if not samples:
        raise ConfigError(
            "no samples to train on: add a section `samples` with paths, or give --sample"
        )
    refuse_repeated_files(file for sample in samples for file in sample_files(sample.path))


def load_samples(
    samples: Sequence[TrainingSample],
    model: ModelConfig,
    truths: Sequence[str],
    *,
    reference: Reference | None = None,
    watch: Part = Part.VALIDATION,
    rows: str = "event",
    besides: Sequence[str] = (),
    taught_columns: Sequence[str] = (),
) -> tuple[LoadedSample, ...]:
    """Read the training and validation parts of every sample, as the network sees them.

    Args:
        samples: What to read.
        model: Columns and slots that the network has.
        truths: What it is to give (:data:`~l1met_fpga.data.truth.TRUTHS`); events of which one is
            unknown are left out.
        reference: Computes :attr:`Examples.besides` before candidates behind the network's slots
            are cut.
        watch: Part to use for validation.
        rows: What an example must be, ``event``, ``jet`` or ``element``.
        besides: What else to read of each example (:mod:`l1met_fpga.data.layout`).
        taught_columns: Columns that tell the truth of each candidate; 0 in background samples, which
            need not have them.

    Raises:
        ConfigError: If there is no sample, one is missing, or a signal sample has no truth.
        DataError: If a file is no store, one lacks a truth, or two hold the same events or have the
            same label.
    """
    require_samples(samples)
    wanted = _Wanted(model, tuple(truths), reference, rows, tuple(besides), tuple(taught_columns))
    loaded = tuple(_load(sample, wanted, watch) for sample in samples)
    _refuse_twins(loaded)
    _refuse_shared_events(loaded)
    if rows == "event" and not any(sample.is_background for sample in loaded):
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


def _refuse_shared_events(samples: Sequence[LoadedSample]) -> None:
    """Refuse stores that hold some of the same events, from whatever files they came."""
    known: list[tuple[LoadedSample, npt.NDArray[np.uint64]]] = []
    for sample in samples if len(samples) > 1 else ():
        keys = all_event_keys(sample.store, sample.identity["content"])
        for first, others in known:
            if n_shared := shared_events(keys, others):
                raise DataError(
                    f"{n_shared} of the {len(keys)} events of {sample.store} are in {first.store} "
                    "too; they would be counted twice, and test events of one trained on in the "
                    "other. Leave one of the two away, or convert again what only one holds"
                )
        known.append((sample, keys))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be read of every sample, see :func:`load_samples`."""

    model: ModelConfig
    truths: tuple[str, ...]
    reference: Reference | None
    rows: str
    besides: tuple[str, ...]
    taught_columns: tuple[str, ...]


def _load(sample: TrainingSample, wanted: _Wanted, watch: Part) -> LoadedSample:
    path = store_of(sample)
    with Store.open(path) as store:
        store.require_rows(wanted.rows)
        about, n_slots = store.attributes, wanted.model.n_candidates
        chosen = _with_truths(store, wanted.truths, sample.max_events)
        parts = store.parts()[chosen]
        (train, train_cut), (validation, validation_cut) = (
            _read(store, chosen[parts == part], wanted, taught=sample.weight != 0)
            for part in (Part.TRAIN, watch)
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
        tell_cut(str(path), n_slots, cut, cut + seen)
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


def _with_truths(
    store: Store, truths: Sequence[str], max_events: int | None
) -> npt.NDArray[np.int64]:
    """Return the numbers of the events that can be trained on; a message tells how many cannot."""
    n = store.n_events if max_events is None else min(max_events, store.n_events)
    known: npt.NDArray[np.bool_] = np.ones(n, bool)
    for name in truths:
        values = store.truth(name, slice(0, n)).reshape(n, -1)
        own: npt.NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1))
        title, is_size = TRUTHS[name].title, TRUTHS[name].unit != "class"
        if not store.is_background and not (np.any(values[own]) if is_size else own.any()):
            raise ConfigError(
                f"{store.path} (label {store.label!r}) is a signal sample, but the {title} of all "
                f"its {n} events is missing or 0. If they are pile-up-only events, say so: "
                "add :background to the --sample of its ROOT file, or convert it with --role "
                "background"
            )
        if not own.all():
            logger.warning(
                "%s: %d of %d events have no %s and are left out",
                store.path, int((~own).sum()), n, title,
            )  # fmt: skip
        known &= own
    return np.flatnonzero(known)


def _whole(
    store: Store, events: npt.NDArray[np.int64], wanted: _Wanted, *, taught: bool
) -> Examples:
    """Read events; a candidate of a sample that is not trained on, or of pile-up only, is worth 0."""
    missing = [name for name in wanted.taught_columns if name not in store.columns]
    if missing and taught and not store.is_background:
        raise DataError(
            f"{store.path} has no column {', '.join(missing)}, which tells what each candidate is worth; "
            "simulate the sample with `truth: true`, or give it the share 0"
        )
    there = [name for name in wanted.taught_columns if name not in missing]
    columns = (*wanted.model.columns, *there)
    whole = store.examples(events, columns, truths=wanted.truths, besides=wanted.besides)
    zeros = {name: np.zeros(whole.n_rows, np.int16) for name in missing}
    return replace(whole, columns={**whole.columns, **zeros})


def _read(
    store: Store, events: npt.NDArray[np.int64], wanted: _Wanted, *, taught: bool
) -> tuple[Examples, int]:
    """Read events in pieces.

    Returns:
        What the network sees of them, and how many candidates are cut.
    """
    pieces, cut = [], 0
    for first in range(0, max(len(events), 1), EVENTS_PER_READ):
        some = events[first : first + EVENTS_PER_READ]
        whole = _whole(store, some, wanted, taught=taught)
        if wanted.reference is not None:
            whole = replace(whole, besides={**whole.besides, **wanted.reference(whole)})
        seen = whole.first_rows(wanted.model.n_candidates)
        cut += whole.n_rows - seen.n_rows
        pieces.append(seen)
    return Examples.concatenate(pieces), cut
