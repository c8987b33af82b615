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
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, COLUMNS, N_CANDIDATES

__all__ = ["ORDER_POLICIES", "order_and_truncate", "region_of"]

Keys = npt.NDArray[np.int64]

_ETA_EDGES: Final = np.array([-3, -2.5, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2.5, 3]) / ANGLE_LSB_RAD
_FIRST_REGION: Final = np.array([90, 72, 54, 0, 9, 18, 27, 36, 45, 63, 81, 99])
"""Number of the phi sector 0 in each eta range between the edges (forward, ..., forward)."""
_SECTOR_COUNTS: Final = 160
"""40 degrees."""


def region_of(eta: npt.NDArray[np.int16], phi: npt.NDArray[np.int16]) -> Keys:
    """Return the layer-1 correlator region of each candidate.

    Barrel 0-53 (6 ranges of eta, -1.5 to 1.5, times 9 sectors of phi), HGCal with tracks 54-71,
    HGCal without tracks 72-89, HF 90-107 (negative eta first). Sector 0 is centred at phi = 0.
    Source: CMSSW ``L1Trigger/Phase2L1ParticleFlow/python/l1ctLayer1_cff.py``, in the order of the
    merged collection ``l1tLayer1:Puppi``.

    Args:
        eta: Counts, any shape.
        phi: Counts, same shape.
    """
    sector = ((phi.astype(np.int64) + _SECTOR_COUNTS // 2) // _SECTOR_COUNTS) % 9
    return _FIRST_REGION[np.searchsorted(_ETA_EDGES, eta, side="right")] + sector


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
