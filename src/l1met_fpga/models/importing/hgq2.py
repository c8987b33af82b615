"""Models of HGQ2 and Keras 3: their layers as steps, every argument looked at.

HGQ2's wheel brings a folder named ``qkeras`` that must not lie over QKeras, so the package lives in a
folder of its own (:mod:`l1met_fpga.packages`). Quantized kernels are asked of HGQ2
itself; some of its quantizers of weights do not do at inference what their modes say.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l1met_fpga.errors import ConversionError, L1MetError, RunFolderError
from l1met_fpga.models.importing.hgq2_layers import steps_of
from l1met_fpga.models.importing.hgq2_types import input_quantizers
from l1met_fpga.models.importing.imported import Run
from l1met_fpga.models.importing.steps import Graph, Step
from l1met_fpga.packages import load_package

__all__ = ["is_keras3", "load_keras3", "read_graph", "runner"]


def is_keras3(path: Path) -> bool:
    """Whether a file was saved by Keras 3."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read("metadata.json"))
        return str(said["keras_version"]).startswith("3")
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError):
        return False


def load_keras3(path: Path) -> Any:
    """Read a ``.keras`` file of Keras 3, with HGQ2's layers if it has any.

    Raises:
        ToolMissingError: If HGQ2 is needed and not there.
        RunFolderError: If the file cannot be read.
    """
    import keras

    try:
        with zipfile.ZipFile(path) as archive:
            needs_hgq = b"hgq" in archive.read("config.json")
        if needs_hgq:
            load_package("hgq")
        return keras.models.load_model(path, compile=False)
    except L1MetError:
        raise
    except Exception as err:  # Keras raises whatever a damaged byte leads to
        raise RunFolderError(f"{path} cannot be read as a Keras model: {err}") from err


def read_graph(model: Any) -> Graph:
    """Describe a functional model.

    Raises:
        ConversionError: Names the layer, argument and value that have no exact form.
    """
    operations = getattr(model, "operations", None)
    if operations is None or len(model.outputs) != 1:
        raise ConversionError(
            "the model must be made with Keras's functional interface and have one output"
        )
    steps: list[Step] = []
    name_of: dict[int, str] = {}
    for operation in operations:
        if len(operation._inbound_nodes) != 1:
            raise ConversionError(
                f"layer {operation.name!r} is used {len(operation._inbound_nodes)} times; once is "
                "supported"
            )
        node = operation._inbound_nodes[0]
        sources = [name_of[id(tensor)] for tensor in node.arguments.keras_tensors]
        given = list(steps_of(operation, sources))
        steps += given
        for tensor in node.outputs:
            name_of[id(tensor)] = given[-1].name if given else sources[0]
    if name_of[id(model.outputs[0])] != steps[-1].name:
        raise ConversionError("the model has layers that do not lead to its output")
    return Graph(source=_source(), steps=tuple(steps))


def _source() -> str:
    found = []
    for package in ("hgq2", "keras"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def runner(model: Any) -> Run:
    """Return the function that gives the values of the model's tensors."""

    def run(
        arrays: Mapping[str, npt.NDArray[np.float32]], names: Sequence[str]
    ) -> dict[str, npt.NDArray[np.float64]]:
        return {name: np.asarray(_value(model, arrays, name), np.float64) for name in names}

    return run


def _value(model: Any, arrays: Mapping[str, Any], name: str) -> Any:
    """Value of a layer, or of the quantizer of one of its inputs (``layer/iq0``)."""
    import keras

    layer_name, _, quantizer = name.partition("/iq")
    layer = next(op for op in model.operations if op.name == layer_name)
    node = layer._inbound_nodes[0]
    tensor = node.arguments.keras_tensors[int(quantizer)] if quantizer else node.outputs[0]
    shapes = {t._keras_history[0].name: t.shape[1:] for t in model.inputs}
    given = [
        arrays[t._keras_history[0].name].reshape(-1, *shapes[t._keras_history[0].name])
        for t in model.inputs
    ]
    part = keras.Model(model.inputs, tensor)
    result = part(given if len(given) > 1 else given[0], training=False)
    if quantizer:
        result = input_quantizers(layer)[int(quantizer)](result, training=False)
    return keras.ops.convert_to_numpy(result)
