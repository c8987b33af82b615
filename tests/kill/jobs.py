"""Long commands made small, how an interrupted one is started again, and what must come out."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uproot
from ntuples import make_events, write_perfnano
from stores import SMALL, write_samples

from l1met_fpga.data.store import Store

__all__ = ["JOBS", "Job", "digests", "make_inputs"]

MODELS = Path(__file__).parents[2] / "models"
SETTINGS = SMALL | {"training.epochs": 4, "training.unpruned_twin": False, "scan.epochs": 1}
TYPED = [
    word for key, value in SETTINGS.items() for word in ("--set", f"{key}={json.dumps(value)}")
]
SAMPLES = ["-s", "../inputs/stores/ttbar.h5", "-s", "../inputs/stores/pileup.h5"]
POOL = ["pool.minimum_bias=40", "pool.qcd=[2,2,2,2]", "events_per_file=10"]


@dataclass(frozen=True)
class Job:
    """A command of the program, started in an empty folder beside ``inputs``.

    Attributes:
        command: What is typed.
        again: What is typed after an interruption, given the folder; the same where None.
        needs: Job whose result lies in the folder before.
        output: What the job makes, in the folder.
    """

    command: tuple[str, ...]
    output: str
    again: Callable[[Path], list[tuple[str, ...]]] | None = None
    needs: str | None = None


def _train_again(folder: Path) -> list[tuple[str, ...]]:
    """Go on with the training, or with what follows when that is complete."""
    if (folder / "run" / "training.json").exists():
        return [("evaluate", "run"), ("report", "run")]
    return [(*JOBS["train"].command, "--resume")]


def _convert(workers: int, n_files: int = 5) -> Job:
    files = [f"../inputs/part{number}.root" for number in range(n_files)]
    command = ("convert", *files, "-o", "out.h5", "--workers", str(workers))
    # killed between the store and the removal of its parts, it must not refuse its own store
    return Job(command, "out.h5", again=lambda _: [(*command, "--overwrite")])


def _predict() -> Job:
    command = ("predict", "run", "../inputs/stores/ttbar.h5", "-o", "met.npz")
    # killed after its file was there
    return Job(command, "met.npz", again=lambda _: [(*command, "--overwrite")], needs="train")


JOBS = {
    "predict": _predict(),
    "simulate": Job(
        (
            "simulate", "--process", "pileup", "--events", "30", "--seed", "1", "-o", "made",
            "--cache", "cache", "--workers", "2", *(w for text in POOL for w in ("--set", text)),
        ),
        "made",
    ),
    "convert": _convert(1),
    "convert_two_workers": _convert(2),
    "convert_one_file": _convert(1, n_files=1),
    "train": Job(
        ("train", str(MODELS / "deepset.yaml"), *SAMPLES, *TYPED, "-o", "run"),
        "run",
        again=_train_again,
    ),
    "scan": Job(
        (
            "scan", str(MODELS / "deepset.yaml"), *SAMPLES, *TYPED, "-o", "scan", "-n", "4",
            "--workers", "2", "--set", "scan.startup_trials=2",
            "--set", "scan.score=efficiency",
        ),
        "scan",
    ),
    "synthesize": Job(("synthesize", "run", "--events", "100"), "run", needs="train"),
    "check": Job(("check", "run", "--events", "200"), "run", needs="synthesize"),
    "evaluate": Job(("evaluate", "run"), "run", needs="train"),
    "report": Job(("report", "run"), "run", needs="train"),
    "export": Job(("export", "cpp", "run", "-o", "cpp"), "cpp", needs="train"),
    "export_cmssw": Job(("export", "cmssw", "run", "-o", "L1METx"), "L1METx", needs="train"),
}  # fmt: skip
"""Small jobs by name."""


def make_inputs(folder: Path) -> None:
    """Make what the jobs read."""
    for number in range(5):
        events = make_events(1500, seed=number, first_event=1 + 1500 * number)
        write_perfnano(folder / f"part{number}.root", events)
    write_samples(folder / "stores")


def digests(output: Path) -> dict[str, str]:
    """Return the digest of every file of a result, by its name.

    Times, speeds and the date in a figure are no result; a ROOT file is known by its arrays.
    """
    files = [output] if output.is_file() else sorted(p for p in output.rglob("*") if p.is_file())
    return {
        str(path.relative_to(output.parent)): hashlib.sha256(_content(path)).hexdigest()
        for path in files
        if path.suffix not in {".pdf", ".png", ".so", ".log", ".html"}
    }


def _content(path: Path) -> bytes:
    if path.suffix == ".root":
        with uproot.open(path) as file:
            arrays = file["Events"].arrays(library="np")
        return b"".join(
            name.encode() + np.concatenate([np.ravel(row) for row in values]).tobytes()
            for name, values in sorted(arrays.items())
        )
    if path.suffix == ".h5":  # HDF5 notes when a group was made
        with Store.open(path) as store:
            parts = store.parts().tobytes()
            return json.dumps(store.identity, sort_keys=True).encode() + parts
    if path.suffix == ".keras":
        from l1met_fpga.models.storage import load_model

        return b"".join(weight.tobytes() for weight in load_model(path).get_weights())
    if path.name == "trials.log":  # holds times
        return b""
    if path.suffix == ".json":
        return json.dumps(_without_times(json.loads(path.read_text())), sort_keys=True).encode()
    return path.read_bytes()


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _without_times(inner)
            for key, inner in value.items()
            if not any(
                word in key for word in ("second", "time", "date", "command", "commit", "changed")
            )
        }
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value
