"""Batches for training, straight from stores: shuffled, mixed, seeded, with bounded memory."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import FeedConfig, SampleConfig
from l1met_fpga.data.flatten import measure_flattening
from l1met_fpga.data.shuffle import Block, Selection, ShuffledEvents
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import N_CANDIDATES, REQUIRED_COLUMNS

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["Feed"]

Batch = tuple[dict[str, npt.NDArray[np.int16]], npt.NDArray[np.float32]]


class Feed:
    """Training batches from one or more stores; use it as a context manager.

    An epoch of one sample is one pass: every event of the part comes out once. In a mix, every
    event of a batch comes from sample k with probability proportional to its weight, and an epoch
    has as many events as all samples together, so a sample may be seen partly or more than once.
    Epoch n of a seed always has the same batches.

    Args:
        samples: Stores and their weights.
        config: Batch size, shuffle buffer, flattening.
        seed: Decides the order of the events.
        part: Saved part to read, None for all events.
        columns: Candidate columns.

    Raises:
        DataError: If a store cannot be read, or has no event in the part.
    """

    def __init__(
        self,
        samples: Sequence[SampleConfig],
        config: FeedConfig,
        *,
        seed: int,
        part: Part | None = Part.TRAIN,
        columns: Sequence[str] = REQUIRED_COLUMNS,
    ) -> None:
        self._config = config
        self._seed = seed
        self._columns = tuple(columns)
        weights = np.array([sample.weight for sample in samples], float)
        self._shares = weights / weights.sum()
        with ExitStack() as stack:
            stores = [stack.enter_context(Store.open(sample.path)) for sample in samples]
            self._selections = [self._selection(store, part) for store in stores]
            self.n_events = sum(_expected_events(selection) for selection in self._selections)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def n_batches(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return -(-self.n_events // self._config.batch_size)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Make the batches of one epoch.

        Yields:
            Columns (int16, shape (n, 128)) by name, and genMET px, py in GeV (float32, (n, 2)).
        """
        sequences = np.random.SeedSequence([self._seed, epoch]).spawn(len(self._selections) + 1)
        mixing = np.random.default_rng(sequences[-1])
        buffer = max(self._config.shuffle_events // len(self._selections), 1024)
        streams = [
            ShuffledEvents(selection, buffer, np.random.default_rng(sequence))
            for selection, sequence in zip(self._selections, sequences[:-1], strict=True)
        ]
        left = self.n_events
        while left > 0:
            n = min(self._config.batch_size, left)
            numbers = mixing.multinomial(n, self._shares)
            blocks = [
                block
                for stream, number in zip(streams, numbers, strict=True)
                for block in stream.take(int(number))
            ]
            yield _join(blocks)
            left -= n

    def dataset(self) -> "tf.data.Dataset":
        """Return the feed as a ``tf.data`` dataset; each iteration over it is the next epoch.

        Elements are columns (float32 holding integers, shape (n, 128)) by name, and genMET px,
        py (float32, shape (n, 2)). Reading runs in a thread of its own, ahead of the training.
        Only one iteration may be under way at a time; another one needs a feed of its own.
        """
        import tensorflow as tf

        types = [tf.int16] * len(self._columns) + [tf.float32]
        epochs = _Epochs(self)

        def batch(index: "tf.Tensor") -> "tuple[dict[str, tf.Tensor], tf.Tensor]":
            *columns, gen_met = tf.numpy_function(epochs.batch, [index], types)
            for column in columns:
                column.set_shape((None, N_CANDIDATES))
            gen_met.set_shape((None, 2))
            floats = [tf.cast(column, tf.float32) for column in columns]
            return dict(zip(self._columns, floats, strict=True)), gen_met

        # Not from_generator: it makes malloc give memory back at once, which costs as much time
        # as all the rest.
        return tf.data.Dataset.range(self.n_batches).map(batch).prefetch(self._config.prefetch)

    def _selection(self, store: Store, part: Part | None) -> Selection:
        flattening = None
        if self._config.flatten is not None:
            flattening = measure_flattening(store, part, self._config.flatten)
        return Selection(store, self._columns, part, flattening)


def _expected_events(selection: Selection) -> int:
    store = selection.store
    if selection.flattening is not None:
        n_events = round(selection.flattening.n_kept)
    else:
        known = np.isfinite(store.gen_met_xy_gev()).all(axis=1)
        if selection.part is not None:
            known &= store.parts() == selection.part
        n_events = int(np.count_nonzero(known))
    if n_events == 0:
        raise DataError(selection.nothing())
    return n_events


def _join(blocks: Sequence[Block]) -> Batch:
    if len(blocks) == 1:
        return blocks[0].columns, blocks[0].gen_met_xy_gev
    columns = {
        name: np.concatenate([block.columns[name] for block in blocks])
        for name in blocks[0].columns
    }
    return columns, np.concatenate([block.gen_met_xy_gev for block in blocks])


class _Epochs:
    """The batches of one epoch after the other, asked for by their number in the epoch."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._n_epochs = 0
        self._next = 0
        self._batches: Iterator[Batch] = iter(())

    def batch(self, index: int) -> list[npt.NDArray[Any]]:
        """Return columns and genMET of a batch; batch 0 begins the next epoch."""
        if index == 0:
            self._batches = iter(())  # lets go of the last epoch's buffer before the next one
            self._batches = self._feed.batches(self._n_epochs)
            self._n_epochs += 1
            self._next = 0
        if index != self._next:
            raise RuntimeError("two iterations over one feed at the same time; make two feeds")
        self._next += 1
        columns, gen_met = next(self._batches)
        return [*columns.values(), gen_met]
