"""Whether what a user gives as somebody else's model is one."""

from pathlib import Path
from typing import Any

from l1met_fpga.errors import ConversionError, RunFolderError
from l1met_fpga.models.layers import CandidateFeatures, CandidateMomentum
from l1met_fpga.models.storage import load_model
from l1met_fpga.run_folder import RunFolder

__all__ = ["load_foreign", "require_file"]


def require_file(path: Path) -> None:
    """Check that a path is a file.

    Raises:
        RunFolderError: If it is missing, or a folder; says what to give.
    """
    if path.is_file():
        return
    if not path.is_dir():
        raise RunFolderError(
            f"no model {path}; give a file that was saved by Keras, QKeras or HGQ2 (.keras, .h5) or "
            "QONNX (.onnx)"
        )
    if RunFolder.is_run(path):
        raise RunFolderError(f"{path} is a run of l1met: {_own(RunFolder(path))}")
    raise RunFolderError(
        f"{path} is a folder; give the file in it (.keras, .h5, .onnx). A SavedModel folder is not "
        "read: save the model as .keras or .h5"
    )


def load_foreign(path: Path) -> Any:
    """Read a model of Keras 2 or QKeras that this package did not make.

    Raises:
        RunFolderError: If there is no such file, or it is damaged.
        ConversionError: If it is a network of this package, which needs no conversion.
    """
    require_file(path)
    model = load_model(path)
    if any(isinstance(layer, (CandidateFeatures, CandidateMomentum)) for layer in model.layers):
        raise ConversionError(f"{path} was trained by l1met: {_own(RunFolder(path.parent))}")
    return model


def _own(run: RunFolder) -> str:
    """Say where the integers of a network of this package are."""
    if run.network.is_file():
        return (
            f"its integers are in {run.network} already. Go on with `l1met synthesize {run.root}`"
        )
    return (
        "its integers are in network.json of its run (a float network has none), but its run is not "
        "here. Go on with `l1met synthesize RUN`"
    )
