"""The symmetry of events: turned around the beam and reflected they are as likely."""

from dataclasses import dataclass

import numpy as np

from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.puppi.columns import PHI_COUNTS_PER_TURN
from l1met_fpga.tasks.task import Heads, Inputs

__all__ = ["Rotation"]


@dataclass(frozen=True)
class Rotation:
    """Turns each example by a random whole number of phi counts and reflects half of them.

    Attributes:
        vectors: Heads whose truth turns with the candidates; that of others stays as it is.
    """

    vectors: tuple[str, ...] = ()

    def __call__(
        self, inputs: Inputs, truth: Heads, rng: np.random.Generator
    ) -> tuple[Inputs, dict[str, FloatArray]]:
        """Return inputs and truth of the turned examples; phi stays within -720 to 719."""
        n, half = len(inputs["row_splits"]) - 1, PHI_COUNTS_PER_TURN // 2
        turn = rng.integers(0, PHI_COUNTS_PER_TURN, n)
        sign = rng.choice(np.array([-1, 1]), n)
        if "phi" in inputs:
            lengths = np.diff(inputs["row_splits"])
            phi = inputs["phi"] * np.repeat(sign, lengths) + np.repeat(turn, lengths)
            phi = np.mod(phi + half, PHI_COUNTS_PER_TURN) - half
            inputs = inputs | {"phi": phi.astype(np.float32)}
        angle = 2 * np.pi * turn / PHI_COUNTS_PER_TURN
        seen = {
            name: _turned(values, angle, sign) if name in self.vectors else values
            for name, values in truth.items()
        }
        return inputs, seen


def _turned(vectors: FloatArray, angle: FloatArray, sign: FloatArray) -> FloatArray:
    x, y = vectors[:, 0], sign * vectors[:, 1]
    return np.stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)], axis=1
    )
