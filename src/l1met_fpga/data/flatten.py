"""Thin out events so that their genMET spectrum is flat up to a limit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import FlattenConfig
from l1met_fpga.data.chunks import CHUNK_EVENTS
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store

__all__ = ["Flattening", "measure_flattening"]


@dataclass(frozen=True, slots=True)
class Flattening:
    """Probability to keep an event, by genMET.

    Attributes:
        bin_width_gev: Width of the bins, which start at 0.
        keep: Probability per bin, shape (n_bins,); 1 above the last bin.
        n_kept: Expected number of events that stay.
    """

    bin_width_gev: float
    keep: npt.NDArray[np.float64]
    n_kept: float

    def probability(self, gen_met_xy_gev: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the probability to keep each event, shape (n,)."""
        bins = _bins(gen_met_xy_gev, self.bin_width_gev)
        return np.append(self.keep, 1.0)[np.minimum(bins, len(self.keep))]


def measure_flattening(store: Store, part: Part | None, config: FlattenConfig) -> Flattening:
    """Measure the genMET spectrum of a part and choose how much of each bin to keep.

    Every bin below the limit keeps as many events as the emptiest one has, but no bin loses
    more than ``config.max_loss`` of its events.

    Args:
        store: Store with generator MET.
        part: Part to look at; None for all events.
        config: Limit, bin width and largest loss.
    """
    n_bins = int(np.ceil(config.below_gev / config.bin_width_gev))
    counts = np.zeros(n_bins + 1, np.int64)
    for start in range(0, store.n_events, CHUNK_EVENTS):
        events = slice(start, start + CHUNK_EVENTS)
        met = store.gen_met_xy_gev(events)
        if part is not None:
            met = met[store.parts(events) == part]
        met = met[np.isfinite(met).all(axis=1)]
        bins = np.minimum(_bins(met, config.bin_width_gev), n_bins)
        counts += np.bincount(bins, minlength=n_bins + 1)
    below = counts[:n_bins]
    level = below[below > 0].min(initial=counts.sum())
    keep = np.maximum(np.minimum(1.0, level / np.maximum(below, 1)), 1 - config.max_loss)
    return Flattening(config.bin_width_gev, keep, float(below @ keep + counts[n_bins]))


def _bins(met_xy_gev: npt.NDArray[np.floating], width_gev: float) -> npt.NDArray[np.int64]:
    bins: npt.NDArray[np.floating] = np.hypot(met_xy_gev[:, 0], met_xy_gev[:, 1]) // width_gev
    return bins.astype(np.int64)
