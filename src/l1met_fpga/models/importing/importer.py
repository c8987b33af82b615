"""A Keras model, layer by layer, as nodes of an integer network.

Supported is the family of networks that give each candidate one weight: any per-candidate
network, times px, py of the candidate, summed over candidates. What is not on the list below is
refused with its name; so is an argument that changes numbers and is not looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import network as net
from l1met_fpga.models.exactness import input_layers
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing import functions, linear, products
from l1met_fpga.models.importing.builder import Builder
from l1met_fpga.models.importing.inputs import Channel, Linear, input_channels
from l1met_fpga.models.importing.values import Momentum, Pooled, Value

__all__ = ["Imported", "import_model"]


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported model.

    Attributes:
        network: It as integers.
        channels: Input name -> what it holds, None for px, py.
        weights_layer: Name of the Keras layer that gives the weights.
        shift: The model divides the sum by ``2**shift``.
    """

    network: net.Network
    channels: Mapping[str, tuple[Channel, ...] | None]
    weights_layer: str
    shift: int


def import_model(
    model: Any,
    head: Head,
    *,
    name: str,
    inputs: Mapping[str, str],
    result_type: FixedType | None = None,
) -> Imported:
    """Describe a Keras 2 or QKeras model as integers.

    The network gives -sum w p, minus what the model's sum gives.

    Args:
        model: Functional model with one output.
        head: What that is called.
        name: Name of the network.
        inputs: What its inputs hold (:func:`~l1met_fpga.models.importing.inputs.input_channels`).
        result_type: Type of the result; without loss if not given.

    Raises:
        ConversionError: Names the layer, argument or weight that has no exact integer form.
    """
    _check_model(model)
    builder = Builder(_slots(model))
    channels: dict[str, tuple[Channel, ...] | None] = {}
    values: dict[str, Value] = {}
    for layer in model.layers:
        if type(layer).__name__ == "InputLayer":
            shape = tuple(int(n) for n in layer.output.shape[1:])
            held = channels[layer.name] = input_channels(layer.name, shape, inputs)
            values[layer.name] = Momentum() if held is None else Linear.of_channels(held)
        else:
            sources = [values[source.name] for source in input_layers(layer)]
            values[layer.name] = _converter(layer)(builder, layer, *sources)
    result = values[model.outputs[0]._keras_history.layer.name]
    if not isinstance(result, Pooled):
        raise ConversionError(
            "the model's output is no sum over candidates of one weight times px, py; end it with "
            "Multiply(weights, momentum) and a sum over axis 1"
        )
    weights_layer = builder.layer_of[result.weights.name]
    end = builder.finish(result, f"{head.name}_xy", result_type)
    try:
        network = net.Network(
            name=name,
            n_candidates=builder.slots,
            heads=(head.of_node(end.name),),
            nodes=builder.used(end),
        )
    except ValidationError as err:
        problem = err.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConversionError(
            f"the model makes no network: {where}: {problem['msg'].removeprefix('Value error, ')}, "
            f"got {str(problem['input'])[:80]!r}"
        ) from None
    return Imported(network, channels, weights_layer, result.shift)


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
    "Multiply": products.multiply,
    "GlobalAveragePooling1D": products.mean,
    "TFOpLambda": products.operation,
    "Dropout": linear.same,
    "Reshape": linear.reshape,
}
"""Supported layers by the name of their class."""
