"""C++ of the perceptron inputs: generated, because every model has its own list of features."""

from collections.abc import Callable, Sequence
from typing import Any

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net

__all__ = ["feature_code"]


def feature_code(
    node: net.Features, columns: Sequence[net.Node], *, stream: bool
) -> Callable[[Any], list[str]]:
    """Return a function of the hls4ml node that gives the lines of its configuration struct.

    Args:
        node: The features.
        columns: Input columns, in the order of ``node.inputs``.
        stream: Whether candidates arrive one per clock.
    """

    def lines(layer: Any) -> list[str]:
        inputs = [layer.get_input_variable(name).type.name for name in layer.inputs]
        output = layer.get_output_variable().type.name
        if stream:
            return _stream_loop(inputs, output, node, columns)
        return _parallel_loop(inputs, output, node, columns)

    return lines


def _one_candidate(node: net.Features, columns: Sequence[net.Node]) -> list[str]:
    """Lines that set ``res[0]`` to ``res[n - 1]`` from the codes ``x0``, ``x1``..."""
    index = {
        column.column: (f"x{i}", column)
        for i, column in enumerate(columns)
        if isinstance(column, net.InputColumn)
    }
    result = []
    for i, feature in enumerate(node.features):
        name, column = index[feature.column]
        result.append(f"res[{i}] = {_expression(feature, name, column.type)}; // {feature.name}")
    return result


def _expression(feature: net.Feature, x: str, kind: FixedType) -> str:
    target = feature.type.hls_name
    if feature.kind == "flag":
        hit = " || ".join(f"{x} == {code}" for code in feature.codes)
        return f"{target}(ap_uint<1>(({hit}) ? 1 : 0))"
    if feature.kind == "abs" and kind.signed:
        kind = FixedType(False, kind.width, 0)
        x = f"ap_uint<{kind.width}>(({x} < 0) ? ap_int<{kind.width + 1}>(-{x}) : ap_int<{kind.width + 1}>({x}))"
    raw = FixedType(kind.signed, kind.int_bits - feature.scale_bits, feature.scale_bits)
    sign = "" if kind.signed else "u"
    integer = f"ap_{sign}int<{kind.width}>"
    return f"{target}(nnet::l1met_same_bits<{raw.hls_name}, {integer}>({x}))"


def _parallel_loop(
    inputs: list[str], output: str, node: net.Features, columns: Sequence[net.Node]
) -> list[str]:
    n_features = len(node.features)
    arguments = ", ".join(f"{kind} in{i}[n_candidates]" for i, kind in enumerate(inputs))
    reads = [f"const {kind} x{i} = in{i}[slot];" for i, kind in enumerate(inputs)]
    return [
        f"static void run({arguments}, {output} out[n_candidates * {n_features}]) {{",
        "FeaturesLoop:",
        "    for (unsigned i = 0; i < n_partitions; i++) {",
        "        #pragma HLS PIPELINE II=1",
        "        for (unsigned j = 0; j < n_parallel; j++) {",
        "            #pragma HLS UNROLL",
        "            const unsigned slot = i * n_parallel + j;",
        *(f"            {line}" for line in reads),
        f"            {output} *res = out + slot * {n_features};",
        *(f"            {line}" for line in _one_candidate(node, columns)),
        "        }",
        "    }",
        "}",
    ]


def _stream_loop(
    inputs: list[str], output: str, node: net.Features, columns: Sequence[net.Node]
) -> list[str]:
    arguments = ", ".join(f"hls::stream<{kind}> &in{i}" for i, kind in enumerate(inputs))
    reads = [f"const {kind}::value_type x{i} = in{i}.read()[0];" for i, kind in enumerate(inputs)]
    return [
        f"static void run({arguments}, hls::stream<{output}> &out) {{",
        "FeaturesLoop:",
        "    for (unsigned i = 0; i < n_candidates; i++) {",
        "        #pragma HLS PIPELINE II=1",
        *(f"        {line}" for line in reads),
        f"        {output} res;",
        *(f"        {line}" for line in _one_candidate(node, columns)),
        "        out.write(res);",
        "    }",
        "}",
    ]
