"""Events of all samples in memory, and the batches that training draws from them.

Only filled slots are kept, one after another ("packed"), as int16: about 500 bytes per event. The
order of events, the mixture and the augmentation depend on the seed and the epoch alone, so a
resumed training sees what an uninterrupted one would have seen.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import TrainingError
from l1met_fpga.puppi.columns import PHI_COUNTS_PER_TURN

__all__ = ["Batch", "TrainingMixture", "augment", "packed_inputs"]

Batch = tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Inputs of a packed model, genMET (events, 2) in GeV, weight per event."""


def packed_inputs(examples: Examples, chosen: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
    """Return the packed model's inputs for some examples, in that order."""
    rows, splits = examples.rows_of(chosen)
    inputs: dict[str, npt.NDArray[Any]] = {
        name: counts[rows].astype(np.float32) for name, counts in examples.columns.items()
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


def _known_truth(events: Examples) -> npt.NDArray[np.float64]:
    truth = events.truth[GEN_MET]
    unknown = ~np.isfinite(truth).all(axis=1)
    if unknown.any():
        raise TrainingError(
            f"{int(unknown.sum())} of {unknown.size} events have no finite generator MET; training "
            "needs it. Convert a sample with truth"
        )
    return truth


class TrainingMixture:
    """Draws the batches of each epoch.

    Args:
        samples: Events of each sample.
        shares: Share of each sample in an epoch, any scale; a share of 0 leaves it out.
        config: Batch size, seed, augmentation, weights.

    Raises:
        TrainingError: If no event is left to train on, fewer than one batch, or one has no truth.
    """

    def __init__(
        self, samples: Sequence[Examples], shares: Sequence[float], config: TrainingConfig
    ) -> None:
        used = [(s, w) for s, w in zip(samples, shares, strict=True) if w > 0 and len(s)]
        if not used:
            raise TrainingError("no training events: every sample is empty or has weight 0")
        self.events = Examples.concatenate([sample for sample, _ in used])
        self._truth = _known_truth(self.events)
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
        gen = np.hypot(*self._truth.T)
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
            inputs, truth = packed_inputs(self.events, mine), self._truth[mine]
            if self._config.augment:
                inputs, truth = augment(inputs, truth, rng)
            yield inputs, truth.astype(np.float32), self._weights[mine]
