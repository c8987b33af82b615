"""Order of the candidates of an event, and what is lost above 128.

The order in which candidates reach the algorithm decides which ones are truncated, so it is a
choice that goes with the store; train with the one that is deployed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.errors import ConfigError
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES
from l1met_fpga.puppi.regions import region_of

__all__ = ["ORDER_POLICIES", "order_and_truncate"]

Keys = npt.NDArray[np.int64]


def _by_pt(events: Examples) -> Keys:
    return COLUMNS["pt"].high - events.columns["pt"].astype(np.int64)


def _by_region(events: Examples) -> Keys:
    region = region_of(events.columns["eta"], events.columns["phi"])
    return (region << COLUMNS["pt"].type.width) | _by_pt(events)


ORDER_POLICIES: Final[dict[str, Callable[[Examples], Keys] | None]] = {
    "as_is": None,
    "pt": _by_pt,
    "region": _by_region,
}
"""Sort key (below 2^24) per candidate; equal keys keep the order of the file."""


def order_and_truncate(events: Examples, policy: str, tally: Counter[str]) -> Examples:
    """Bring candidates into order and drop those beyond 128.

    Args:
        events: Events with any number of candidates.
        policy: ``as_is`` (order of the file), ``pt`` (hardest first) or ``region`` (by region of
            the correlator, hardest first inside).
        tally: Counts ``truncated_events`` and ``truncated_candidates``.

    Raises:
        ConfigError: If there is no such policy.
    """
    if policy not in ORDER_POLICIES:
        raise ConfigError(f"unknown order {policy!r}; choose from {', '.join(ORDER_POLICIES)}")
    key_of = ORDER_POLICIES[policy]
    if key_of is not None:
        order = np.argsort((events.example_of_rows << 24) | key_of(events), kind="stable")
        columns = {name: values[order] for name, values in events.columns.items()}
        events = replace(events, columns=columns)
    too_long = int((events.counts > N_CANDIDATES).sum())
    if not too_long:
        return events
    kept = events.first_rows(N_CANDIDATES)
    tally["truncated_events"] += too_long
    tally["truncated_candidates"] += events.n_rows - kept.n_rows
    return kept
