"""Write simulated crossings as the experiment's files: perfNano ROOT trees and 64-bit words."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.files import atomic_path
from l1met_fpga.puppi.columns import TRUTH_COLUMNS
from l1met_fpga.puppi.stream import WordEvents, write_word_stream
from l1met_fpga.puppi.units import charge_of, pdg_id_of, to_values
from l1met_fpga.puppi.words import pack
from l1met_fpga.simulation.crossings import Crossings

__all__ = ["write_root", "write_words"]

TREE: Final = "Events"
CANDIDATES: Final = "L1PuppiCands"
BUNCHES: Final = 3564
"""Bunch slots of one LHC orbit; used to spread events over the words' headers."""
HARDWARE_BRANCHES: Final = {
    "pt": "hwPt",
    "eta": "hwEta",
    "phi": "hwPhi",
    "puppi_weight": "hwPuppiWeight",
    "quality": "hwQual",
}

_NOT_IN_WORDS: Final = ("dxy", *TRUTH_COLUMNS)
"""The field of dxy would count in roots of the distance, which the columns of events do not."""


def write_root(
    path: Path, crossings: Crossings, *, compact: bool = False, truth: bool = False, run: int = 1
) -> None:
    """Write a tree ``Events`` in the form of FastPUPPI's perfNano files, whole or not at all.

    Values are those of the hardware integers, so reading them gives the same integers back.

    Args:
        path: File to write.
        crossings: What to write.
        compact: Leave out what follows from the other branches (charge, mass, hardware
            integers) and compress as well as possible.
        truth: Write the share of the hard collision in each candidate.
        run: Run number of all events.
    """
    import awkward as ak
    import uproot

    compression = uproot.LZMA(9) if compact else uproot.ZSTD(3)
    jagged = {
        name: ak.unflatten(values, crossings.counts)
        for name, values in _candidate_branches(crossings, compact=compact, truth=truth).items()
    }
    with (
        atomic_path(path) as temporary,
        uproot.recreate(temporary, compression=compression) as file,
    ):
        file.mktree(TREE, _types(jagged, _event_branches(crossings, run)))
        file[TREE].extend({CANDIDATES: ak.zip(jagged), **_event_branches(crossings, run)})


def write_words(path: Path, crossings: Crossings, *, run: int = 1) -> None:
    """Write the events as a stream of 64-bit words, a header before each event."""
    orbit, bunch = np.divmod(crossings.event, np.uint64(BUNCHES))
    shape = crossings.event.shape
    events = WordEvents(
        words=pack({n: codes for n, codes in crossings.columns.items() if n not in _NOT_IN_WORDS}),
        counts=crossings.counts,
        run=np.full(shape, run, np.uint64),
        orbit=orbit,
        bunch_crossing=bunch,
        error=np.zeros(shape, bool),
    )
    write_word_stream(path, [events])


def _candidate_branches(
    crossings: Crossings, *, compact: bool, truth: bool
) -> dict[str, npt.NDArray[Any]]:
    columns = crossings.columns
    branches: dict[str, npt.NDArray[Any]] = {
        "pt": to_values("pt", columns["pt"]).astype(np.float32),
        "eta": to_values("eta", columns["eta"]).astype(np.float32),
        "phi": to_values("phi", columns["phi"]).astype(np.float32),
        "pdgId": pdg_id_of(columns["pid"]).astype(np.float32),
        "puppiWeight": to_values("puppi_weight", columns["puppi_weight"]).astype(np.float32),
        "z0": to_values("z0", columns["z0"]).astype(np.float32),
    }
    if not compact:
        branches["charge"] = charge_of(columns["pid"]).astype(np.float32)
        branches["mass"] = np.where(columns["pid"] >= 2, 0.13, 0).astype(np.float32)
        for name, branch in HARDWARE_BRANCHES.items():
            branches[branch] = columns[name]
    if truth:
        share = to_values("hard_share", columns["hard_share"])
        branches["hardShare"] = share.astype(np.float32)
    return branches


def _event_branches(crossings: Crossings, run: int) -> dict[str, npt.NDArray[Any]]:
    n = len(crossings)
    branches: dict[str, npt.NDArray[Any]] = {
        "run": np.full(n, run, np.uint32),
        "luminosityBlock": np.ones(n, np.uint32),
        "event": crossings.event,
        "L1Vertex_z0": crossings.vertex_z0_cm.astype(np.float32),
        "GenVertex_z0": crossings.true_z0_cm.astype(np.float32),
        "Pileup_nPU": crossings.n_pileup,
        "Pileup_nHard": crossings.n_hard,
    }
    for name, met in (
        ("genMet", crossings.gen_met_xy_gev),
        ("L1PuppiMet", crossings.puppi_met_xy_gev()),
    ):
        branches[f"{name}_pt"] = np.hypot(met[:, 0], met[:, 1]).astype(np.float32)
        branches[f"{name}_phi"] = np.arctan2(met[:, 1], met[:, 0]).astype(np.float32)
    if not np.isnan(crossings.gen_ht_gev).any():
        branches["genHT"] = crossings.gen_ht_gev.astype(np.float32)
    return branches


def _types(jagged: dict[str, Any], flat: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    import awkward as ak

    record = ak.zip(jagged)
    return {CANDIDATES: ak.type(record).content, **{k: v.dtype for k, v in flat.items()}}
