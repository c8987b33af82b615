"""MET of a network's form that was made elsewhere, kept in the run folder with what it belongs to.

``predictions/FORM.npz`` holds one array per sample label, shape (n, 2), GeV, and the identity of the
network and of the events. Answers of another network, or for other events, are refused.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.archives import read_npz
from l1met_fpga.errors import RunFolderError
from l1met_fpga.evaluation.sample import Estimator, Events
from l1met_fpga.files import atomic_path
from l1met_fpga.identity import Identity, file_digest, require_same
from l1met_fpga.metrics.arrays import check_met_xy
from l1met_fpga.run_folder import RunFolder

__all__ = ["PREDICTIONS", "predictions_path", "save_predictions", "stored_predictions"]

PREDICTIONS: Final = "predictions"
_IDENTITY: Final = "__identity__"


def predictions_path(run: RunFolder, form: str) -> Path:
    """Return where the MET of a form (``hls_cosim``, ``rtl_board``, ...) is looked for."""
    return run.root / PREDICTIONS / f"{form}.npz"


def save_predictions(
    run: RunFolder, form: str, predictions: Iterable[tuple[Events, npt.ArrayLike]]
) -> Path:
    """Keep the MET of a form of the run's network for the next evaluations.

    Args:
        run: The run.
        form: Name of the form.
        predictions: Events of each sample, as :func:`~l1met_fpga.evaluation.sample.load_store`
            gives them, and their MET, shape (n, 2), GeV.

    Raises:
        RunFolderError: If the run has no network.
        DataError: If a MET has another shape or is not finite.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    identity: dict[str, Any] = {"network": _network(run), "events": {}}
    for events, met_xy_gev in predictions:
        arrays[events.label] = check_met_xy(met_xy_gev, name=f"{form} of {events.label!r}")
        identity["events"][events.label] = dict(events.identity)
    path = predictions_path(run, form)
    arrays[_IDENTITY] = np.array(json.dumps(identity))
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():  # numpy.savez, but a label may be any text
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)
    return path


def stored_predictions(run: RunFolder, path: Path) -> Estimator:
    """Return an estimator that reads the MET of a file of :func:`save_predictions`."""

    def read(events: Events) -> npt.ArrayLike:
        held, identity = _read(path)
        if events.label not in held or len(held[events.label]) != len(events):
            have = {key: len(value) for key, value in held.items()}
            raise RunFolderError(
                f"{path} must hold {len(events)} events of {events.label!r} (the test part), it "
                f"has {have}; make it again for these samples, or remove it"
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
        return held[events.label]

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
