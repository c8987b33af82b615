"""Quantized set networks that regress missing transverse energy at the CMS Phase-2 Level-1 trigger.

Three lines ask a trained network for MET::

    import l1met_fpga as l1met

    net = l1met.load("deepset")
    met = net.predict(events)  # awkward array, NumPy columns, or 64-bit words

and three train one, build its firmware, and show what both gave::

    l1met.train("models/deepset.yaml", "runs/mine", settings={"training.epochs": 3})
    report = l1met.synthesize("runs/mine", build=True)
    report.answers  # exact? better than PUPPI? LUTs, nanoseconds, MHz?

Importing the package is free: what is offered here is imported when it is first used, and
TensorFlow, hls4ml and matplotlib by the rooms that need them (see ``docs/architecture.md``).
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from l1met_fpga.prediction.files import PredictedFile, predict_files
    from l1met_fpga.prediction.loaded import LoadedNetwork, load
    from l1met_fpga.prediction.met import Met
    from l1met_fpga.report.of_run import Report
    from l1met_fpga.steps import evaluate, synthesize, train

__all__ = ["LoadedNetwork", "Met", "PredictedFile", "Report", "__version__", "evaluate", "load",
           "predict_files", "synthesize", "train"]  # fmt: skip
__version__ = version("l1met_fpga")

_HOMES: Final = {
    "LoadedNetwork": "l1met_fpga.prediction.loaded",
    "Met": "l1met_fpga.prediction.met",
    "PredictedFile": "l1met_fpga.prediction.files",
    "Report": "l1met_fpga.report.of_run",
    "evaluate": "l1met_fpga.steps",
    "load": "l1met_fpga.prediction.loaded",
    "predict_files": "l1met_fpga.prediction.files",
    "synthesize": "l1met_fpga.steps",
    "train": "l1met_fpga.steps",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
