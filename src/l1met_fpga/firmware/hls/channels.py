"""C++ of a tensor whose channels have types of their own: generated, one assignment per channel."""

from l1met_fpga.models import nodes as net

__all__ = ["channel_code"]


def channel_code(node: net.QuantizeChannels, *, stream: bool) -> list[str]:
    """Return a function of the whole tensor, for the layer's configuration struct.

    Args:
        node: The change of types.
        stream: Whether candidates arrive one per clock.
    """
    values = [
        "0" if kind is None else f"{kind.hls_name}(x[{channel}])"
        for channel, kind in enumerate(node.types)
    ]
    assignments = [f"res[{channel}] = {value};" for channel, value in enumerate(values)]
    return _stream_loop(assignments) if stream else _parallel_loop(assignments)


def _parallel_loop(assignments: list[str]) -> list[str]:
    return [
        "template <class x_T, class res_T> static void run(x_T *in, res_T *out) {",
        "ChannelsLoop:",
        "    for (unsigned i = 0; i < n_partitions; i++) {",
        "        #pragma HLS PIPELINE II=1",
        "        for (unsigned j = 0; j < n_rows / n_partitions; j++) {",
        "            #pragma HLS UNROLL",
        "            const unsigned first = (i * (n_rows / n_partitions) + j) * n_out;",
        "            const x_T *x = in + first;",
        "            res_T *res = out + first;",
        *(f"            {line}" for line in assignments),
        "        }",
        "    }",
        "}",
    ]


def _stream_loop(assignments: list[str]) -> list[str]:
    return [
        "template <class x_T, class res_T>",
        "static void run(hls::stream<x_T> &in, hls::stream<res_T> &out) {",
        "ChannelsLoop:",
        "    for (unsigned i = 0; i < n_rows; i++) {",
        "        #pragma HLS PIPELINE II=1",
        "        const x_T x = in.read();",
        "        res_T res;",
        *(f"        {line}" for line in assignments),
        "        out.write(res);",
        "    }",
        "}",
    ]
