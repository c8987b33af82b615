"""Candidates of each jet: the ones with the highest pt, in slots of their own."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.puppi.columns import COLUMNS, Candidates
from l1met_fpga.puppi.jets import Jets

__all__ = ["MAX_CONSTITUENTS", "UNITS", "constituent_slots", "constituents"]

MAX_CONSTITUENTS: Final = 16
"""What the jet tagger of the trigger sees of a jet."""
UNITS: Final = {
    "eta": f"{COLUMNS['eta'].count_unit} from the candidate to the axis",
    "phi": f"{COLUMNS['phi'].count_unit} from the axis to the candidate",
    "dxy": "sqrt(|dxy| / cm) / 64",
}
"""What one count of a column means inside a jet, where that is something else than in an event."""


def constituent_slots(
    jets: Jets, pt: npt.NDArray[np.int16], *, n_slots: int = MAX_CONSTITUENTS
) -> npt.NDArray[np.int64]:
    """Return where the candidates of each jet are.

    Args:
        jets: With the candidates that they were found in.
        pt: Of these candidates, counts, shape (n_events, n_candidates).
        n_slots: Candidates per jet at most.

    Returns:
        Slots of the candidates of each jet in falling pt, of equal ones the earlier first, -1
        behind the last, shape (n_events, n_jets, n_slots).
    """
    n_events, n_jets = jets.pt.shape
    owner = np.where(jets.owner < 0, n_jets, jets.owner).astype(np.int64)
    key = (owner << COLUMNS["pt"].type.width) - pt
    order = np.argsort(key, axis=1, kind="stable")
    cell = (owner + (n_jets + 1) * np.arange(n_events)[:, None]).ravel()
    counts = np.bincount(cell, minlength=n_events * (n_jets + 1)).reshape(n_events, n_jets + 1)
    first, place = (np.cumsum(counts, axis=1) - counts)[:, :-1, None], np.arange(n_slots)
    wanted = np.where(place < counts[:, :-1, None], first + place, -1)
    return _behind(order, -1)[np.arange(n_events)[:, None, None], wanted]


def _behind(values: npt.NDArray[Any], last: int) -> npt.NDArray[Any]:
    """Put one more slot behind those of each event: where index -1 leads."""
    return np.pad(values, ((0, 0), (0, 1)), constant_values=last)


def constituents(
    candidates: Candidates, jets: Jets, *, n_slots: int = MAX_CONSTITUENTS
) -> dict[str, npt.NDArray[np.int16]]:
    """Return every column of the candidates of each jet, zero where there is none.

    Args:
        candidates: Columns, shape (n_events, n_candidates), in which the jets were found.
        jets: The jets.
        n_slots: Candidates per jet at most.

    Returns:
        The same columns, shape (n_events, n_jets, n_slots).
    """
    slots = constituent_slots(jets, candidates["pt"], n_slots=n_slots)
    event = np.arange(len(slots))[:, None, None]
    return {name: _behind(codes, 0)[event, slots] for name, codes in candidates.items()}
