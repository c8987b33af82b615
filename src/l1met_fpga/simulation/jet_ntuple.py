"""Jets of simulated crossings as the jet tagger's ntuples hold them: one entry per jet.

The file is read by :mod:`l1met_fpga.data.read_jets`, as files of the experiment are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.examples import Examples, in_slots
from l1met_fpga.data.read_jets import MAX_ABS_ETA, PARTICLE_FLAGS, PREFIXES, TREES, generated
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, N_CANDIDATES, PT_LSB_GEV
from l1met_fpga.puppi.jet_constituents import constituents
from l1met_fpga.puppi.jet_matching import LEPTON_RADIUS, nearest_generated
from l1met_fpga.puppi.jets import Jets, seeded_cone_jets, wrapped_phi
from l1met_fpga.puppi.words import is_charged
from l1met_fpga.simulation.crossings import Crossings
from l1met_fpga.simulation.gen_jets import GenJets, gen_jets
from l1met_fpga.simulation.objects import ELECTRON, MUON, Kind, Objects
from l1met_fpga.simulation.particles import ParticleEvents
from l1met_fpga.simulation.tree import write_tree

__all__ = ["found_jets", "write_jets"]

MIN_PT_GEV: Final = 10.0
MIN_VISIBLE_PT_GEV: Final = 5.0
"""Jets with a softer lepton or tau are marked as rejected."""

GENERATED_PT: Final = ("jet_genmatch_pt", "jet_genmatch_lep_vis_pt")
GENERATED_LSB_GEV: Final = 1 / 16
"""Far below the resolution of any jet, in compact files."""

Branches = dict[str, npt.NDArray[Any]]


def found_jets(crossings: Crossings, hard: ParticleEvents) -> Branches:
    """Find the jets of crossings and what was generated near them.

    Args:
        crossings: With the candidates.
        hard: The hard collision of each.

    Returns:
        Branches of the ntuple: of jets, shape (n_jets,), and of their constituents, shape (n_jets,
        16), zero where there is none.
    """
    candidates = Examples.of(crossings.counts, crossings.columns).padded(N_CANDIDATES)
    jets = seeded_cone_jets(candidates)
    kept = (jets.pt * PT_LSB_GEV > MIN_PT_GEV) & (np.abs(jets.eta) * ANGLE_LSB_RAD < MAX_ABS_ETA)
    inside = constituents(candidates, jets)
    per_jet = {
        "event": np.broadcast_to(crossings.event[:, None], jets.pt.shape).astype(np.uint32),
        "jet_pt_phys": (jets.pt * PT_LSB_GEV).astype(np.float32),
        "jet_eta_phys": (jets.eta * ANGLE_LSB_RAD).astype(np.float32),
        **_generated(jets, gen_jets(hard)),
        **_leptons(jets, hard.objects),
    }
    of_candidates = _constituents(jets, inside)
    return {name: values[kept] for name, values in (per_jet | of_candidates).items()}


def _constituents(jets: Jets, inside: Mapping[str, npt.NDArray[np.int16]]) -> Branches:
    filled, pid = inside["pt"] > 0, inside["pid"]
    dphi = wrapped_phi(inside["phi"].astype(np.int32) - jets.phi[..., None])
    found = {
        "pt": inside["pt"],
        "deta": jets.eta[..., None] - inside["eta"],
        "dphi": dphi,
        "z0": inside["z0"],
        "dxy": inside["dxy"],
        "quality": inside["quality"],
        "puppiweight": np.where(is_charged(pid), 0, inside["puppi_weight"]),
        "emid": np.zeros_like(pid),
        **{name: pid == code for name, code in PARTICLE_FLAGS.items()},
    }
    return {
        f"{PREFIXES[0]}{name}": (values * filled).astype(np.int16) for name, values in found.items()
    }


def _generated(jets: Jets, found: GenJets) -> Branches:
    rest = {name.name: getattr(found, name.name) for name in fields(GenJets)[1:]}
    padded = _beside_jets(found.offsets, rest)
    slot = nearest_generated(jets, padded["pt_gev"], padded["eta"], padded["phi_rad"])
    pt, hadron, parton = (
        _taken(padded[name], slot) for name in ("pt_gev", "hadron_flavour", "parton_flavour")
    )
    return {
        "jet_genmatch_pt": pt.astype(np.float32),
        "jet_genmatch_hflav": hadron.astype(np.int8),
        "jet_genmatch_pflav": parton.astype(np.int8),
    }


def _leptons(jets: Jets, objects: Objects) -> Branches:
    """Return flags of the nearest prompt lepton or hadronic tau."""
    chosen = (objects.kind == Kind.LEPTON) | (objects.kind == Kind.TAU)
    before = np.concatenate([[0], np.cumsum(chosen)])
    rest = {name: getattr(objects, name)[chosen] for name in ("pt_gev", "eta", "phi_rad", "pdg")}
    rest["is_tau"] = objects.kind[chosen] == Kind.TAU
    padded = _beside_jets(before[objects.offsets], rest)
    slot = nearest_generated(
        jets, padded["pt_gev"], padded["eta"], padded["phi_rad"], radius=LEPTON_RADIUS, min_share=0
    )
    pt, pdg, is_tau = (_taken(padded[name], slot) for name in ("pt_gev", "pdg", "is_tau"))
    return {
        "jet_genmatch_lep_vis_pt": pt.astype(np.float32),
        "jet_tauflav": (is_tau > 0).astype(np.int8),
        "jet_muflav": (np.abs(pdg) == MUON).astype(np.int8),
        "jet_elflav": (np.abs(pdg) == ELECTRON).astype(np.int8),
        "jet_taucharge": (-np.sign(pdg) * (is_tau > 0)).astype(np.int8),
        "jet_reject": ((slot >= 0) & (pt < MIN_VISIBLE_PT_GEV)).astype(np.int8),
    }


def _beside_jets(
    offsets: npt.NDArray[np.int64], columns: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Put ragged columns into slots, as many as any event needs and at least one to point at."""
    counts = np.diff(offsets)
    return in_slots(columns, counts, max(1, int(counts.max(initial=0))))


def _taken(values: npt.NDArray[Any], slot: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the value of each jet's slot, 0 without one."""
    taken = np.take_along_axis(values, np.maximum(slot, 0), axis=1)
    return np.where(slot >= 0, taken, 0)


def _compact(branches: Branches) -> Branches:
    """Round what was generated; keep jets of a class that readers then take into trainings."""
    lsb = np.float32(GENERATED_LSB_GEV)
    rounded = branches | {name: np.round(branches[name] / lsb) * lsb for name in GENERATED_PT}
    truth = generated(rounded)
    kept = truth.inside & ~np.isnan(truth.label)
    found = {name: values[kept] for name, values in rounded.items()}
    flags = {f"{PREFIXES[0]}{name}" for name in PARTICLE_FLAGS}
    return {name: found[name].astype(np.uint8) if name in flags else found[name] for name in found}


def write_jets(path: Path, parts: Sequence[Branches], *, compact: bool = False) -> None:
    """Write a tree of jets in the form of the tagger's ntuples, whole or not at all.

    Args:
        path: File to write.
        parts: What :func:`found_jets` gave.
        compact: Leave out jets that no training takes, and digits of generated pt that say nothing;
            compress as well as possible.
    """
    import awkward as ak

    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if compact:
        joined = _compact(joined)
    filled = joined[f"{PREFIXES[0]}pt"] > 0
    inside = {
        name.removeprefix(PREFIXES[0]): ak.unflatten(values[filled], filled.sum(axis=1))
        for name, values in joined.items()
        if values.ndim == 2
    }
    branches: dict[str, Any] = {n: values for n, values in joined.items() if values.ndim == 1}
    branches[PREFIXES[0].rstrip("_")] = ak.zip(inside)  # together, so that one branch counts all
    write_tree(path, TREES[0], branches, compact=compact)
