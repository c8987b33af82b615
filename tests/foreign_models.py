"""Keras models as other people write them, for the importer."""

import numpy as np

from l1met_fpga.models.keras import keras, tf

QUANTIZED = "quantized_bits(8,1,alpha=1)"


def l1metml(slots=16, *, units=(12, 36), mean=False, seed=0):
    """The public L1METML architecture with quantizers of its authors' kind.

    Continuous features and px, py apart, particle code and charge as embeddings, pointwise layers
    to one weight per candidate, product with px, py, sum over candidates.
    """
    from qkeras import QActivation, QConv1D

    layers = keras.layers
    cont = keras.Input((slots, 4), name="cont")
    pxpy = keras.Input((slots, 2), name="pxpy")
    code = keras.Input((slots,), name="pid")
    embedded = layers.Embedding(8, 2, name="embedding")(code)
    x = layers.Concatenate(name="concatenate")([cont, embedded])
    weight = {"kernel_quantizer": QUANTIZED, "bias_quantizer": QUANTIZED}
    for i, n in enumerate(units):
        x = QConv1D(n, 1, name=f"conv_{i}", **weight)(x)
        x = QActivation("quantized_relu(6,2)", name=f"relu_{i}")(x)
    x = QConv1D(1, 1, name="conv_w", **weight)(x)
    x = QActivation("quantized_bits(8,1,alpha=1)", name="weight")(x)
    x = layers.Multiply(name="weighted")([x, pxpy])
    x = layers.GlobalAveragePooling1D(name="mean")(x) if mean else tf.reduce_sum(x, axis=1)
    return scrambled(keras.Model([cont, pxpy, code], x), seed)


L1METML_INPUTS = {"cont": "pt/256,eta/1024,phi/1024,puppi_weight/256", "pxpy": "momentum"}


def deepset(slots=8, *, bias=False, masked=None, pool_type=None, result_type=None, seed=0):
    """K weights and M scalars per candidate, coefficients from the sums of the scalars.

    Without biases the scalars of empty slots are 0; with them they are multiplied by ``filled``.
    """
    from qkeras import QActivation, QDense

    layers = keras.layers
    weight = {"kernel_quantizer": QUANTIZED, "bias_quantizer": QUANTIZED}

    def dense(x, units, name, kind, **options):
        x = QDense(units, name=f"{name}_dense", **weight, **options)(x)
        return QActivation(kind, name=name)(x)

    x = keras.Input((slots, 4), name="x")
    momentum, filled = (
        keras.Input((slots, 2), name="momentum"),
        keras.Input((slots, 1), name="filled"),
    )
    h = dense(x, 6, "hidden", "quantized_relu(6,2)", use_bias=bias)
    w = dense(h, 3, "weights", QUANTIZED)
    s = dense(h, 2, "scalars", "quantized_relu(6,1)", use_bias=bias)
    if bias if masked is None else masked:
        s = layers.Multiply(name="masked")([s, filled])
    s = layers.GlobalAveragePooling1D(name="activity")(s)
    r = dense(QActivation("quantized_relu(8,2)", name="pooled")(s), 4, "rho", "quantized_relu(6,2)")
    c = dense(r, 3, "coefficients", QUANTIZED)
    v = layers.Dot(axes=1, name="vectors")([w, momentum])
    v = QActivation(pool_type, name="vector_type")(v) if pool_type else v
    met = layers.Dot(axes=1, name="combined")([c, v])
    met = QActivation(result_type, name="met_type")(met) if result_type else met
    return scrambled(keras.Model([x, momentum, filled], met), seed)


DEEPSET_INPUTS = {"x": "pt/256,abs(eta)/1024,pid=0|1,puppi_weight/256"}


def scrambled(model, seed=0, frac_bits=5):
    """Random weights; those of layers without a quantizer are short binary numbers."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        values = [rng.normal(0, 0.4, w.shape) for w in layer.get_weights()]
        if not hasattr(layer, "kernel_quantizer"):
            values = [np.round(v * 2**frac_bits) / 2**frac_bits for v in values]
        layer.set_weights(values)
    return model
