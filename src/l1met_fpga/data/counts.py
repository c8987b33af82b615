"""What reading and converting changed or dropped, in words."""

from typing import Final

from l1met_fpga.data.truth import TRUTHS, Quantity

__all__ = ["COUNT_MEANINGS"]


def _of_truth(truth: Quantity) -> dict[str, str]:
    key, title = truth.key, truth.title
    rows = f"{truth.rows}s"
    hint = " (pile-up-only events need --role background)" if truth.rows == "event" else ""
    return {
        f"{key}_fillers": f"{rows} whose {title} is none ({truth.fillers}): no truth",
        f"{key}_missing": f"{rows} without {title}{hint}",
        f"{key}_all_zero": f"{rows} of files whose {title} is zero throughout, which is no truth{hint}",
        f"{key}_mostly_zero": f"{rows} whose {title} is exactly zero, more than half; was it filled in all "
        "of them?",
        f"background_{key}": f"background {rows} whose {title} was not zero, set to zero",
        f"files_without_{key}": f"files without {title}",
    }


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
    "vertex_fillers": "events whose primary vertex is none (beyond 1 m), left out",
    "files_without_events": "files without events",
    "files_without_charge": "files without charges; the sign is that of pdgId",
    "files_without_hardware_integers": "files without hardware integers; counts are made from floats",
    "files_without_vertex": "files without a vertex table; z0 stays along the beam",
    "files_without_event_id": "files without run, luminosity block or event number",
    "baseline_fillers": "values of other algorithms that are none, left out",
    "jets_outside": "jets outside of the tagger's selection (pt above 15 GeV, |eta| below 2.4, not "
    "rejected, generated pt above 5 GeV), left out",
    "jets_without_class": "jets of no class (no generated jet, or flavour unknown); they cannot be "
    "trained on",
    "jets_without_constituents": "jets without a constituent",
    "jets_with_more_constituents": "jets with more than 16 constituents, the softer ones cut",
    "unsorted_jets": "jets whose constituents were not in falling pt, sorted",
    "negative_weight_jets": "jets with a negative weight; weights are not used, every jet counts once",
    "taus_without_charge": "jets with a tau of charge 0, of no class",
    "particles": "generated particles that an element holds energy of, or above 1 GeV and |eta| < 5.06",
    "particles_without_element": "of these, particles without an element: lost",
    "particle_gev": "GeV, sum of the pt of these particles",
    "particle_gev_without_element": "GeV of it lost with particles without an element",
    "files_without_puppi_met": "files without the sum of the candidates that the trigger computed",
} | {name: meaning for truth in TRUTHS.values() for name, meaning in _of_truth(truth).items()}
