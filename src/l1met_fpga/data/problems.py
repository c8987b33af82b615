"""What looks wrong in a file, from its histograms, one sentence each with what to do."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from l1met_fpga.config.data import Role
from l1met_fpga.data.counts import COUNT_MEANINGS
from l1met_fpga.data.totals import Histogram, Totals
from l1met_fpga.data.truth import CANDIDATE_SUMS, TRUTHS, Quantity
from l1met_fpga.puppi.columns import N_CANDIDATES, STORED_COLUMNS, ParticleId
from l1met_fpga.puppi.words import CHARGED_ONLY, NEUTRAL_ONLY

__all__ = ["find_problems"]

_COUNTED: Final = (
    "truncated_events",
    "empty_events",
    "saturated_pt",
    "charged_weights_reset",
    "error_flag_events",
    "weighted_events",
    "full_slot_events",
    *(f"{truth.key}_fillers" for truth in TRUTHS.values()),
    *(f"{truth.key}_all_zero" for truth in TRUTHS.values()),
    *(f"background_{truth.key}" for truth in TRUTHS.values()),
    "baseline_fillers",
    "vertex_fillers",
)
"""Counts of the readers that a user should know of; the others are harmless."""


_SIGMAS: Final = 5
_MIN_FULL, _PILE_FULL = 20, 5
_PILE: Final = 20
_NEIGHBOURS: Final = 64
"""Codes on each side, 0.28 in eta and phi: further than the cells of any part of the detector."""
_SMOOTH: Final = ("eta", "phi", "z0")
_CHARGES: Final = (
    ("hadrons", ParticleId.HADRON_MINUS, ParticleId.HADRON_PLUS),
    ("electrons", ParticleId.ELECTRON_MINUS, ParticleId.ELECTRON_PLUS),
    ("muons", ParticleId.MUON_MINUS, ParticleId.MUON_PLUS),
)


def find_problems(
    totals: Totals, counts: Counter[str], role: Role = "signal", rows: str = "event"
) -> tuple[str, ...]:
    """Look for what is wrong or suspicious.

    Args:
        totals: Histograms of the file.
        counts: What reading or converting it changed (:data:`COUNT_MEANINGS`), and of a store
            ``empty_rows``, ``wrong_counts`` and ``repeated_events``.
        role: What the sample is for; background events need no truth.
        rows: What an example is; an element is the first of its own rows, at distance 0.
    """
    if totals.n_events == 0:
        return ("the file has no events",)
    return (
        *_event_problems(totals, counts),
        *_candidate_problems(totals, ("z0",) if rows == "element" else _SMOOTH),
        *(_truth_problems(totals) if role == "signal" else ()),
        *_sum_problems(totals),
    )


def _event_problems(totals: Totals, counts: Counter[str]) -> Iterator[str]:
    counts = counts.copy()
    # A reader counts truncation only when it converts.
    counts["truncated_events"] = int(totals.multiplicity[N_CANDIDATES + 1 :].sum())
    for name in _COUNTED:
        if counts[name]:
            yield f"{counts[name]} {COUNT_MEANINGS[name]}"
    if not counts["full_slot_events"]:
        yield from _full_events(totals)
    if counts["other_content"]:
        yield "the events are not those that the store was made with; it was changed afterwards"
    if counts["empty_rows"]:
        yield f"{counts['empty_rows']} candidates without pt; convert the file again"
    if counts["wrong_counts"]:
        yield (
            f"{counts['wrong_counts']} events whose number of candidates disagrees with those that "
            "are there; convert the file again"
        )
    if counts["repeated_events"]:
        yield (
            f"{counts['repeated_events']} events with the run, luminosity block and event number of "
            "an earlier one; was a file converted twice?"
        )


def _full_events(totals: Totals) -> Iterator[str]:
    """Name a number of candidates at which a source of fixed slots cuts its events."""
    most = int(np.flatnonzero(totals.multiplicity)[-1])
    n = int(totals.multiplicity[most])
    below = totals.multiplicity[max(most - 5, 0) : most]
    if n >= _MIN_FULL and n > _PILE_FULL * below.max(initial=0) and most > 1:
        yield (
            f"{n} of {totals.n_events} events have {most} candidates, and none has more; the source "
            "was probably cut there"
        )


def _candidate_problems(totals: Totals, smooth: Sequence[str]) -> Iterator[str]:
    for name, histogram in totals.codes.items():
        column = STORED_COLUMNS[name]
        codes = np.arange(histogram.size) + column.type.min_code
        n_outside = int(histogram[(codes < column.low) | (codes > column.high)].sum())
        if n_outside:
            yield (
                f"{n_outside} candidates with {name} outside {column.low} to {column.high}, which "
                "has no meaning"
            )
        if totals.beyond[name]:
            yield (
                f"{totals.beyond[name]} candidates with {name} beyond its type "
                f"({column.type.min_code} to {column.type.max_code}), in no figure"
            )
        yield from _constant(name, histogram)
        if name in smooth:
            yield from _piled_up(name, histogram)
    yield from _signs(totals)
    if totals.charged_weights_not_one:
        yield (
            f"{totals.charged_weights_not_one} charged candidates with a PUPPI weight other than 1"
        )


def _constant(name: str, histogram: Histogram) -> Iterator[str]:
    """Name a column with one value: its source probably does not store it."""
    if name == "pid" or np.count_nonzero(histogram) != 1 or histogram.sum() < 2:
        return
    column = STORED_COLUMNS[name]
    value = (int(np.argmax(histogram)) + column.type.min_code) * column.lsb
    kind = {**dict.fromkeys(CHARGED_ONLY, "charged "), **dict.fromkeys(NEUTRAL_ONLY, "neutral ")}
    what = "the PUPPI weight" if name == "puppi_weight" else f"the {name}"
    yield (
        f"every {kind.get(name, '')}candidate has {what} {f'{value:g} {column.unit}'.strip()}; the "
        "source probably does not store it, do not train on this column"
    )


def _piled_up(name: str, histogram: Histogram) -> Iterator[str]:
    """Name the code that holds far more candidates than the codes around it do.

    Only where the physics is smooth; the limits of z0 hold what lies beyond them.
    """
    if np.count_nonzero(histogram) < 2:
        return
    column = STORED_COLUMNS[name]
    first = column.low - column.type.min_code + (name == "z0")
    last = column.high - column.type.min_code - (name == "z0")
    top = first + int(np.argmax(histogram[first : last + 1]))
    around = np.delete(histogram, top)[max(top - _NEIGHBOURS, 0) : top + _NEIGHBOURS]
    # Detectors have cells, so codes between them are empty; those say nothing about the level.
    level = float(np.median(around[around > 0])) if (around > 0).any() else 0.0
    n, total = int(histogram[top]), int(histogram.sum())
    if n > max(_PILE * max(level, 1.0), total / 1000):
        code = top + column.type.min_code
        yield (
            f"{n} of {total} candidates have {name} = {f'{code * column.lsb:.4g} {column.unit}'.strip()}"
            f" (code {code}), the codes around it {level:.0f} each; a default that was filled in?"
        )


def _signs(totals: Totals) -> Iterator[str]:
    """Name types of which one charge is nearly missing, which chance cannot do."""
    by_pid = totals.pt_by_pid.sum(axis=1)
    for name, minus, plus in _CHARGES:
        few, many = sorted((int(by_pid[minus]), int(by_pid[plus])))
        if _is_significant(many, few + many) and few < (few + many) / 4:
            side = "negative" if by_pid[minus] < by_pid[plus] else "positive"
            yield (
                f"{few} of {few + many} charged {name} are {side}; the sign of the charge was lost "
                "(absolute pdgId without a charge?)"
            )


def _is_significant(n: int, total: int) -> bool:
    """Tell whether ``n`` of ``total`` is more than a fair coin gives, by five sigma."""
    return n > total / 2 + _SIGMAS * math.sqrt(total) / 2


_HINT: Final = "; if they are pile-up only, convert with --role background"


def _truth_problems(totals: Totals) -> Iterator[str]:
    if not totals.truths:
        yield f"{totals.n_events} events without any truth; they cannot be trained on{_HINT}"
    for name, sizes in totals.truths.items():
        truth, title = Quantity.named(name), Quantity.named(name).title
        if truth.unit == "gev" and sizes.n and sizes.sum_gev == 0:
            yield f"the {title} of all {sizes.n} events is zero, which is no truth{_HINT}"
        elif truth.kind == "vector" and 2 * sizes.n_zero > sizes.n:
            yield (
                f"the {title} of {sizes.n_zero} of {sizes.n} events is exactly zero; was it filled "
                "in all of them?"
            )
        n_without = totals.n_events - sizes.n
        if n_without:
            hint = "" if sizes.n else _HINT
            yield f"{n_without} events without {title}; they cannot be trained on{hint}"


def _sum_problems(totals: Totals) -> Iterator[str]:
    what = CANDIDATE_SUMS["vector"]
    if totals.n_source_sum_far:
        yield (
            f"{totals.n_source_sum_far} of {totals.n_with_source_sum} events whose {what} in the "
            "source is over 1 GeV from that of their candidates; candidates are missing, weighted "
            "twice or of another collection"
        )
    for name, n_hard in totals.n_hard.items():
        if _is_significant(totals.n_hard_backward[name], n_hard):
            yield (
                f"the {what} of the candidates points away from the {Quantity.named(name).title} in "
                f"{totals.n_hard_backward[name]} of {n_hard} events above 50 GeV; a sign is wrong"
            )
