"""The vectors of one event that a picture shows: generator, candidates, network."""

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import CANDIDATE_SUMS, Quantity
from l1met_fpga.firmware.reference import evaluate
from l1met_fpga.models.network import Network
from l1met_fpga.prediction.effects import shown_head
from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.sums import event_sums

__all__ = ["event_vectors"]


def event_vectors(event: Examples, network: Network | None) -> dict[str, npt.NDArray[np.float64]]:
    """Return px, py in GeV of the vectors of one event by name, as far as they are known."""
    known = {Quantity.named(name): values for name, values in event.truth.items()}
    result = {
        truth.title: values[0]
        for truth, values in known.items()
        if truth.kind == "vector" and truth.is_known(values).all()
    }
    result[CANDIDATE_SUMS["vector"]] = event_sums(event.columns, event.counts)["vector"][0]
    if network is not None and (head := shown_head(network)).kind == "vector":
        padded = event.first_rows(N_CANDIDATES).padded(N_CANDIDATES)
        columns = {name: padded[name] for name in network.columns}
        values = network.values(evaluate(network, columns))
        result[f"network {head.name.upper()}"] = values[head.name][0]
    return result
