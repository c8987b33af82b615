"""Which reader a file of somebody else's model needs."""

from collections.abc import Mapping
from pathlib import Path

from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models.heads import Head
from l1met_fpga.models.importing.imported import Imported, Run
from l1met_fpga.models.importing.steps import Graph

__all__ = ["import_file"]


def import_file(
    path: Path,
    head: Head,
    *,
    name: str,
    inputs: Mapping[str, str],
    result_type: FixedType | None = None,
    candidates: int | None = None,
) -> Imported:
    """Describe a model as integers.

    Args:
        path: ``.keras`` or ``.h5`` of Keras 2 and QKeras, ``.keras`` of Keras 3 and HGQ2, ``.onnx``
            of QONNX.
        head: What the network gives, minus the model's result: a vector per example.
        name: Name of the network.
        inputs: What its inputs hold (:func:`~l1met_fpga.models.importing.inputs.held_by`).
        result_type: Type of the result; without loss if not given.

        candidates: Of a QONNX model of one candidate, which gives its weight: candidates per event.

    Raises:
        ConversionError: If it is a network of this package; names the layer, argument or weight that has no exact integer form.
        RunFolderError: If the file is missing or damaged.
        ToolMissingError: If a package that it needs is not there.
    """
    from l1met_fpga.models.importing import hgq2
    from l1met_fpga.models.importing.foreign import load_foreign, require_file

    require_file(path)
    if path.suffix == ".onnx" or hgq2.is_keras3(path):
        from l1met_fpga.models.importing.assemble import assemble

        graph, run = _steps_of(path, candidates)
        return assemble(graph, head, name=name, inputs=inputs, result_type=result_type, run=run)
    from l1met_fpga.models.importing.importer import import_model

    return import_model(load_foreign(path), head, name=name, inputs=inputs, result_type=result_type)


def _steps_of(path: Path, candidates: int | None) -> tuple[Graph, Run]:
    """A model in steps, and how to ask it."""
    from l1met_fpga.models.importing import hgq2, qonnx

    if path.suffix == ".onnx":
        model = qonnx.load_qonnx(path)
        return qonnx.read_graph(model, slots=candidates), qonnx.runner(model, slots=candidates)
    model = hgq2.load_keras3(path)
    return hgq2.read_graph(model), hgq2.runner(model)
