"""From a model configuration to a Keras model, and between variants of the same network."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import (  # noqa: F401  (their builders register themselves)
    attention,
    deepset,
    edgeconv,
    garnet,
)
from l1met_fpga.models.exactness import check_exact
from l1met_fpga.models.factory import (
    VARIANTS,
    FloatFactory,
    LayerFactory,
    MaskedFactory,
    PrunedFactory,
    QuantizedFactory,
)
from l1met_fpga.models.head_layers import LOGITS, NUMBER, WEIGHTS
from l1met_fpga.models.heads import Head
from l1met_fpga.models.keras import keras
from l1met_fpga.models.layers import CandidateFeatures, CandidateMomentum
from l1met_fpga.models.nodes import Feature
from l1met_fpga.models.registry import CandidateTensors, builder
from l1met_fpga.puppi.columns import COLUMNS, PT_FRAC_BITS

__all__ = ["MASKS", "Variant", "build", "copy_weights", "dense_layers", "start_from_sums"]

Variant = Literal["float", "quantized", "pruned"]

MASKS: Final = "masks"
"""Instead of a schedule: a mask for every kernel, which a callback of ours sets."""

PT_GEV: Final = Feature(
    name="pt_gev",
    column="pt",
    kind="value",
    scale_bits=PT_FRAC_BITS,
    type=FixedType(False, COLUMNS["pt"].type.width - PT_FRAC_BITS, PT_FRAC_BITS),
)
"""pt in GeV, every code of it."""


def build(
    config: ModelConfig,
    heads: Sequence[Head],
    *,
    variant: Variant = "quantized",
    packed: bool = False,
    schedule: Any | None = None,
    model_class: type | None = None,
) -> Any:
    """Build a network that starts from plain sums (:func:`start_from_sums`); the rest is random.

    Use ``keras.utils.set_random_seed`` first to fix them.

    Args:
        config: The architecture.
        heads: What the network gives; the outputs of the model, in this order.
        variant: ``float``, ``quantized`` or ``pruned``.
        packed: Candidates of all events one after another and an input ``row_splits``, instead of
            (events, slots); used in training, where it saves the empty slots.
        schedule: For the pruned variant: schedule of tensorflow-model-optimization, or MASKS.
        model_class: Subclass of ``keras.Model`` to make.

    Returns:
        Keras model. Inputs: a dict of float32 columns holding integer counts, shape (events,
        slots). Output: float64, shape (events, size), in the head's unit; a list where there are
        several heads.

    Raises:
        ConfigError: If the architecture cannot give a head or is float only, or the network could not be exact
            (see :mod:`l1met_fpga.models.exactness`).
    """
    if variant != "float":
        config.require_firmware()
    make = _factory(variant, schedule)
    build_heads = builder(config.architecture, heads)
    candidates = _candidates(config, heads, packed=packed)
    outputs = build_heads(config, make, candidates, heads)
    inputs = dict(candidates.columns)
    if candidates.row_splits is not None:
        inputs["row_splits"] = candidates.row_splits
    model = (model_class or keras.Model)(
        inputs, outputs if len(outputs) > 1 else outputs[0], name=config.name
    )
    if variant != "float":
        check_exact(model)
    start_from_sums(model, heads)
    return model


def _factory(variant: str, schedule: Any | None) -> LayerFactory:
    match variant:
        case "float":
            return FloatFactory()
        case "quantized":
            return QuantizedFactory()
        case "pruned":
            if schedule is None:
                raise ConfigError("the pruned variant needs a pruning schedule")
            return MaskedFactory() if schedule == MASKS else PrunedFactory(schedule)
    raise ConfigError(f"unknown variant {variant!r}; choose from {VARIANTS}")


def _candidates(config: ModelConfig, heads: Sequence[Head], *, packed: bool) -> CandidateTensors:
    kinds = {head.kind for head in heads}
    used = {feature.column for feature in config.features}
    names = [name for name in config.columns if name in used]
    read = {"pt", *used, *({"phi"} if "vector" in kinds else set())}
    read |= {"eta", "phi"} if config.geometry else set()
    shape = () if packed else (config.n_candidates,)
    columns = {name: keras.Input(shape, name=name) for name in config.columns if name in read}
    features = CandidateFeatures(
        [Feature(**dict(feature)) for feature in config.features], names, name="features"
    )([columns[name] for name in names])
    momentum = pt_gev = None
    if "vector" in kinds:
        momentum = CandidateMomentum(
            config.momentum.table, config.momentum.output, name="momentum"
        )([columns["pt"], columns["phi"]])
    if any(head.kind == "scalar" and head.is_sum for head in heads):
        pt_gev = CandidateFeatures([PT_GEV], ["pt"], name="pt_gev")([columns["pt"]])
    splits = keras.Input((), dtype="int64", name="row_splits") if packed else None
    return CandidateTensors(columns, features, momentum, pt_gev, splits)


def dense_layers(model: Any) -> dict[str, Any]:
    """Return the layers with weights by name, pruning wrappers removed."""
    layers = (getattr(layer, "layer", layer) for layer in model.layers)
    return {layer.name: layer for layer in layers if hasattr(layer, "kernel")}


def start_from_sums(model: Any, heads: Sequence[Head]) -> None:
    """Set the weights so that vectors are -sum p and scalars sum pt of all candidates.

    ``weights`` gives 1 in its first column, ``coefficients`` gives (1, 0, 0, ...), the first
    aggregator has distance 0, a scalar's weights are 1, a number of the event is 1, every class is
    as likely; all others keep their random values.
    """
    layers = dense_layers(model)
    scalars = [head for head in heads if head.kind == "scalar"]
    ones = [(WEIGHTS if head.is_sum else NUMBER).format(head.name) for head in scalars]
    for head in heads:
        if head.kind == "classes":
            layer = layers[f"{LOGITS.format(head.name)}_dense"]
            layer.set_weights([np.zeros_like(values) for values in layer.get_weights()])
    for name, start in (
        *((f"{one}_dense", 1.0) for one in ("weights", *ones)),
        ("distances_dense", 0.0),
    ):
        if name in layers:
            kernel, bias = layers[name].get_weights()
            kernel[:, 0], bias[0] = 0.0, start
            layers[name].set_weights([kernel, bias])
    if "coefficients_dense" in layers:
        kernel, bias = layers["coefficients_dense"].get_weights()
        bias[:] = np.arange(len(bias)) == 0
        layers["coefficients_dense"].set_weights([np.zeros_like(kernel), bias])


def copy_weights(source: Any, target: Any) -> None:
    """Copy kernels and biases by layer name between variants of one architecture.

    Raises:
        ConfigError: If the layers differ.
    """
    have, want = dense_layers(source), dense_layers(target)
    if set(have) != set(want):
        raise ConfigError(f"networks differ: layers {sorted(have)} and {sorted(want)}")
    for name, layer in want.items():
        layer.set_weights(have[name].get_weights())
