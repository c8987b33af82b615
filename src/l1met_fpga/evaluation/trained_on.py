"""What a run was trained on, as its folder says, and which events it must not be judged by."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.data.overlap import all_event_keys, event_keys, events_from, shared_events
from l1met_fpga.data.splits import Part, assign_parts
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.identity import differing_parts
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS
from l1met_fpga.results.run import read_training
from l1met_fpga.run_folder import RunFolder

__all__ = [
    "TrainedSample",
    "check_units",
    "compare_with_training",
    "trained_events",
    "trained_samples",
]

_PARTS: Final = ("label", "split_seed", "split_fractions", "content")
"""What makes the parts of two stores the same."""


@dataclass(frozen=True, slots=True)
class TrainedSample:
    """One store that a run was trained on.

    Attributes:
        path: Where it was.
        identity: :attr:`l1met_fpga.data.store.Store.identity` at that time.
        units: Unit of one count, by column.
        sources: SHA-256 of the input files.
    """

    path: Path
    identity: dict[str, Any]
    units: dict[str, str]
    sources: frozenset[str]


def trained_samples(run: RunFolder) -> tuple[TrainedSample, ...] | None:
    """Read what a run was trained on; None if its folder does not say.

    Raises:
        RunFolderError: If ``training.json`` is damaged.
    """
    if not run.training.is_file():
        return None
    samples = read_training(run.training).samples
    found = [
        TrainedSample(
            path=Path(sample.path),
            identity=sample.identity,
            units=sample.units or {},
            sources=frozenset(sample.sources),
        )
        for sample in samples
        if sample.path is not None and sample.identity is not None
    ]
    return tuple(found) if len(found) == len(samples) else None


def trained_events(store: Store, samples: Sequence[TrainedSample]) -> int:
    """Count the test events of a store that a run was trained on or chose its best epoch with.

    Events are recognised by the store's content, by the input files that they came from and, while
    the stores of the training are still there, by what they hold.

    Raises:
        DataError: If a store is damaged.
    """
    identity = store.identity
    # Of the very store the test part was kept; another sample may have held the same events.
    others = [sample for sample in samples if not _same(identity, sample.identity, _PARTS)]
    return max((_trained_events(store, sample) for sample in others), default=0)


def _same(one: dict[str, Any], other: dict[str, Any], names: Collection[str]) -> bool:
    return all(one.get(name) == other.get(name) for name in names)


def _trained_events(store: Store, sample: TrainedSample) -> int:
    rows = store.events_of(Part.TEST)
    if not _same(store.identity, sample.identity, ("content",)):
        rows = events_from(store, rows, sample.sources)
    seed, fractions = sample.identity["split_seed"], sample.identity["split_fractions"]
    parts = assign_parts(
        store.event_id(rows), sample.identity["label"], seed=seed, fractions=tuple(fractions)
    )
    return int((parts != Part.TEST).sum()) or _events_in_place(store, sample)


def _events_in_place(store: Store, sample: TrainedSample) -> int:
    """Compare with the events of the training's store, if that lies where it was."""
    try:
        trained = Store.open(sample.path)
    except DataError:  # moved, removed or made by another version
        return 0
    with trained:
        if trained.identity != sample.identity:
            return 0
        keys = all_event_keys(sample.path, sample.identity["content"])
        mine = event_keys(store, store.events_of(Part.TEST))
        return shared_events(mine, keys[trained.parts() != Part.TEST])


def check_units(
    store: Store, samples: Sequence[TrainedSample], columns: Collection[str], *, run: Path
) -> None:
    """Refuse a store whose columns count from something else than those of the training.

    Raises:
        DataError: If a column that the network reads has another unit.
    """
    for sample in samples:
        for name in columns:
            was, now = sample.units.get(name), store.attributes.units.get(name)
            if was is not None and now is not None and was != now:
                raise DataError(
                    f"{store.path}: one count of {name} is {now}, {run} was trained on {was} "
                    f"({sample.path}); convert the sources again the same way (for z0: --z0)"
                )


def compare_with_training(
    name: str, run: RunFolder, columns: Collection[str], paths: Sequence[Path], *, allow: bool
) -> Iterator[str]:
    """Refuse stores whose test events a network was trained on; yield what a reader must know.

    Args:
        name: The network's name in tables.
        run: Its run.
        columns: Candidate columns that it reads.
        paths: Stores to evaluate it on.
        allow: Say it instead of refusing.

    Raises:
        DataError: If test events were trained on, or a column has another unit.
    """
    samples = trained_samples(run)
    if samples is None:
        yield (
            f"{name}: {run.root} does not record what it was trained on, so nobody can tell whether "
            "events of these samples were."
        )
        return
    for path in paths:
        with Store.open(path) as store:
            check_units(store, samples, (*REQUIRED_COLUMNS, *columns), run=run.root)
            used, n_test = trained_events(store, samples), len(store.events_of(Part.TEST))
            now = store.identity
        renewed = [s for s in samples if s.path.resolve() == path.resolve() and s.identity != now]
        if renewed and not any(sample.identity == now for sample in samples):
            parts = ", ".join(differing_parts(renewed[0].identity, now))
            yield f"{path} is not the store that {name} was trained on: other {parts}."
        if used and not allow:
            raise DataError(
                f"{path}: {run.root} was trained on {used} of its {n_test} test events, so its "
                "figures would be too good. Take other events, or the store of the training (same "
                "label, --split-seed and fractions); --allow-training-events evaluates all the same"
            )
        if used:
            yield (
                f"{name} was trained on {used} of the {n_test} test events of {path}: its figures "
                "are too good."
            )
