"""The perceptron of the shipped default network as alkaid computes it: the same integers.

Only weights, types and modes are handed over. Alkaid casts the weights of ``x @ W`` to float32 and
saturates wrongly from 26 bits on (see ``findings/``); nothing here is as wide.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracle_tools import environment_python

from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.models.network import Network

pytestmark = [pytest.mark.slow, pytest.mark.oracle("alkaid")]

MODELS = Path(__file__).parents[2] / "models"
TRACE = """
import json
import numpy as np
from alkaid.trace import FVArrayInput, trace
told = json.load(open("layers.json"))
given = np.load("given.npy")
k, i, f = told["input"]
x = h = FVArrayInput((given.shape[1],)).quantize(k, i, f)
for layer in told["layers"]:
    k, i, f = layer["type"]
    h = h @ np.array(layer["kernel"]) + np.array(layer["bias"])
    h = h.quantize(k, i, f, layer["overflow"], layer["rounding"])
np.save("found.npy", trace(x, h).predict(given))
"""


def perceptron(network, last):
    """Dense and quantize nodes from the features to a node, in the order of execution."""
    by_name = {node.name: node for node in network}
    chain, name = [], last
    while by_name[name].op != "features":
        quantized = by_name[name]
        dense = by_name[quantized.inputs[0]]
        assert (quantized.op, dense.op) == ("quantize", "dense")
        chain.insert(0, (dense, quantized))
        name = dense.inputs[0]
    return by_name[name], chain


@pytest.mark.parametrize("last", ["weights", "scalars"])
def test_perceptron_equals_alkaid(last, tmp_path):
    network = Network.load(MODELS / "deepset" / "network.json")
    features, chain = perceptron(network, last)
    assert len(chain) >= 2
    layers = [
        {
            "kernel": dense.kernel_type.decode(np.array(dense.kernel)).tolist(),
            "bias": dense.bias_type.decode(np.array(dense.bias)).tolist(),
            "type": [int(part) for part in quantized.type.kif],
            "overflow": quantized.type.overflow.value.removeprefix("AP_"),
            "rounding": quantized.type.rounding.value.removeprefix("AP_"),
        }
        for dense, quantized in chain
    ]
    assert all(dense.type.width < 26 for dense, _ in chain)
    events = stress_events(np.random.default_rng(9), n_random=100)
    found = evaluate_nodes(network, events, [features.name, last])
    rows = found[features.name].reshape(-1, features.shape[-1])
    given, chosen = np.unique(rows, axis=0, return_index=True)
    assert len(given) > 10_000
    told = {"input": [int(part) for part in features.type.kif], "layers": layers}
    (tmp_path / "layers.json").write_text(json.dumps(told))
    np.save(tmp_path / "given.npy", features.type.decode(given))
    done = subprocess.run(
        [environment_python("alkaid"), "-c", TRACE],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    kind = chain[-1][1].type
    want = kind.decode(found[last].reshape(-1, chain[-1][1].shape[-1])[chosen])
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), want)
    assert len(np.unique(want)) > 20
