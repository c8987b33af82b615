#!/usr/bin/env bash
# One would think: hls4ml honours the zero point of a QONNX Quant node, or refuses it.
# What happens: with a scale that is a power of two the zero point is dropped without a word; and one signed bit is
# {-1, 0} in hls4ml, {-1, +1} in QONNX's own executor.
# Seen with hls4ml 1.3.0, qonnx 1.0.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check hls4ml==1.3.0 qonnx==1.0.0
env/bin/python - <<'PYTHON'
import contextlib
import io
import warnings

warnings.filterwarnings("ignore")
import hls4ml
import numpy as np
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model

DOMAIN = "qonnx.custom_op.general"
X = np.array([[-1.0, -0.25, 0.3, 2.0]], np.float32)


def both(name: str, scale: float, zero_point: float, bits: float) -> tuple[list, list]:
    quant = helper.make_node(
        "Quant", ["x", "s", "z", "b"], ["y"], domain=DOMAIN, signed=1, narrow=0, rounding_mode="ROUND"
    )
    tensor = helper.make_tensor_value_info
    constants = {"s": scale, "z": zero_point, "b": bits}
    graph = helper.make_graph(
        [quant],
        "quant",
        [tensor("x", TensorProto.FLOAT, [1, 4])],
        [tensor("y", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor(key, TensorProto.FLOAT, [], [v]) for key, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
    model = cleanup_model(
        ModelWrapper(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    )
    inputs = {model.graph.input[0].name: X}
    wanted = execute_onnx(model, inputs)[model.graph.output[0].name].ravel().tolist()
    with contextlib.redirect_stdout(io.StringIO()):
        config = hls4ml.utils.config_from_onnx_model(
            model, "name", backend="Vitis", default_precision="fixed<16,6>"
        )
        project = hls4ml.converters.convert_from_onnx_model(
            model, output_dir=name, backend="Vitis", hls_config=config, io_type="io_parallel"
        )
        project.compile()
        got = project.predict(X).ravel().tolist()
    return wanted, got


zero_point, one_bit = both("zero_point", 0.25, 2.0, 4.0), both("one_bit", 1.0, 0.0, 1.0)
print("hls4ml", hls4ml.__version__, "input", X.ravel().tolist())
print("zero point 2: qonnx", zero_point[0], "hls4ml", zero_point[1])
print("one bit:      qonnx", one_bit[0], "hls4ml", one_bit[1])
assert zero_point == ([-1.0, -0.25, 0.25, 1.25], [-1.0, -0.25, 0.25, 1.75]), "changed"
assert one_bit == ([-1.0, -1.0, 1.0, 1.0], [-1.0, 0.0, 0.0, 0.0]), "changed"
PYTHON
