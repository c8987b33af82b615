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
    "weighted_events": "events whose genWeight differs from that of the first ones; weights are not used, "
    "every event counts once",
    "full_slot_events": "events that fill all slots of the source, fewer than 128; candidates may be "
    "missing",
    "gen_met_fillers": "events whose generator MET is no MET (negative, above 14 TeV, not finite, or "
    "beyond a turn): no truth",
    "puppi_met_fillers": "events whose PUPPI MET in the source is no MET, left out",
    "baseline_met_fillers": "values of other algorithms' MET that are no MET, left out",
    "vertex_fillers": "events whose primary vertex is none (beyond 1 m), left out",
    "gen_met_missing": "events without generator MET (pile-up-only events need --role background)",
    "gen_met_all_zero": "events of files whose generator MET is zero throughout, which is no truth "
    "(pile-up-only events need --role background)",
    "gen_met_mostly_zero": "events whose generator MET is exactly zero, more than half; was it filled in "
    "all of them?",
    "background_gen_met": "background events whose generator MET was not zero, set to zero",
    "files_without_events": "files without events",
    "files_without_gen_met": "files without a generator MET",
    "files_without_puppi_met": "files without a PUPPI MET to compare with that of the candidates",
    "files_without_charge": "files without charges; the sign is that of pdgId",
    "files_without_hardware_integers": "files without hardware integers; counts are made from floats",
    "files_without_vertex": "files without a vertex table; z0 stays along the beam",
    "files_without_event_id": "files without run, luminosity block or event number",
}
