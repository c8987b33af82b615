"""C++ of operations on single channels: generated, one assignment per channel."""

from collections.abc import Sequence

from l1met_fpga.models import nodes as net

__all__ = ["channel_code", "concatenation_code"]


def channel_code(node: net.QuantizeChannels, *, stream: bool) -> list[str]:
    """Return a function that brings each channel of a tensor into a type of its own.

    Args:
        node: The change of types.
        stream: Whether candidates arrive one per clock.
    """
    values = [
        "0" if kind is None else f"{kind.hls_name}(x0[{channel}])"
        for channel, kind in enumerate(node.types)
    ]
    return _function(values, [len(values)], stream=stream)


def concatenation_code(channels: Sequence[int], *, stream: bool) -> list[str]:
    """Return a function that puts the channels of several tensors side by side.

    Args:
        channels: Of each tensor.
        stream: Whether candidates arrive one per clock.
    """
    values = [f"x{i}[{channel}]" for i, n in enumerate(channels) for channel in range(n)]
    return _function(values, channels, stream=stream)


def _function(values: Sequence[str], channels: Sequence[int], *, stream: bool) -> list[str]:
    """Lines of the layer's configuration struct: ``res`` from ``x0``, ``x1``, ... of one candidate."""
    assignments = [f"res[{channel}] = {value};" for channel, value in enumerate(values)]
    loop = _stream_loop if stream else _parallel_loop
    return loop(assignments, channels)


def _parallel_loop(assignments: Sequence[str], channels: Sequence[int]) -> list[str]:
    inputs = range(len(channels))
    types = ", ".join(f"class x{i}_T" for i in inputs)
    arguments = ", ".join(f"x{i}_T *in{i}" for i in inputs)
    return [
        f"template <{types}, class res_T> static void run({arguments}, res_T *out) {{",
        "ChannelsLoop:",
        "    for (unsigned i = 0; i < n_partitions; i++) {",
        "        #pragma HLS PIPELINE II=1",
        "        for (unsigned j = 0; j < n_rows / n_partitions; j++) {",
        "            #pragma HLS UNROLL",
        "            const unsigned row = i * (n_rows / n_partitions) + j;",
        *(f"            const x{i}_T *x{i} = in{i} + row * {n};" for i, n in enumerate(channels)),
        "            res_T *res = out + row * n_out;",
        *(f"            {line}" for line in assignments),
        "        }",
        "    }",
        "}",
    ]


def _stream_loop(assignments: Sequence[str], channels: Sequence[int]) -> list[str]:
    inputs = range(len(channels))
    types = ", ".join(f"class x{i}_T" for i in inputs)
    arguments = ", ".join(f"hls::stream<x{i}_T> &in{i}" for i in inputs)
    return [
        f"template <{types}, class res_T>",
        f"static void run({arguments}, hls::stream<res_T> &out) {{",
        "ChannelsLoop:",
        "    for (unsigned i = 0; i < n_rows; i++) {",
        "        #pragma HLS PIPELINE II=1",
        *(f"        const x{i}_T x{i} = in{i}.read();" for i in inputs),
        "        res_T res;",
        *(f"        {line}" for line in assignments),
        "        out.write(res);",
        "    }",
        "}",
    ]
