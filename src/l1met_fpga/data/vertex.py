"""z0 of candidates as the distance to the primary vertex."""

from dataclasses import replace

import numpy as np

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import VERTEX
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.vertex import from_vertex, vertex_counts

__all__ = ["with_z0_from_vertex"]


def with_z0_from_vertex(events: Examples) -> Examples:
    """Replace z0 of charged candidates by the distance to the primary vertex.

    Distances, and vertices, beyond the column's range stay at its limit, as in the firmware
    (:mod:`l1met_fpga.puppi.vertex`); neutral candidates keep 0.

    Raises:
        DataError: If z0 or the vertex of an event is not known.
    """
    if "z0" not in events.columns or VERTEX not in events.besides:
        missing = "a vertex" if "z0" in events.columns else "z0 of the candidates"
        raise DataError(f"z0 from the vertex needs {missing}, which this file does not hold")
    vertex_cm = events.besides[VERTEX]
    unknown = int(np.count_nonzero(~np.isfinite(vertex_cm)))
    if unknown:
        raise DataError(f"{unknown} of {len(events)} events have no vertex; use z0: beam")
    vertex = np.repeat(vertex_counts(vertex_cm), events.counts)
    z0 = from_vertex(events.columns["z0"], events.columns["pid"], vertex)
    return replace(events, columns={**events.columns, "z0": z0})
