"""A Keras model, layer by layer, as nodes of an integer network.

Supported is the family of networks that give each candidate weights: any per-candidate network,
times px, py of the candidate, summed over candidates; and coefficients for these sums that a second
network makes of sums of other numbers of candidates. What is not on the list below is refused with
its name; so is an argument that changes numbers and is not looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.exactness import input_layers
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing import functions, linear, products
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.imported import Imported, complete
from l1met_fpga.models.importing.inputs import Held, held_by
from l1met_fpga.models.importing.values import Value, value_of
from l1met_fpga.models.keras import keras

__all__ = ["import_model"]


def import_model(
    model: Any,
    head: Head,
    *,
    name: str,
    inputs: Mapping[str, str],
    result_type: FixedType | None = None,
) -> Imported:
    """Describe a Keras 2 or QKeras model as integers.

    The network gives minus what the model gives.

    Args:
        model: Functional model with one output.
        head: What the network gives: a vector per example.
        name: Name of the network.
        inputs: What its inputs hold (:func:`~l1met_fpga.models.importing.inputs.held_by`).
        result_type: Type of the result; without loss if not given.

    Raises:
        ConversionError: Names the layer, argument or weight that has no exact integer form.
    """
    _check_model(model)
    builder = Builder(_slots(model))
    held: dict[str, Held] = {}
    values: dict[str, Value] = {}
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer":
            shape = tuple(int(n) for n in layer.output.shape[1:])
            held[layer.name] = held_by(layer.name, shape, inputs)
            values[layer.name] = value_of(held[layer.name])
        else:
            sources = [values[source.name] for source in input_layers(layer)]
            values[layer.name] = _converter(layer)(builder, layer, *sources)
    result = values[model.outputs[0]._keras_history.layer.name]

    def run(arrays: Mapping[str, Any], names: Sequence[str]) -> dict[str, npt.NDArray[np.float64]]:
        return _run(model, arrays, names)

    return complete(builder, result, head, name=name, held=held, result_type=result_type, run=run)


def _run(
    model: Any, arrays: Mapping[str, Any], names: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """What layers give for arrays of the inputs."""
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    given = {k: v.reshape(len(v), *shapes[k]) for k, v in arrays.items()}
    part = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    outputs = part(given)
    outputs = outputs if len(names) > 1 else [outputs]
    return {n: np.asarray(y, np.float64) for n, y in zip(names, outputs, strict=True)}


def _check_model(model: Any) -> None:
    if not getattr(model, "_is_graph_network", False) or not hasattr(model, "inputs"):
        raise ConversionError(
            "the model is not made of layers that can be looked at; use Keras's functional interface"
        )
    if len(model.outputs) != 1:
        raise ConversionError(f"the model has {len(model.outputs)} outputs; one is supported")


def _slots(model: Any) -> int:
    found = {tensor.shape[1] for tensor in model.inputs}
    if len(found) != 1 or None in found:
        raise ConversionError(
            f"the model's inputs have {sorted(map(str, found))} slots; all must have the same fixed "
            "number of candidates"
        )
    return int(found.pop())


def _converter(layer: Any) -> Callable[..., Value]:
    kind = type(layer).__name__
    if kind not in _LAYERS:
        raise ConversionError(
            f"layer {layer.name!r} is a {kind}, which is not supported; supported are "
            f"{', '.join(_LAYERS)}"
        )
    if len(layer.inbound_nodes) != 1:
        raise ConversionError(
            f"layer {layer.name!r} is used {len(layer.inbound_nodes)} times; once is supported"
        )
    return _LAYERS[kind]


_LAYERS: Final[dict[str, Callable[..., Value]]] = {
    "Dense": linear.dense,
    "QDense": linear.dense,
    "Conv1D": linear.dense,
    "QConv1D": linear.dense,
    "Activation": functions.activation,
    "QActivation": functions.qactivation,
    "ReLU": functions.relu,
    "BatchNormalization": linear.batch_norm,
    "Embedding": linear.embedding,
    "Concatenate": linear.concatenate,
    "Add": linear.add,
    "Multiply": products.multiply,
    "Dot": products.dot,
    "GlobalAveragePooling1D": products.mean,
    "TFOpLambda": products.operation,
    "Dropout": linear.same,
    "Reshape": linear.reshape,
}
"""Supported layers by the name of their class."""
