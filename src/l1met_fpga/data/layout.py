"""Names of what a store holds, which are also the names of what is known of examples besides.

A store has one group per collection of rows (``candidates``): one flat dataset per column, and the
borders between examples. Everything else is one row per example.
"""

from typing import Final

from l1met_fpga.data.truth import Quantity

__all__ = [
    "BASELINES",
    "CANDIDATES",
    "EVENT_ID",
    "JETS",
    "JET_ETA",
    "JET_PT_GEV",
    "N_BEFORE_CUT",
    "N_PILEUP",
    "PART",
    "ROW_SPLITS",
    "TRUTH",
    "VERTEX",
    "dataset_of",
    "is_baseline",
]

CANDIDATES: Final = "candidates"
"""Collection of what the firmware receives."""
ROW_SPLITS: Final = "row_splits"
"""In each collection: where the rows of each example begin, int64, shape (n + 1,)."""
EVENT_ID: Final = "event_id"
PART: Final = "part"
N_BEFORE_CUT: Final = "n_candidates"
"""Candidates of an event before any were cut."""
N_PILEUP: Final = "n_pileup"
"""Collisions of the crossing beside the hard one; NaN where unknown."""
VERTEX: Final = "vertex_z0_cm"
"""z of the primary vertex; NaN where unknown."""
JET_PT_GEV: Final = "jet_pt_gev"
"""pt of a jet as the trigger finds it."""
JET_ETA: Final = "jet_eta"
"""Pseudorapidity of its axis; NaN where unknown."""
JETS: Final = (JET_PT_GEV, JET_ETA)
"""What is known of jets only."""
TRUTH: Final = "truth/"
"""In front of the names of truths."""
BASELINES: Final = "baselines/"
"""In front of the names of other algorithms' estimates."""

_FIXED: Final[dict[str, tuple[tuple[int, ...], str]]] = {
    EVENT_ID: ((3,), "<u8"),
    PART: ((), "|i1"),
    N_BEFORE_CUT: ((), "<i4"),
    N_PILEUP: ((), "<f4"),
    VERTEX: ((), "<f4"),
    JET_PT_GEV: ((), "<f4"),
    JET_ETA: ((), "<f4"),
}


def dataset_of(name: str) -> tuple[tuple[int, ...], str]:
    """Return the shape of one row and the type of a dataset with one row per example."""
    if name in _FIXED:
        return _FIXED[name]
    return Quantity.named(name.rpartition("/")[2]).shape, "<f4"


def is_baseline(name: str) -> bool:
    """Tell the estimates of other algorithms from what else is known."""
    return name.startswith(BASELINES)
