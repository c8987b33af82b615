"""Prove a converted Keras model: the same random events through Keras and the C simulation."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError, ToolError
from l1met_fpga.firmware.hls.csim import COMPILE_TIMEOUT_S, compile_library
from l1met_fpga.firmware.tools import run_tool

__all__ = ["Expected", "expected_of", "require_same_numbers"]

N_EVENTS: Final = 256
SEED: Final = 20240518
FINER_BITS: Final = 3
"""Inputs lie on a grid this many bits finer than their type, so that rounding shows, and Keras'
float32 stays exact."""
WORKER: Final = Path(__file__).with_name("keras_worker.py")

Arrays = list[npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Expected:
    """Random events and what Keras makes of them.

    Attributes:
        inputs: One array per input of the model, shape (n_events, ...).
        outputs: One array per output.
        names: Names of the outputs.
    """

    inputs: Arrays
    outputs: Arrays
    names: Sequence[str]


def expected_of(model: Any) -> Expected:
    """Draw events in and beyond the range of the inputs' quantizers, and run Keras on them."""
    rng = np.random.default_rng(SEED)
    inputs = [_draw(rng, tensor) for tensor in model.inputs]
    outputs = model([x.astype(np.float32) for x in inputs], training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return Expected(
        inputs, [np.asarray(y, np.float64) for y in outputs], [str(n) for n in model.output_names]
    )


def _draw(rng: np.random.Generator, tensor: Any) -> npt.NDArray[np.float64]:
    """Draw one input: small, medium, full-range and saturating events, on a fine grid."""
    quantizers = [
        node.layer.quantizer
        for node in tensor._keras_history.layer._outbound_nodes
        if hasattr(node.layer, "quantizer")
    ]
    integer = max((int(q.integer) for q in quantizers), default=2)
    frac_bits = max((int(q.bits) - int(q.integer) for q in quantizers), default=6) + FINER_BITS
    shape = (N_EVENTS, *tensor.shape[1:])
    scale = rng.choice([0.125, 0.5, 1.0, 1.5], (N_EVENTS, *(1 for _ in shape[1:])))
    values = rng.uniform(-1, 1, shape) * scale * 2.0**integer
    rounded: npt.NDArray[np.float64] = np.round(values * 2.0**frac_bits) / 2.0**frac_bits
    return rounded


def require_same_numbers(graph: Any, expected: Expected, flags: tuple[str, ...]) -> None:
    """Compile a converted model in a folder of its own and compare it with Keras.

    The C++ runs in another process: an assertion in it is an error here and not the end of the
    user's Python.

    Args:
        graph: hls4ml's ModelGraph.
        expected: Events and Keras' outputs.
        flags: Flags of g++.

    Raises:
        ConversionError: Names the first output that differs, or says how the C++ ended.
        ToolMissingError: Without g++.
    """
    top, kept = graph.config.get_project_name(), graph.config.config["OutputDir"]
    with TemporaryDirectory(prefix="l1met-proof-") as name:
        folder = Path(name)
        graph.config.config["OutputDir"] = name
        try:
            graph.write()
            library = compile_library(
                folder,
                folder / f"{top}_proof.so",
                sources=[f"firmware/{top}.cpp", f"{top}_bridge.cpp"],
                flags=(*flags, f'-DWEIGHTS_DIR="{folder}/firmware/weights"'),
            )
            got = _simulate(library, f"{top}_double", expected, folder)
        except ToolError as err:
            raise ConversionError(
                f"the C++ that hls4ml wrote for {top!r} does not run: {err}"
            ) from None
        finally:
            graph.config.config["OutputDir"] = kept
    for label, keras, csim in zip(expected.names, expected.outputs, got, strict=True):
        _require_equal(label, keras, csim)


def _simulate(library: Path, function: str, expected: Expected, folder: Path) -> Arrays:
    given, answer = folder / "given.bin", folder / "answer.bin"
    given.write_bytes(b"".join(np.ascontiguousarray(x).tobytes() for x in expected.inputs))
    sizes = [",".join(str(x[0].size) for x in part) for part in (expected.inputs, expected.outputs)]
    run_tool(
        [sys.executable, "-IS", WORKER, library, function, str(N_EVENTS), *sizes, given, answer],
        cwd=folder,
        log=folder / "proof.log",
        timeout_s=COMPILE_TIMEOUT_S,
    )
    blocks = np.split(
        np.frombuffer(answer.read_bytes()), np.cumsum([y.size for y in expected.outputs])[:-1]
    )
    return [b.reshape(y.shape) for b, y in zip(blocks, expected.outputs, strict=True)]


def _require_equal(
    label: str, keras: npt.NDArray[np.float64], csim: npt.NDArray[np.float64]
) -> None:
    differs = keras != csim  # also where one of them is not a number
    if differs.any():
        first = tuple(int(i) for i in np.argwhere(differs)[0])
        raise ConversionError(
            f"the converted model gives other numbers than Keras: {int(differs.sum())} of "
            f"{differs.size} values of output {label!r}, first event {first[0]}, index "
            f"{first[1:]}: Keras {keras[first]!s}, C simulation {csim[first]!s}. Sums above 24 "
            "bits (which float32 rounds) or a construct that hls4ml changes; take layers away "
            "until it agrees"
        )
