"""Events of all samples in memory, and the batches that training draws from them.

Only filled slots are kept, one after another ("packed"), as int16: about 500 bytes per event. The
order of events, the mixture and the augmentation depend on the seed and the epoch alone, so a
resumed training sees what an uninterrupted one would have seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.data.slots import count_cut, first_slots
from l1met_fpga.errors import TrainingError
from l1met_fpga.puppi.columns import N_CANDIDATES, PHI_COUNTS_PER_TURN, Candidates
from l1met_fpga.puppi.sums import puppi_met_xy_gev

__all__ = ["Batch", "PackedEvents", "TrainingMixture", "augment"]

Batch = tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Inputs of a packed model, genMET (events, 2) in GeV, weight per event."""


@dataclass(frozen=True, slots=True)
class PackedEvents:
    """Candidates of many events without the empty slots.

    Attributes:
        columns: int16 per candidate, by column name.
        row_splits: Borders between events, int64, shape (n_events + 1,).
        gen_met_xy_gev: Truth, float64, shape (n_events, 2).
        puppi_met_xy_gev: PUPPI MET of all candidates, those behind the slots included, float64,
            shape (n_events, 2).
        cut_candidates: Candidates behind the slots, which the network does not see.
    """

    columns: dict[str, npt.NDArray[np.int16]]
    row_splits: npt.NDArray[np.int64]
    gen_met_xy_gev: npt.NDArray[np.float64]
    puppi_met_xy_gev: npt.NDArray[np.float64]
    cut_candidates: int = 0

    @classmethod
    def pack(
        cls,
        candidates: Candidates,
        gen_met_xy_gev: npt.NDArray[np.float64],
        columns: Sequence[str],
        *,
        n_slots: int = N_CANDIDATES,
    ) -> "PackedEvents":
        """Drop the empty slots, and those that the network does not have.

        Args:
            candidates: Columns, shape (n_events, slots given).
            gen_met_xy_gev: Truth, shape (n_events, 2).
            columns: Columns to keep.
            n_slots: Slots of the network.

        Raises:
            TrainingError: If a truth value is not finite.
        """
        wrong = np.any(~np.isfinite(gen_met_xy_gev), axis=1)
        if wrong.any():
            raise TrainingError(
                f"{int(wrong.sum())} of {wrong.size} events have no finite generator MET; training "
                "needs it. Convert a sample with truth"
            )
        puppi = puppi_met_xy_gev(candidates)
        cut, _ = count_cut(candidates, n_slots)
        candidates = first_slots(candidates, n_slots)
        filled = np.asarray(candidates["pt"]) > 0
        splits = np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(np.int64)
        packed = {name: np.asarray(candidates[name])[filled] for name in columns}
        return cls(packed, splits, np.asarray(gen_met_xy_gev, dtype=np.float64), puppi, cut)

    @classmethod
    def concatenate(cls, parts: Sequence["PackedEvents"]) -> "PackedEvents":
        """Put several sets of events behind one another."""
        splits = [parts[0].row_splits]
        for part in parts[1:]:
            splits.append(part.row_splits[1:] + splits[-1][-1])
        return cls(
            {
                name: np.concatenate([part.columns[name] for part in parts])
                for name in parts[0].columns
            },
            np.concatenate(splits),
            np.concatenate([part.gen_met_xy_gev for part in parts]),
            np.concatenate([part.puppi_met_xy_gev for part in parts]),
            sum(part.cut_candidates for part in parts),
        )

    def __len__(self) -> int:
        return len(self.row_splits) - 1

    @property
    def n_candidates(self) -> int:
        """Candidates of all events that the network sees."""
        return int(self.row_splits[-1])

    def inputs(self, events: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """Return the packed model's inputs for some events, in that order."""
        first, last = self.row_splits[events], self.row_splits[events + 1]
        lengths = last - first
        splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.arange(splits[-1]) + np.repeat(first - splits[:-1], lengths)
        inputs: dict[str, npt.NDArray[Any]] = {
            name: counts[rows].astype(np.float32) for name, counts in self.columns.items()
        }
        return inputs | {"row_splits": splits}


def augment(
    inputs: dict[str, npt.NDArray[Any]],
    gen_met_xy_gev: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float64]]:
    """Rotate each event by a random whole number of phi counts and reflect half of them.

    Args:
        inputs: Packed model inputs.
        gen_met_xy_gev: Truth, shape (n_events, 2).
        rng: Source of random numbers.

    Returns:
        New inputs and the truth turned with them; phi stays within -720 to 719.
    """
    n, half = len(gen_met_xy_gev), PHI_COUNTS_PER_TURN // 2
    turn = rng.integers(0, PHI_COUNTS_PER_TURN, n)
    sign = rng.choice(np.array([-1, 1]), n)
    lengths = np.diff(inputs["row_splits"])
    phi = inputs["phi"] * np.repeat(sign, lengths) + np.repeat(turn, lengths)
    phi = np.mod(phi + half, PHI_COUNTS_PER_TURN) - half
    angle = 2 * np.pi * turn / PHI_COUNTS_PER_TURN
    x, y = gen_met_xy_gev[:, 0], sign * gen_met_xy_gev[:, 1]
    turned = np.stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1
    )
    return inputs | {"phi": phi.astype(np.float32)}, turned


class TrainingMixture:
    """Draws the batches of each epoch.

    Args:
        samples: Events of each sample.
        shares: Share of each sample in an epoch, any scale; a share of 0 leaves it out.
        config: Batch size, seed, augmentation, weights.

    Raises:
        TrainingError: If no event is left to train on, or fewer than one batch.
    """

    def __init__(
        self, samples: Sequence[PackedEvents], shares: Sequence[float], config: TrainingConfig
    ) -> None:
        used = [(s, w) for s, w in zip(samples, shares, strict=True) if w > 0 and len(s)]
        if not used:
            raise TrainingError("no training events: every sample is empty or has weight 0")
        self.events = PackedEvents.concatenate([sample for sample, _ in used])
        self._sizes = np.array([len(sample) for sample, _ in used])
        self._config = config
        weights = np.array([weight for _, weight in used], dtype=np.float64)
        wanted = config.events_per_epoch or int(self._sizes.sum())
        self._drawn = np.round(wanted * weights / weights.sum()).astype(np.int64)
        self.steps_per_epoch = int(self._drawn.sum()) // config.batch_size
        if self.steps_per_epoch < 1:
            raise TrainingError(
                f"{int(self._drawn.sum())} events per epoch are fewer than one batch of "
                f"{config.batch_size}; lower training.batch_size or add events"
            )
        self._weights = self._event_weights()

    def _event_weights(self) -> npt.NDArray[np.float32]:
        gen = np.hypot(*self.events.gen_met_xy_gev.T)
        if not self._config.gen_met_edges_gev:
            return np.ones(len(gen), np.float32)
        index = np.searchsorted(self._config.gen_met_edges_gev, gen, side="right")
        chosen: npt.NDArray[np.float32] = np.array(self._config.gen_met_weights, np.float32)[index]
        return chosen

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """Return the events of an epoch, shuffled; a sample is used up before it repeats."""
        chosen, base = [], 0
        for number, (size, drawn) in enumerate(zip(self._sizes, self._drawn, strict=True)):
            first, last = epoch * drawn, (epoch + 1) * drawn
            passes = [
                np.random.default_rng([self._config.seed, number, turn]).permutation(size)
                for turn in range(first // size, -(-last // size))
            ]
            start = first - first // size * size
            chosen.append(base + np.concatenate(passes)[start : start + drawn])
            base += size
        events = np.concatenate(chosen)
        np.random.default_rng([self._config.seed, 1 << 20, epoch]).shuffle(events)
        return events[: self.steps_per_epoch * self._config.batch_size]

    def batches(self, epoch: int, *, worker: int = 0, n_workers: int = 1) -> Iterator[Batch]:
        """Yield the batches of an epoch.

        Args:
            epoch: Number of the epoch.
            worker: This worker's number; each gets its own events of every batch.
            n_workers: Workers that share a batch.
        """
        order = self.order(epoch).reshape(self.steps_per_epoch, -1)
        for step, events in enumerate(order):
            rng = np.random.default_rng([self._config.seed, 1 << 21, epoch, step, worker])
            mine = events[worker::n_workers]
            inputs, truth = self.events.inputs(mine), self.events.gen_met_xy_gev[mine]
            if self._config.augment:
                inputs, truth = augment(inputs, truth, rng)
            yield inputs, truth.astype(np.float32), self._weights[mine]
