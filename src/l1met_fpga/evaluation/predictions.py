"""What a network's form gives elsewhere, kept in the run folder with what it belongs to.

``predictions/FORM.npz`` holds one array per sample label and head, ``LABEL:HEAD``, shape (n, size), in
the head's unit, and the identity of the network and of the events. Answers of another network, or for other events, are refused.
"""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.errors import RunFolderError
from l1met_fpga.evaluation.sample import Estimator, Events
from l1met_fpga.files import atomic_path
from l1met_fpga.identity import Identity, file_digest, require_same
from l1met_fpga.metrics.arrays import check_finite
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.task import Heads, Task

__all__ = ["PREDICTIONS", "predictions_path", "save_predictions", "stored_predictions"]

PREDICTIONS: Final = "predictions"
_IDENTITY: Final = "__identity__"


def predictions_path(run: RunFolder, form: str) -> Path:
    """Return where the answers of a form (``hls_cosim``, ``rtl_board``, ...) is looked for."""
    return run.root / PREDICTIONS / f"{form}.npz"


def save_predictions(
    run: RunFolder, form: str, predictions: Iterable[tuple[Events, Mapping[str, npt.ArrayLike]]]
) -> Path:
    """Keep what a form of the run's network gives for the next evaluations.

    Args:
        run: The run.
        form: Name of the form.
        predictions: Events of each sample, as :func:`~l1met_fpga.evaluation.sample.load_store`
            gives them, and every head of them, shape (n, size).

    Raises:
        RunFolderError: If the run has no network.
        DataError: If a head has another shape or is not finite.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    identity: dict[str, Any] = {"network": _network(run), "events": {}}
    for events, heads in predictions:
        for head, values in heads.items():
            size = np.shape(values)[-1] if np.ndim(values) == 2 else 1
            found = check_finite(values, size, name=f"{form} of {events.label!r}, {head}")
            arrays[f"{events.label}:{head}"] = found
        identity["events"][events.label] = dict(events.identity)
    path = predictions_path(run, form)
    arrays[_IDENTITY] = np.array(json.dumps(identity))
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():  # numpy.savez, but a label may be any text
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
    return path


def stored_predictions(run: RunFolder, path: Path, task: Task) -> Estimator:
    """Return an estimator that reads the answers of a file of :func:`save_predictions`."""

    def read(events: Events) -> Heads:
        held, identity = _read(path)
        keys = {head.name: f"{events.label}:{head.name}" for head in task.heads}
        if any(len(held.get(key, ())) != len(events) for key in keys.values()):
            have = {key: len(value) for key, value in held.items()}
            raise RunFolderError(
                f"{path} must hold {len(events)} events of {' and '.join(keys.values())} (the test "
                f"part), it has {have}; make it again for these samples, or remove it"
            )
        was = {
            "network": identity.get("network"),
            **identity.get("events", {}).get(events.label, {}),
        }
        require_same(
            was,
            {"network": _network(run), **events.identity},
            what=f"{path} ({events.label})",
            next_step="Make it again with l1met_fpga.evaluation.predictions.save_predictions, or "
            "remove it",
            error=RunFolderError,
        )
        return {head: held[key] for head, key in keys.items()}

    return read


def _network(run: RunFolder) -> str:
    return file_digest(run.need(run.network, made_by="l1met train"))


def _read(path: Path) -> tuple[dict[str, npt.NDArray[Any]], Identity]:
    tip = "make it again, or remove it"
    held = read_npz(path, error=RunFolderError, next_step=tip)
    try:
        identity = json.loads(str(held.pop(_IDENTITY, "{}")))
        events = identity.get("events", {}).values()
    except (ValueError, RecursionError, AttributeError):
        events = (None,)
    if not all(isinstance(of_sample, dict) for of_sample in events):
        raise RunFolderError(f"{path} does not say what its answers belong to; {tip}")
    return held, identity
