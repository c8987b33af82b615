"""Models of HGQ2 as other people write them; HGQ2 itself is imported by whoever makes one."""

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from require import require

from l1met_fpga.packages import FOLDER_VARIABLE, load_package

SLOTS = 8
INPUTS = {"x": "pt/256,abs(eta)/1024,pid=2|3,puppi_weight/256"}


def require_hgq2():
    """Make HGQ2 importable, or skip."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    there = find_spec("hgq") is not None or (Path(folder) / "hgq").is_dir()
    how = f"pip install --no-deps --target DIR hgq2==0.2.0, and set {FOLDER_VARIABLE}=DIR"
    require("hgq2", bool(there), install=how)
    load_package("hgq")


def every_slot():
    """Settings in which candidates have the same types in every slot."""
    from contextlib import ExitStack

    from hgq.config import LayerConfigScope, QuantizerConfigScope

    stack = ExitStack()
    stack.enter_context(QuantizerConfigScope(place="datalane", homogeneous_axis=(0, 1)))
    stack.enter_context(LayerConfigScope(enable_ebops=True, beta0=1e-6))
    return stack


def one_weight(weights_of, *, slots=SLOTS, seed=0):
    """A model around a function of the candidates that gives one weight each, calibrated."""
    import keras

    keras.utils.set_random_seed(seed)
    with every_slot():
        x = keras.Input((slots, 4), name="x")
        momentum = keras.Input((slots, 2), name="momentum")
        product = keras.layers.Multiply(name="weighted")([weights_of(x), momentum])
    return calibrated(keras.Model([x, momentum], keras.ops.sum(product, axis=1)), seed)


def deepset(slots=SLOTS, seed=0):
    """Weights, scalars, pools and coefficients, as this package's default network has them."""
    import keras
    from hgq.layers import QDense, QEinsumDense, QSum, Quantizer

    keras.utils.set_random_seed(seed)
    with every_slot():
        x = keras.Input((slots, 4), name="x")
        momentum = keras.Input((slots, 2), name="momentum")
        filled = keras.Input((slots, 1), name="filled")
        equation = {"equation": "bnc,cd->bnd", "output_shape": (slots, 6), "bias_axes": "d"}
        h = QEinsumDense(**equation, activation="relu", name="phi_0")(x)
        h = QDense(5, activation="relu", name="phi_1")(h)
        w = QDense(2, name="weights", enable_oq=True)(h)
        s = QDense(3, activation="relu", name="scalars", enable_oq=True)(h)
        s = keras.layers.Multiply(name="masked")([s, filled])
        s = QSum(axes=1, scale=1 / 16, name="activity", enable_iq=False)(s)
        c = QDense(2, name="coefficients")(QDense(4, activation="relu", name="rho")(s))
        v = keras.layers.Dot(axes=1, name="vectors")([w, momentum])
        saturating = {"q_type": "kif", "i0": 11, "f0": 3, "overflow_mode": "SAT"}
        v = Quantizer(place="datalane", **saturating, homogeneous_axis=(0, 1, 2), name="vector")(v)
        result = keras.layers.Dot(axes=1, name="met")([c, v])
    return calibrated(keras.Model([x, momentum, filled], result), seed)


def calibrated(model, seed):
    """Random weights and widths, and the integer bits that random candidates need."""
    from hgq.utils import trace_minmax

    scramble(model, np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    n, slots = 256, model.inputs[0].shape[1]
    given = {
        "x": rng.random((n, slots, 4)) * [8, 1.3, 1, 1],
        "momentum": rng.normal(0, 20, (n, slots, 2)),
        "filled": np.ones((n, slots, 1)),
    }
    names = [tensor._keras_history[0].name for tensor in model.inputs]
    trace_minmax(model, [given[name].astype(np.float32) for name in names])
    return model


def scramble(model, rng):
    """Kernels and biases of all sizes, widths of all kinds, some of them zero."""
    for weight in model.weights:
        name, shape = weight.path.split("/")[-1], weight.shape
        if "vector" in weight.path:
            continue
        if name == "kernel":
            weight.assign(rng.normal(0, 0.6, shape))
        elif name in ("bias", "bn_beta", "moving_mean"):
            weight.assign(rng.normal(0.1, 0.3, shape))
        elif name == "f":
            weight.assign(rng.integers(1, 7, shape).astype(np.float32))
        elif name == "b":
            weight.assign(rng.integers(0, 9, shape).astype(np.float32))


def one_weight_families():
    """Every layer that may stand before the weights, by what it shows."""
    import hgq.layers as q
    import keras

    def lut(x):
        return q.QUnaryFunctionLUT("tanh", allow_heterogeneous_input=False, name="lut")(x)

    return {
        "one dense layer": lambda x: q.QDense(1, name="w")(x),
        "normalized": lambda x: q.QDense(1)(q.QBatchNormalization()(q.QDense(4)(x))),
        "dense with normalization": lambda x: q.QBatchNormDense(1)(q.QDense(4, "relu")(x)),
        "convolution": lambda x: q.QConv1D(1, 1)(q.QConv1D(5, 1, activation="relu")(x)),
        "relu layer": lambda x: q.QDense(1)(keras.layers.ReLU()(q.QDense(4)(x))),
        "gated": lambda x: q.QDense(1)(q.QMultiply()([q.QDense(4)(x), q.QDense(1)(x)])),
        "table": lambda x: q.QDense(1)(lut(q.QDense(4)(x))),
        "saturating": lambda x: q.QDense(1, iq_conf=saturating("SAT"))(q.QDense(4)(x)),
        "symmetric": lambda x: q.QDense(1, iq_conf=saturating("SAT_SYM", "TRN"))(q.QDense(4)(x)),
        "ties to even": lambda x: q.QDense(1, iq_conf=saturating("WRAP", "RND_CONV"))(q.QDense(4)(x)),
        "bits and integer bits": lambda x: q.QDense(1, iq_conf=saturating("WRAP", q_type="kbi"))(x),
        "narrow weights": lambda x: q.QDense(1, kq_conf=weights("kif", "WRAP"))(q.QDense(3, "relu")(x)),
    }  # fmt: skip


def saturating(overflow, rounding="RND", q_type="kif"):
    """A configuration of activations."""
    from hgq.quantizer import QuantizerConfig

    modes = {"overflow_mode": overflow, "round_mode": rounding}
    return QuantizerConfig(q_type, "datalane", i0=1, homogeneous_axis=(0, 1), **modes)


def weights(q_type, overflow, **options):
    """A configuration of weights."""
    from hgq.quantizer import QuantizerConfig

    return QuantizerConfig(q_type, "weight", overflow_mode=overflow, round_mode="TRN", **options)


def refused():
    """Function that gives the weights, and what is said about it."""
    import hgq.layers as q
    import keras
    from hgq.quantizer import QuantizerConfig

    own_slots = QuantizerConfig("kif", "datalane", homogeneous_axis=(0,))
    return {
        "softmax": (
            lambda x: keras.layers.Softmax(name="s")(q.QDense(1)(x)),
            r"layer 's' is a keras.Softmax, which is not supported; supported are keras.InputLayer",
        ),
        "slices": (
            lambda x: q.QDense(1)(x[..., :2]),
            r"is a keras.GetItem, which is not supported",
        ),
        "types of every slot": (
            lambda x: q.QDense(1, name="w", iq_conf=own_slots)(x),
            r"w/iq0: types of shape \(1, 8, 4\) differ from slot to slot; .*homogeneous_axis=\(0, 1\)",
        ),
        "no quantizer": (
            lambda x: q.QDense(1, name="w", iq_conf=QuantizerConfig("dummy"))(x),
            r"w/iq0: the quantizer is a DummyQuantizer; only fixed-point ones",
        ),
        "a place that does not wrap": (
            lambda x: q.QDense(
                1, name="w", iq_conf=weights("kif", "WRAP", homogeneous_axis=(0, 1))
            )(x),
            r"w/iq0: HGQ2 does not wrap in a quantizer of place 'weight', so its width is not bounded",
        ),
        "a function": (
            lambda x: q.QDense(1, "tanh", name="w")(x),
            r"layer 'w': activation 'tanh' is not supported; use relu, or a QUnaryFunctionLUT",
        ),
        "candidates mixed": (
            lambda x: q.QEinsumDense("bnc,nm->bmc", (SLOTS, 4), name="m")(x)[..., :1],
            r"layer 'm': equation='bnc,nm->bmc' mixes candidates",
        ),
        "a scale": (
            lambda x: q.QDense(1, name="w", iq_conf=QuantizerConfig("kif", scaler=3.0))(x),
            r"w/iq0: scaler=3.0, affine=None is not supported, they must be None",
        ),
        "weights of no type": (
            lambda x: keras.layers.Dense(1, name="w")(x),
            r"layer 'w': kernel needs more than 24 bits",
        ),
        "a function of several types": (
            lambda x: q.QDense(1)(q.QUnaryFunctionLUT("tanh", name="t")(x)),
            r"layer 't' becomes a table and needs an input quantizer with one type",
        ),
    }


def momentum_quantized():
    """A model that brings px, py into a type of HGQ2's."""
    import keras
    from hgq.layers import QDense, QMultiply

    with every_slot():
        x = keras.Input((SLOTS, 4), name="x")
        momentum = keras.Input((SLOTS, 2), name="momentum")
        product = QMultiply(name="weighted")([QDense(1)(x), momentum])
    return calibrated(keras.Model([x, momentum], keras.ops.sum(product, axis=1)), 0)


def never_traced():
    """A calibrated model whose integer bits were set back."""
    import hgq.layers as q
    from hgq.utils.minmax_trace import _reset_minmax

    model = one_weight(lambda x: q.QDense(1, name="w")(x))
    _reset_minmax(model)
    return model
