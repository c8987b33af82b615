"""Optional packages, which may live in a folder of their own."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ToolMissingError

__all__ = ["FOLDER_VARIABLE", "load_package"]

FOLDER_VARIABLE: Final = "L1MET_PACKAGES"
"""Environment variable that names the folder."""
_ADVICE: Final = {
    "hepdata_lib": (
        "install l1met_fpga[hepdata], or `python -m pip install --target DIR hepdata_lib` and set "
        "{variable}=DIR"
    ),
    "hgq": (
        "HGQ2's wheel would write over QKeras, so give it a folder of its own: `python -m pip install "
        "--no-deps --target DIR hgq2==0.2.0`, and set {variable}=DIR"
    ),
    "qonnx": (
        "install l1met_fpga[qonnx], or `python -m pip install --target DIR qonnx==1.0.0` and set "
        "{variable}=DIR"
    ),
}


def load_package(name: str) -> Any:
    """Import a package that is installed, or lies in the folder of :data:`FOLDER_VARIABLE`.

    The folder comes last on the search path: what is installed is never hidden by it.

    Raises:
        ToolMissingError: If it is not there; says how to get it.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and Path(folder).is_dir() and str(Path(folder).resolve()) not in sys.path:
        sys.path.append(str(Path(folder).resolve()))
    if find_spec(name) is None:
        raise ToolMissingError(
            f"this needs the Python package {name!r}, which is not installed; "
            + _ADVICE[name].format(variable=FOLDER_VARIABLE)
        )
    return import_module(name)
