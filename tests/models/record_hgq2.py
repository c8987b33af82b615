"""Write tests/data/imported/hgq2_deepset.json.gz: `L1MET_PACKAGES=DIR python tests/models/record_hgq2.py`."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
import hgq2_models

from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.heads import MET
from l1met_fpga.models.importing.assemble import assemble
from l1met_fpga.models.importing.hgq2 import read_graph, runner
from l1met_fpga.models.importing.inputs import input_arrays

EVENTS = 40


def main() -> None:
    """Build the model with the real package and keep what it gives."""
    hgq2_models.require_hgq2()
    model = hgq2_models.deepset()
    graph = read_graph(model)
    found = assemble(
        graph, MET, name="theirs", inputs=hgq2_models.INPUTS, result_type=None, run=runner(model)
    )
    events = stress_events(np.random.default_rng(5), n_random=2 * EVENTS, n_slots=hgq2_models.SLOTS)
    candidates = {k: v[-EVENTS:] for k, v in events.items() if k in found.network.columns}
    momentum = next(node for node in found.network if node.op == "momentum")
    p = momentum.type.decode(evaluate_nodes(found.network, candidates)[momentum.name])
    tensors = found.run(
        input_arrays(found.held, candidates, p), [name for name, _ in found.compared.values()]
    )
    recorded = {
        "graph": graph.model_dump(mode="json"),
        "candidates": {k: v.tolist() for k, v in candidates.items()},
        "tensors": {k: v.tolist() for k, v in tensors.items()},
    }
    folder = Path(__file__).parent.parent / "data" / "imported"
    text = json.dumps(recorded, separators=(",", ":"))
    (folder / "hgq2_deepset.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
