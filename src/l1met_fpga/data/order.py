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

from l1met_fpga.data.batch import EventBatch
from l1met_fpga.errors import ConfigError
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES
from l1met_fpga.puppi.regions import region_of

__all__ = ["ORDER_POLICIES", "order_and_truncate"]

Keys = npt.NDArray[np.int64]


def _by_pt(batch: EventBatch) -> Keys:
    return COLUMNS["pt"].high - batch.columns["pt"].astype(np.int64)


def _by_region(batch: EventBatch) -> Keys:
    region = region_of(batch.columns["eta"], batch.columns["phi"])
    return (region << COLUMNS["pt"].type.width) | _by_pt(batch)


ORDER_POLICIES: Final[dict[str, Callable[[EventBatch], Keys] | None]] = {
    "as_is": None,
    "pt": _by_pt,
    "region": _by_region,
}
"""Sort key (below 2^24) per candidate; equal keys keep the order of the file."""


def order_and_truncate(batch: EventBatch, policy: str, tally: Counter[str]) -> EventBatch:
    """Bring candidates into order and drop those beyond 128.

    Args:
        batch: Events with any number of candidates.
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
        event = np.repeat(np.arange(batch.n_events), batch.counts)
        order = np.argsort((event << 24) | key_of(batch), kind="stable")
        columns = {name: values[order] for name, values in batch.columns.items()}
        batch = replace(batch, columns=columns)
    too_long = [int(event) for event in np.flatnonzero(batch.counts > N_CANDIDATES)]
    if too_long:
        kept = np.ones(int(batch.counts.sum()), bool)
        stops = np.cumsum(batch.counts)
        for long in too_long:
            kept[stops[long] - batch.counts[long] + N_CANDIDATES : stops[long]] = False
        tally["truncated_events"] += len(too_long)
        tally["truncated_candidates"] += int(np.count_nonzero(~kept))
        batch = replace(
            batch,
            counts=np.minimum(batch.counts, N_CANDIDATES),
            columns={name: values[kept] for name, values in batch.columns.items()},
        )
    return batch
