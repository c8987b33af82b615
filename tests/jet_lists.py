"""Candidate and jet lists for checks of jets: like real ones, and such that strain every step."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.jets import Jets

__all__ = ["blocks", "named_lists", "random_jets", "random_lists"]

Columns = dict[str, npt.NDArray[np.int16]]


def blocks(n_lists: int) -> Iterator[tuple[Columns, np.random.Generator]]:
    """Yield random lists, a few thousand at a time."""
    rng = np.random.default_rng(n_lists)
    for start in range(0, n_lists, 5000):
        yield random_lists(min(5000, n_lists - start), rng), rng


def random_lists(n_lists: int, rng: np.random.Generator) -> Columns:
    """Candidates around a few axes and everywhere; soft ones with many equal pt, and hard ones."""
    shape = n_lists, N_CANDIDATES
    scale = rng.choice([3, 16, 100, 4000], (n_lists, 1), p=[0.3, 0.5, 0.15, 0.05])
    pt = np.minimum(rng.exponential(scale, shape), (1 << 14) - 1).astype(np.int16)
    axis = rng.integers(0, 6, shape)
    spread = rng.choice([5, 30, 90], (n_lists, 1))
    eta = np.take_along_axis(rng.integers(-1100, 1101, (n_lists, 6)), axis, axis=1)
    phi = np.take_along_axis(rng.integers(-720, 721, (n_lists, 6)), axis, axis=1)
    alone = rng.random(shape) < rng.random((n_lists, 1))
    eta = np.where(alone, rng.integers(-1200, 1201, shape), eta + rng.normal(0, spread, shape))
    phi = np.where(alone, rng.integers(-720, 721, shape), phi + rng.normal(0, spread, shape))
    phi = (phi.astype(np.int64) + 720) % 1440 - 720
    phi = np.where((phi == -720) & (rng.random(shape) < 0.5), 720, phi)
    pt[rng.random(shape) < rng.random((n_lists, 1))] = 0  # holes
    return _lists(pt, eta, phi)


def _lists(pt: npt.ArrayLike, eta: npt.ArrayLike, phi: npt.ArrayLike) -> Columns:
    filled = np.asarray(pt) > 0
    return {
        name: np.where(filled, codes, 0).astype(np.int16)
        for name, codes in {"pt": pt, "eta": eta, "phi": phi}.items()
    }


def named_lists() -> dict[str, Columns]:
    """Return lists that strain one step each."""
    rng, shape = np.random.default_rng(7), (300, N_CANDIDATES)
    pt = rng.integers(1, 60, shape)
    eta, phi = rng.integers(-1100, 1101, shape), rng.integers(-720, 721, shape)
    near = rng.integers(-60, 61, (2, *shape))
    every_pt = np.arange(1, 1 << 14, 3)[:, None]
    step = np.arange(-190, 191)
    pairs = np.stack([np.repeat(step, step.size), np.tile(step, step.size)])
    ring = pairs[:, np.isin(np.hypot(*pairs).astype(int), (91, 92, 182, 183, 184))]
    half_turn = np.where(near[1] < 0, 720 + near[1], -720 + near[1])
    return {
        "empty": _lists(np.zeros(shape), eta, phi),
        "one candidate": _lists(every_pt, 300 - every_pt % 600, every_pt % 1441 - 720),
        "one candidate, another a count away": _lists(
            np.stack([every_pt, every_pt // 2 + 1], 1)[..., 0], *2 * [np.array([[0, -3]])]
        ),
        "at the border of the cone": _lists(
            np.stack([np.full(ring.shape[1], 9), np.full(ring.shape[1], 8)], 1),
            *(np.stack([np.zeros(ring.shape[1]), part], 1) for part in ring),
        ),
        "all saturated": _lists(np.full(shape, (1 << 14) - 1), eta, phi),
        "all saturated in one cone": _lists(np.full(shape, (1 << 14) - 1), near[0], near[1]),
        "all equal": _lists(np.full(shape, 40), eta, phi),
        "all equal in a few cones": _lists(np.full(shape, 1), near[0] * 5, near[1] * 5),
        "all in one cone": _lists(pt, near[0] // 2, near[1] // 2),
        "around the half turn": _lists(pt, near[0], np.clip(half_turn, -720, 720)),
        "only at the half turn": _lists(pt, near[0], np.where(near[1] < 0, -720, 720)),
        "at the ends of eta": _lists(
            pt, np.where(near[0] < 0, -2048 - near[0], 2047 - near[0]), phi
        ),
        "every phi of 11 bits": _lists(pt, eta // 4, rng.integers(-1024, 1024, shape)),
        "four slots": _lists(pt[:, :4], eta[:, :4], phi[:, :4]),
        "more than 128": _lists(np.tile(pt, 2), np.tile(eta, 2), np.tile(near[1], 2)),
    }


def random_jets(n_events: int, rng: np.random.Generator) -> Jets:
    """Return jets without candidates: soft ones, hard ones, near every cut."""
    shape = n_events, 16
    scale = rng.choice([80, 400, 4000], (n_events, 1))
    pt = np.minimum(rng.exponential(scale, shape), (1 << 14) - 1)
    pt = np.where(rng.random(shape) < 0.1, rng.integers(118, 124, shape), pt)
    eta = rng.integers(-1100, 1101, shape)
    cut = rng.choice([298, 390, 550, 573, 688], shape) + rng.integers(-2, 3, shape)
    eta = np.where(rng.random(shape) < 0.2, cut * rng.choice([-1, 1], shape), eta)
    phi = rng.integers(-903, 904, shape)
    phi = np.where(rng.random(shape) < 0.2, 180 * rng.integers(-4, 5, shape), phi)
    pt[rng.random(shape) < rng.random((n_events, 1))] = 0
    pt[: n_events // 50] = (1 << 14) - 1
    lists = _lists(pt, eta, phi)
    return Jets(*lists.values(), np.zeros((n_events, 0), np.int8))
