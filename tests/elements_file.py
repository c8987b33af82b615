"""Elements of random events as the simulation gives them, without a simulation."""

import numpy as np

from l1met_fpga.simulation.elements import CANDIDATE, ELEMENT, LINK, PARTICLE
from l1met_fpga.simulation.flow_ntuple import FlowBranches

LIMITS = {
    "pt": (0.5, 50), "energy": (0.5, 50), "eta": (-2, 2), "vertexEta": (-2, 2), "phi": (-3, 3),
    "vertexPhi": (-3, 3), "kind": (0, 4), "charge": (-1, 2), "looks": (1, 6), "class": (1, 6),
    "hard": (0, 2), "element": (0, 20), "particle": (0, 12), "z0": (-5, 5),
}  # fmt: skip
"""Of random numbers; 0 to 1 for the rest."""
SIZES = {"Element": (20, ELEMENT), "Particle": (12, PARTICLE), "Link": (30, LINK), "Candidate": (9, CANDIDATE)}  # fmt: skip
INTEGERS = {"kind", "charge", "looks", "class", "hard", "element", "particle"}


def random_elements(n: int, seed: int = 0) -> FlowBranches:
    """Branches of n events of the same size."""
    rng = np.random.default_rng(seed)
    zeros = {
        name: np.zeros(n, np.float32)
        for name in ("genMet_pt", "genMet_phi", "L1Vertex_z0", "GenVertex_z0")
    }
    counted = {"event": np.arange(n, dtype=np.uint64), "Pileup_nPU": np.zeros(n, np.int32)}
    found: FlowBranches = {"": (np.ones(n, np.int64), {**zeros, **counted})}
    for name, (size, columns) in SIZES.items():
        drawn = {column: rng.uniform(*LIMITS.get(column, (0, 1)), n * size) for column in columns}
        found[name] = (
            np.full(n, size),
            {
                column: np.floor(values).astype(np.int16)
                if column in INTEGERS
                else values.astype(np.float32)
                for column, values in drawn.items()
            },
        )
    return found
