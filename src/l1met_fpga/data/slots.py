"""The slots of a network: how many candidates of an event it sees."""

import logging

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.puppi.columns import N_CANDIDATES, Candidates

__all__ = ["all_slots", "count_cut", "first_slots", "tell_cut"]

logger = logging.getLogger(__name__)


def all_slots(examples: Examples) -> dict[str, npt.NDArray[np.int16]]:
    """Return every candidate of examples in fixed slots, :data:`N_CANDIDATES` of them or more."""
    return examples.padded(max(N_CANDIDATES, int(examples.counts.max(initial=0))))


def first_slots(candidates: Candidates, n_slots: int, *, of: str | None = None) -> Candidates:
    """Return what a network with so many slots sees, whatever form it has.

    Stores have 128 slots; a network with fewer takes the first ones of every event, in the store's
    order, in training as in firmware.

    Args:
        candidates: Columns, shape (n_events, slots given).
        n_slots: Slots of the network.
        of: Whose events they are ("test events of ttbar.h5"): a message then tells how many
            candidates are cut.

    Returns:
        Columns, shape (n_events, at most n_slots).
    """
    if np.shape(candidates["pt"])[1] <= n_slots:
        return candidates
    if of is not None:
        tell_cut(of, n_slots, *count_cut(candidates, n_slots))
    return {name: np.asarray(codes)[:, :n_slots] for name, codes in candidates.items()}


def count_cut(candidates: Candidates, n_slots: int) -> tuple[int, int]:
    """Return how many candidates are behind so many slots, and how many there are in all."""
    filled = np.asarray(candidates["pt"]) > 0
    return int(np.count_nonzero(filled[:, n_slots:])), int(np.count_nonzero(filled))


def tell_cut(of: str, n_slots: int, cut: int, all_candidates: int) -> None:
    """Say that candidates are cut, if any are."""
    if cut:
        logger.warning(
            "%s: the network has %d slots; %d of %d candidates are behind them and are cut",
            of, n_slots, cut, all_candidates,
        )  # fmt: skip
