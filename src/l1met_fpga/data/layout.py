"""Names of what a store holds, which are also the names of what is known of examples besides.

A store has one group per collection of rows (``candidates``): one flat dataset per column, and the
borders between examples. Everything else is one row per example.
"""

from typing import Final

from l1met_fpga.data.truth import Quantity

__all__ = [
    "BASELINES",
    "CANDIDATES",
    "ELEMENTS",
    "ELEMENT_ETA",
    "ELEMENT_PHI",
    "ELEMENT_PT_GEV",
    "EVENT_ID",
    "JETS",
    "JET_ETA",
    "JET_PT_GEV",
    "N_BEFORE_CUT",
    "N_PILEUP",
    "PART",
    "ROW_SPLITS",
    "RULE_CLASS",
    "RULE_PT_GEV",
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
ELEMENT_PT_GEV: Final = "element_pt_gev"
"""pt of a track or cluster as the detector gives it."""
ELEMENT_ETA: Final = "element_eta"
ELEMENT_PHI: Final = "element_phi_rad"
"""Its place at the calorimeter."""
RULE_CLASS: Final = "rule_class"
"""Number of the class that rule-based particle flow gives it."""
RULE_PT_GEV: Final = "rule_pt_gev"
"""pt that the rules leave it; 0 for none."""
ELEMENTS: Final = (ELEMENT_PT_GEV, ELEMENT_ETA, ELEMENT_PHI, RULE_CLASS, RULE_PT_GEV)
"""What is known of elements only."""
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
    **dict.fromkeys(ELEMENTS, ((), "<f4")),
}


def dataset_of(name: str) -> tuple[tuple[int, ...], str]:
    """Return the shape of one row and the type of a dataset with one row per example."""
    if name in _FIXED:
        return _FIXED[name]
    return Quantity.named(name.rpartition("/")[2]).shape, "<f4"


def is_baseline(name: str) -> bool:
    """Tell the estimates of other algorithms from what else is known."""
    return name.startswith(BASELINES)
