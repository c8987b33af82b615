"""QONNX graphs as other people write them; qonnx itself is imported by whoever makes one."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from require import require

from l1met_fpga.packages import FOLDER_VARIABLE, load_package

SLOTS = 8
DOMAIN = "qonnx.custom_op.general"
CHANNELS = "pt/256,abs(eta)/1024,pid=2|3,puppi_weight/256"


def require_qonnx():
    """Make qonnx importable, or skip."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    there = find_spec("qonnx") is not None or (Path(folder) / "qonnx").is_dir()
    require("qonnx", bool(there), install="install l1met_fpga[qonnx]")
    load_package("qonnx")


class GraphOf:
    """Collects nodes; every method returns the name of the tensor it adds."""

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, values):
        from onnx import numpy_helper

        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def axes(self, *axes):
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.array(axes, np.int64), f"axes{axes[0]}"))
        return f"axes{axes[0]}"

    def add(self, kind, *inputs, name=None, domain="", **attributes):
        from onnx import helper

        self.count += 1
        name = name or f"{kind.lower()}_{self.count}"
        node = helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def quant(self, x, bits, scale, zero=0.0, *, signed=1, narrow=0, mode="ROUND", name=None):
        inputs = (x, *(self.constant(v) for v in (scale, zero, bits)))
        options = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
        return self.add("Quant", *inputs, name=name, domain=DOMAIN, **options)

    def bipolar(self, x, scale, name=None):
        return self.add("BipolarQuant", x, self.constant(scale), name=name, domain=DOMAIN)

    def dense(self, x, n_in, n_out, *, bias=True, bits=6, scale=2.0**-4, narrow=1):
        kernel = self.quant(
            self.constant(self.rng.normal(0, 0.6, (n_in, n_out))), bits, scale, narrow=narrow
        )
        y = self.add("MatMul", x, kernel)
        if bias:
            row = self.quant(self.constant(self.rng.normal(0, 0.3, n_out)), 8, 2.0**-5)
            y = self.add("Add", y, row)
        return y

    def model(self, inputs, output, path):
        """Write a model of these inputs (name -> shape) that gives one tensor."""
        from onnx import TensorProto, helper, save

        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "theirs",
            [value(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [value(output, TensorProto.FLOAT, None)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
        save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
        return path


def one_candidate(path, layer, seed=0):
    """A dense network of one candidate, as exporters of trained networks write them."""
    g = GraphOf(seed)
    x = g.quant("x", 8, 2.0**-5, signed=0)
    x = layer(g, g.dense(x, 4, 5))
    w = g.quant(g.dense(x, 5, 1), 8, 2.0**-5, name="w")
    return g.model({"x": (1, 4)}, w, path)


def relu(g, x):
    """The usual activation."""
    return g.quant(g.add("Relu", x), 6, 2.0**-3, signed=0)


MODES = ("ROUND", "HALF_EVEN", "FLOOR", "DOWN", "HALF_UP", "HALF_DOWN")
LAYERS = {
    "relu": relu,
    "one signed bit": lambda g, x: g.quant(x, 1, 0.5),
    "one signed bit with a zero point": lambda g, x: g.quant(x, 1, 0.5, 1.0),
    "bipolar": lambda g, x: g.bipolar(x, 0.25),
    "narrow and signed": lambda g, x: g.quant(x, 4, 2.0**-2, narrow=1),
    "narrow without sign": lambda g, x: g.quant(x, 4, 2.0**-2, signed=0, narrow=1),
    "one bit without sign": lambda g, x: g.quant(x, 1, 2.0**-1, signed=0),
    "zero point": lambda g, x: g.quant(x, 5, 2.0**-3, 3.0, signed=0),
    "negative zero point": lambda g, x: g.quant(x, 5, 2.0**-3, -5.0),
    "zero point and narrow": lambda g, x: g.quant(x, 5, 2.0**-3, 7.0, signed=0, narrow=1),
    "scale per channel": lambda g, x: g.quant(x, 6, [[2.0**-k for k in range(5)]]),
    "zero point per channel": lambda g, x: g.quant(x, 6, 2.0**-3, [[0, 1, -2, 3, 4]]),
    "scaled and shifted": lambda g, x: relu(
        g, g.add("Sub", g.add("Mul", x, g.constant([[1, 0.5, 2, -1, 1.25]])), g.constant(0.75))
    ),
    "added": lambda g, x: relu(g, g.add("Add", relu(g, x), g.quant(x, 6, 2.0**-4))),
    "divided": lambda g, x: relu(g, g.add("Div", x, g.constant(4.0))),
    "gemm": lambda g, x: relu(
        g, g.add("Gemm", relu(g, x), g.quant(g.constant(g.rng.normal(0, 1, (5, 5))), 5, 0.125),
                 g.constant([0.5, 0, 1, -1, 0.25]), transB=1)
    ),
    "normalized": lambda g, x: relu(
        g, g.add("BatchNormalization", x, *(g.constant(v) for v in ([1, 2, 0.5, 1, -1], [0, 0.5, 0, 1, 0],
                 [0, 1, 0.5, 0, -1], [0.75, 3.75, 0.75, 15.75, 0.75])), epsilon=0.25)
    ),
    **{f"rounding {m}": (lambda g, x, m=m: g.quant(x, 5, 2.0**-2, mode=m)) for m in MODES},
    **{f"rounding {m} at a zero point": (lambda g, x, m=m: g.quant(x, 5, 0.25, 1.0, mode=m))
       for m in MODES},
}  # fmt: skip


def deepset(path, seed=0):
    """Several weights, scalars and coefficients in one graph."""
    g = GraphOf(seed)
    x = g.quant("x", 8, 2.0**-5, signed=0)
    h = relu(g, g.dense(x, 4, 5))
    w = g.quant(g.dense(h, 5, 2), 8, 2.0**-5, narrow=1, name="weights")
    s = g.add("Mul", g.quant(g.dense(h, 5, 3), 5, 2.0**-3), "filled")
    s = g.add("ReduceSum", s, g.axes(1), keepdims=0)
    r = relu(g, g.dense(g.quant(s, 8, 2.0**-2), 3, 4))
    c = g.quant(g.dense(r, 4, 2), 7, 2.0**-4, name="coefficients")
    v = g.add("Einsum", w, "momentum", equation="bnk,bnp->bkp")
    met = g.add("Einsum", c, v, equation="bk,bkp->bp", name="met")
    inputs = {"x": (1, SLOTS, 4), "momentum": (1, SLOTS, 2), "filled": (1, SLOTS, 1)}
    return g.model(inputs, met, path)


REFUSED = {
    "scale": (
        lambda g, x: g.quant(x, 6, 0.3, name="q"),
        r"node 'q' \(Quant\): scale 0.3 is no power of two; train with scales that are",
    ),
    "zero point": (
        lambda g, x: g.quant(x, 6, 0.25, 0.5, name="q"),
        r"node 'q' \(Quant\): zero point 0.5 is no integer",
    ),
    "bit width": (
        lambda g, x: g.quant(x, 3.5, 0.25, name="q"),
        r"node 'q' \(Quant\): bit width \[3.5\] is not supported; it must be one integer from 1 to 32",
    ),
    "rounding": (
        lambda g, x: g.quant(x, 6, 0.25, mode="CEIL", name="q"),
        r"node 'q' \(Quant\): rounding_mode=CEIL is not supported; use one of ROUND, HALF_EVEN, FLOOR",
    ),
    "operation": (
        lambda g, x: g.add("Softmax", x, name="s"),
        r"node 's' \(Softmax\) is not supported; supported are Quant, IntQuant, BipolarQuant, MatMul",
    ),
    "argument": (
        lambda g, x: g.add("Gemm", x, g.constant(np.eye(5)), name="g", alpha=2.0),
        r"node 'g' \(Gemm\): alpha=2.0 is not supported, it must be 1.0",
    ),
    "two computed tensors": (
        lambda g, x: g.add("Sub", x, relu(g, x), name="a"),
        r"node 'a' \(Sub\) of two computed tensors is not supported",
    ),
    "divisor": (
        lambda g, x: g.add("Div", x, g.constant(3.0), name="d"),
        r"node 'd' \(Div\) divides by 3.0, which is no power of two",
    ),
    "weights of no type": (
        lambda g, x: g.add("MatMul", x, g.constant(g.rng.normal(0, 1, (5, 5))), name="m"),
        r"layer 'm': kernel needs more than 24 bits .*give it a quantizer",
    ),
    "a normalization of no binary numbers": (
        lambda g, x: g.add("BatchNormalization", x, *(g.constant(np.full(5, v)) for v in (1, 0, 0, 1)),
                           name="b"),
        r"layer 'b': kernel needs more than 24 bits",
    ),
}  # fmt: skip
