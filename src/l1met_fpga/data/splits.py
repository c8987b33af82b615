"""Training, validation and test parts by a hash of what the event is.

The part depends on the event's identity, the sample's label and a seed, and on nothing else: the
same event lands in the same part whatever is converted together with it, in any order.
"""

import enum
import hashlib

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConfigError

__all__ = ["Part", "assign_parts", "mix64"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Part(enum.IntEnum):
    """Part of a sample that an event belongs to."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


def mix64(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread 64-bit integers evenly (the finalizer of SplitMix64, a bijection).

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
    """
    z = values + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def assign_parts(
    event_id: npt.NDArray[np.uint64],
    label: str,
    *,
    seed: int,
    fractions: tuple[float, float, float],
) -> npt.NDArray[np.int8]:
    """Divide events into training, validation and test parts.

    Args:
        event_id: Run, luminosity block and event number, uint64, shape (n_events, 3).
        label: Sample label; events of two simulated samples may share their numbers.
        seed: Another seed gives an independent division.
        fractions: Expected fractions of training, validation and test; their sum is 1.

    Returns:
        :class:`Part` codes, int8, shape (n_events,).

    Raises:
        ConfigError: If the fractions are negative or do not sum to 1.
    """
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ConfigError(f"split fractions must be positive with sum 1, got {fractions}")
    digest = hashlib.blake2b(f"{seed}/{label}".encode(), digest_size=8).digest()
    state = np.full(len(event_id), int.from_bytes(digest, "little"), np.uint64)
    for field in range(3):
        state = mix64(state ^ event_id[:, field])
    uniform = (state >> np.uint64(11)) * 2.0**-53
    edges = np.cumsum(fractions)[:2]
    return np.searchsorted(edges, uniform, side="right").astype(np.int8)
