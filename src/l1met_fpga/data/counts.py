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
    "full_slot_events": "events that fill every slot of the source; it may have dropped candidates",
    "files_without_events": "files without events",
    "files_without_truth": "files whose generator MET is 0 in every event, which is none",
    "files_without_gen_met": "files without generator MET; their events cannot be trained on",
    "files_without_puppi_met": "files without a PUPPI MET to compare with that of the candidates",
    "files_without_charge": "files without charges; the sign is that of pdgId",
    "files_without_hardware_integers": "files without hardware integers; counts are made from floats",
    "files_without_vertex": "files without a vertex table; z0 stays along the beam",
    "files_without_event_id": "files without run, luminosity block or event number",
}
