"""Write tests/data/imported: `L1MET_PACKAGES=DIR python tests/models/record_imported.py hgq2|qonnx`."""

import gzip
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))
import hgq2_models
import qonnx_models

from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.importing import hgq2, qonnx
from l1met_fpga.models.importing.assemble import assemble
from l1met_fpga.models.importing.inputs import input_arrays
from l1met_fpga.tasks.met.task import MET

EVENTS = 40
SLOTS = 8


def from_hgq2():
    """A model of the real HGQ2 in steps, and how to ask it."""
    hgq2_models.require_hgq2()
    model = hgq2_models.deepset(seed=1)
    return hgq2.read_graph(model), hgq2.runner(model), hgq2_models.INPUTS


def from_qonnx():
    """A graph as the real qonnx has it, and how to ask it."""
    qonnx_models.require_qonnx()
    with TemporaryDirectory() as folder:
        model = qonnx.load_qonnx(qonnx_models.deepset(Path(folder) / "model.onnx", seed=5))
    return qonnx.read_graph(model), qonnx.runner(model), {"x": qonnx_models.CHANNELS}


def main(source: str) -> None:
    """Keep what the real package gives for random candidates."""
    graph, run, inputs = {"hgq2": from_hgq2, "qonnx": from_qonnx}[source]()
    found = assemble(graph, MET, name="theirs", inputs=inputs, result_type=None, run=run)
    events = stress_events(np.random.default_rng(5), n_random=2 * EVENTS, n_slots=SLOTS)
    candidates = {k: v[-EVENTS:] for k, v in events.items()}
    momentum = next(node for node in found.network if node.op == "momentum")
    p = momentum.type.decode(evaluate_nodes(found.network, candidates)[momentum.name])
    arrays = input_arrays(found.held, candidates, p)
    tensors = found.run(arrays, [name for name, _ in found.compared.values()])
    recorded = {
        "graph": graph.model_dump(mode="json"),
        "candidates": {k: v.tolist() for k, v in candidates.items()},
        "tensors": {k: v.tolist() for k, v in tensors.items()},
    }
    text = json.dumps(recorded, separators=(",", ":"))
    path = TESTS / "data" / "imported" / f"{source}_deepset.json.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
