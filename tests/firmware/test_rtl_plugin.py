import numpy as np
from da4ml.trace import HWConfig, comb_trace
from rtl_designs import N_SLOTS, random_candidates, small_network

from l1met_fpga.firmware.reference import evaluate_nodes
from l1met_fpga.firmware.rtl.plugin import NetworkTracer


def test_plugin_traces_what_the_pools_read():
    network = small_network("garnet")
    inputs, outputs = NetworkTracer(network, HWConfig(1, -1, -1)).trace()
    logic = comb_trace(inputs, outputs)
    events = random_candidates(np.random.default_rng(0), 40)
    names = ["pool_weights", "potential", "messages"]
    want = evaluate_nodes(network, events, names)
    columns = ("pt", "eta", "pid", "puppi_weight")
    rows = np.stack([events[name].ravel() for name in columns], axis=1).astype(float)
    got = logic.predict(rows)
    flat = [
        network.node(n).type.decode(want[n]).reshape(len(events["pt"]) * N_SLOTS, -1) for n in names
    ]
    np.testing.assert_array_equal(got, np.concatenate(flat, axis=1))
