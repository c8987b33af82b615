"""Events on their way from a reader to a store: ragged, hardware integers, checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, N_CANDIDATES
from l1met_fpga.puppi.sums import event_of_rows
from l1met_fpga.puppi.words import is_charged

__all__ = ["EventBatch", "concatenate", "no_met"]


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Consecutive events; the candidates of all of them lie one after the other.

    Attributes:
        counts: Candidates held per event, int64, shape (n_events,).
        columns: Hardware integers by column name, int16, shape (counts.sum(),), ``pt > 0``.
        n_candidates: Candidates per event before any truncation, int64, shape (n_events,).
        event_id: Run, luminosity block and event number, uint64, shape (n_events, 3).
        gen_met_xy_gev: Generator MET, px and py, shape (n_events, 2); NaN where unknown.
        puppi_met_xy_gev: PUPPI MET of the source, same layout; NaN where unknown.
        vertex_z0_cm: z of the primary vertex, shape (n_events,), NaN where unknown; or None.
        baselines: MET of the source's other algorithms by name, shape (n_events, 2), GeV; NaN
            where unknown.
    """

    counts: npt.NDArray[np.int64]
    columns: dict[str, npt.NDArray[np.int16]]
    n_candidates: npt.NDArray[np.int64]
    event_id: npt.NDArray[np.uint64]
    gen_met_xy_gev: npt.NDArray[np.float64]
    puppi_met_xy_gev: npt.NDArray[np.float64]
    vertex_z0_cm: npt.NDArray[np.float64] | None = None
    baselines: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.counts)

    def padded(
        self, name: str, *, filled: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.int16]:
        """Return one column with zeros behind the last candidate of each event.

        Args:
            name: Column name.
            filled: :meth:`filled`, if the caller needs it for several columns.

        Returns:
            int16, shape (n_events, 128).
        """
        mask = self.filled() if filled is None else filled
        result = np.zeros(mask.shape, np.int16)
        result[mask] = self.columns[name]
        return result

    def filled(self) -> npt.NDArray[np.bool_]:
        """Return which of the 128 slots hold a candidate, shape (n_events, 128)."""
        return np.arange(N_CANDIDATES) < self.counts[:, None]

    def select_candidates(self, chosen: npt.NDArray[np.bool_]) -> "EventBatch":
        """Keep the candidates where ``chosen`` (shape (counts.sum(),)) is true."""
        event = event_of_rows(self.counts)
        return replace(
            self,
            counts=np.bincount(event[chosen], minlength=self.n_events),
            columns={name: values[chosen] for name, values in self.columns.items()},
        )

    def with_z0_from_vertex(self) -> "EventBatch":
        """Replace z0 of charged candidates by the distance to the primary vertex.

        Distances beyond the column's range stay at its limit; neutral candidates keep 0.

        Raises:
            DataError: If z0 or the vertex of an event is not known.
        """
        if "z0" not in self.columns or self.vertex_z0_cm is None:
            missing = "a vertex" if "z0" in self.columns else "z0 of the candidates"
            raise DataError(f"z0 from the vertex needs {missing}, which this file does not hold")
        unknown = int(np.count_nonzero(~np.isfinite(self.vertex_z0_cm)))
        if unknown:
            raise DataError(f"{unknown} of {self.n_events} events have no vertex; use z0: beam")
        column = COLUMNS["z0"]
        vertex = np.rint(self.vertex_z0_cm / column.lsb).astype(np.int64)
        distance = self.columns["z0"] - np.repeat(vertex, self.counts)
        charged = is_charged(self.columns["pid"])
        z0 = np.where(charged, np.clip(distance, column.low, column.high), 0).astype(np.int16)
        return replace(self, columns={**self.columns, "z0": z0})


def no_met(n_events: int) -> npt.NDArray[np.float64]:
    """Return the MET of events that have none: NaN, shape (n_events, 2)."""
    return np.full((n_events, 2), np.nan)


def concatenate(batches: Sequence[EventBatch]) -> EventBatch:
    """Join batches that have the same columns and baselines."""
    vertices = [batch.vertex_z0_cm for batch in batches if batch.vertex_z0_cm is not None]
    return EventBatch(
        counts=np.concatenate([batch.counts for batch in batches]),
        columns={
            name: np.concatenate([batch.columns[name] for batch in batches])
            for name in batches[0].columns
        },
        n_candidates=np.concatenate([batch.n_candidates for batch in batches]),
        event_id=np.concatenate([batch.event_id for batch in batches]),
        gen_met_xy_gev=np.concatenate([batch.gen_met_xy_gev for batch in batches]),
        puppi_met_xy_gev=np.concatenate([batch.puppi_met_xy_gev for batch in batches]),
        vertex_z0_cm=np.concatenate(vertices) if vertices else None,
        baselines={
            name: np.concatenate([batch.baselines[name] for batch in batches])
            for name in batches[0].baselines
        },
    )
