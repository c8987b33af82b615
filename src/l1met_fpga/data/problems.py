"""What looks wrong in a file, from its histograms, one sentence each with what to do."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np

from l1met_fpga.config.data import Role
from l1met_fpga.data.counts import COUNT_MEANINGS
from l1met_fpga.data.totals import Totals
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES

__all__ = ["find_problems"]

_COUNTED: Final = (
    "truncated_events",
    "empty_events",
    "saturated_pt",
    "charged_weights_reset",
    "error_flag_events",
    "full_slot_events",
    "gen_met_fillers",
    "gen_met_all_zero",
    "background_gen_met",
    "puppi_met_fillers",
    "baseline_met_fillers",
)
"""Counts of the readers that a user should know of; the others are harmless."""


def find_problems(totals: Totals, counts: Counter[str], role: Role = "signal") -> tuple[str, ...]:
    """Look for what is wrong or suspicious.

    Args:
        totals: Histograms of the file.
        counts: What reading or converting it changed (:data:`COUNT_MEANINGS`), and of a store
            ``dirty_slots``, ``wrong_counts`` and ``repeated_events``.
        role: What the sample is for; background events need no generator MET.
    """
    if totals.n_events == 0:
        return ("the file has no events",)
    return (
        *_event_problems(totals, counts),
        *_candidate_problems(totals),
        *_met_problems(totals, role),
    )


def _event_problems(totals: Totals, counts: Counter[str]) -> Iterator[str]:
    counts = counts.copy()
    # A reader counts truncation only when it converts.
    counts["truncated_events"] = int(totals.multiplicity[N_CANDIDATES + 1 :].sum())
    for name in _COUNTED:
        if counts[name]:
            yield f"{counts[name]} {COUNT_MEANINGS[name]}"
    if counts["dirty_slots"]:
        yield f"{counts['dirty_slots']} values other than 0 in empty slots; convert the file again"
    if counts["wrong_counts"]:
        yield (
            f"{counts['wrong_counts']} events whose number of candidates disagrees with the filled "
            "slots; convert the file again"
        )
    if counts["repeated_events"]:
        yield (
            f"{counts['repeated_events']} events with the run, luminosity block and event number of "
            "an earlier one; was a file converted twice?"
        )


def _candidate_problems(totals: Totals) -> Iterator[str]:
    for name, histogram in totals.codes.items():
        column = COLUMNS[name]
        codes = np.arange(histogram.size) + column.type.min_code
        n_outside = int(histogram[(codes < column.low) | (codes > column.high)].sum())
        if n_outside:
            yield (
                f"{n_outside} candidates with {name} outside {column.low} to {column.high}, which "
                "has no meaning"
            )
    if totals.charged_weights_not_one:
        yield (
            f"{totals.charged_weights_not_one} charged candidates with a PUPPI weight other than 1"
        )
    weights = totals.codes["puppi_weight"]
    if np.count_nonzero(weights) == 1 and weights.sum() > 1:
        weight = int(np.argmax(weights)) * COLUMNS["puppi_weight"].lsb
        yield (
            f"every neutral candidate has the PUPPI weight {weight:g}; the source probably does not "
            "store it, do not train on this column"
        )


def _met_problems(totals: Totals, role: Role) -> Iterator[str]:
    if role == "signal" and totals.n_with_gen_met and totals.gen_met_sum_gev == 0:
        yield (
            f"the generator MET of all {totals.n_with_gen_met} events is zero, which is no truth; if "
            "they are pile-up only, convert with --role background"
        )
    n_without = totals.n_events - totals.n_with_gen_met
    if n_without and role == "signal":
        yield f"{n_without} events without generator MET; they cannot be trained on"
    if totals.n_source_met_far:
        yield (
            f"{totals.n_source_met_far} of {totals.n_with_source_met} events whose PUPPI MET in the "
            "source is over 1 GeV from that of their candidates; candidates are missing, weighted "
            "twice or of another collection"
        )
    if totals.n_hard > 20 and totals.n_hard_backward > totals.n_hard / 2:
        yield (
            f"the MET of the candidates points away from the generator MET in "
            f"{totals.n_hard_backward} of {totals.n_hard} events above 50 GeV; a sign is wrong"
        )
