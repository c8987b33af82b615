"""From a quantized Keras model to the integer network that every firmware form is made from."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from l1met_fpga.errors import ConversionError, FixedPointError
from l1met_fpga.models import nodes as net
from l1met_fpga.models.exactness import check_exact, input_layers, weight_type
from l1met_fpga.models.heads import Head
from l1met_fpga.models.layers import quadrant_cos
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Origin
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["bake_weights", "export_network"]

NodeT = TypeVar(
    "NodeT",
    net.Features,
    net.Dense,
    net.Multiply,
    net.VectorPool,
    net.ScalarPool,
    net.Aggregate,
    net.Combine,
)


def bake_weights(model: Any) -> None:
    """Replace every kernel and bias by its quantized values, in place.

    hls4ml drops the quantizer of a QDense on (n, f); with baked weights nothing is lost.
    """
    for layer in model.layers:
        if type(layer).__name__ == "QDense":
            kernel, bias = layer.get_weights()
            layer.set_weights(
                [
                    layer.kernel_quantizer_internal(kernel).numpy(),
                    layer.bias_quantizer_internal(bias).numpy(),
                ]
            )


def export_network(model: Any, heads: Sequence[Head], *, z0_origin: Origin = "beam") -> Network:
    """Describe a quantized model (not packed, not wrapped for pruning) as integers.

    Args:
        model: Made by :func:`l1met_fpga.models.build.build` with variant ``quantized`` and its
            weights baked, or loaded from a run folder.
        heads: What its outputs are, in their order.
        z0_origin: Where the z0 of its training events counts from.

    Returns:
        The network; node names are the layers' names.

    Raises:
        ConversionError: If a layer has no integer form or a weight is not a value of its type.
    """
    check_exact(model)
    ends = [tensor._keras_history.layer.name for tensor in model.outputs]
    if len(ends) != len(heads):
        raise ConversionError(
            f"model {model.name!r} has {len(ends)} outputs; the heads are "
            f"{[head.name for head in heads]}"
        )
    done: dict[str, net.Node] = {}
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in _CONVERT:
            raise ConversionError(
                f"layer {layer.name!r} ({kind}) has no integer form; known: {sorted(_CONVERT)}"
            )
        sources = [] if kind == "InputLayer" else [done[s.name] for s in input_layers(layer)]
        node = _CONVERT[kind](layer, sources)
        if isinstance(node, net.InputColumn) and node.column == "z0":
            node = node.model_copy(update={"origin": z0_origin})
        done[layer.name] = node
    return Network(
        name=model.name,
        n_candidates=_slots(model),
        heads=tuple(head.of_node(end) for head, end in zip(heads, ends, strict=True)),
        nodes=tuple(_ordered(done, ends)),
    )


def _slots(model: Any) -> int:
    return int(model.inputs[0].shape[1])


def _ordered(done: dict[str, net.Node], ends: Sequence[str]) -> list[net.Node]:
    """Columns in the order of COLUMNS, then the other nodes, those of heads last."""
    inputs = sorted(
        (n for n in done.values() if isinstance(n, net.InputColumn)),
        key=lambda n: list(COLUMNS).index(n.column),
    )
    rest = [n for n in done.values() if not isinstance(n, net.InputColumn)]
    read = {name for node in rest for name in node.inputs}
    last = [name for name in dict.fromkeys(ends) if name not in read]
    return [*inputs, *(n for n in rest if n.name not in last), *(done[name] for name in last)]


def _common(layer: Any, sources: list[net.Node]) -> dict[str, Any]:
    """Name, inputs and shape per event."""
    shape = layer.output.shape[1:] if not isinstance(layer.output, list) else ()
    return {
        "name": layer.name,
        "inputs": tuple(s.name for s in sources),
        "shape": tuple(int(n) for n in shape),
    }


def _input(layer: Any, _: list[net.Node]) -> net.Node:
    column = COLUMNS[layer.name]
    shape = tuple(int(n) for n in layer.output.shape[1:])
    return net.InputColumn(
        name=layer.name, inputs=(), shape=shape, type=column.type, column=layer.name
    )


def _exact(kind: type[NodeT], layer: Any, sources: list[net.Node], **fields: Any) -> NodeT:
    """Return a node with the type that it needs."""
    draft = kind(**_common(layer, sources), type=sources[0].type, **fields)
    # the first axis of what a pool reads is the slots
    return draft.model_copy(update={"type": draft.needed_type(sources, sources[0].shape[0])})


def _features(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.Features, layer, sources, features=layer.features)


def _momentum(layer: Any, sources: list[net.Node]) -> net.Node:
    return net.Momentum(
        **_common(layer, sources),
        type=layer.output_type,
        table_type=layer.table_type,
        quadrant_cos=tuple(int(code) for code in quadrant_cos(layer.table_type)),
    )


def _dense(layer: Any, sources: list[net.Node]) -> net.Node:
    kernel_type = weight_type(layer.kernel_quantizer_internal)
    bias_type = weight_type(layer.bias_quantizer_internal)
    kernel, bias = layer.get_weights()
    try:
        kernel_codes, bias_codes = kernel_type.exactly(kernel), bias_type.exactly(bias)
    except FixedPointError as err:
        raise ConversionError(f"layer {layer.name!r}: {err}; call bake_weights(model)") from None
    return _exact(
        net.Dense,
        layer,
        sources,
        kernel=tuple(tuple(int(c) for c in row) for row in kernel_codes),
        kernel_type=kernel_type,
        bias=tuple(int(c) for c in bias_codes),
        bias_type=bias_type,
    )


def _quantize(layer: Any, sources: list[net.Node]) -> net.Node:
    return net.Quantize(**_common(layer, sources), type=layer.type)


def _table(layer: Any, sources: list[net.Node]) -> net.Node:
    if sources[0].type != layer.input_type:
        raise ConversionError(f"table {layer.name!r} expects {layer.input_type}")
    return net.Table(**_common(layer, sources), type=layer.output_type, table=layer.table)


def _multiply(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.Multiply, layer, sources)


def _vector_pool(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.VectorPool, layer, sources)


def _scalar_pool(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.ScalarPool, layer, sources, shift=layer.shift)


def _aggregate(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.Aggregate, layer, sources, shift=layer.shift)


def _combine(layer: Any, sources: list[net.Node]) -> net.Node:
    return _exact(net.Combine, layer, sources)


_CONVERT: Final[dict[str, Callable[[Any, list[net.Node]], net.Node]]] = {
    "InputLayer": _input,
    "CandidateFeatures": _features,
    "CandidateMomentum": _momentum,
    "QDense": _dense,
    "FixedQuantize": _quantize,
    "PotentialTable": _table,
    "BroadcastMultiply": _multiply,
    "VectorPooling": _vector_pool,
    "ScalarPooling": _scalar_pool,
    "AggregatePooling": _aggregate,
    "CombineVectors": _combine,
}
