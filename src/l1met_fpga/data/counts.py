"""What reading and converting changed or dropped, in words."""

from typing import Final

__all__ = ["COUNT_MEANINGS"]

COUNT_MEANINGS: Final = {
    "truncated_events": "events with more than 128 candidates",
    "truncated_candidates": "candidates lost above 128",
    "empty_events": "events without a candidate",
    "zero_pt_candidates": "candidates whose pt rounds to zero, removed",
    "saturated_pt": "candidates above 4095.75 GeV, set to it",
    "charged_weights_reset": "charged candidates with a PUPPI weight other than 1, set to 1",
    "error_flag_events": "events with the error flag in their header",
    "files_without_events": "files without events",
}
