"""ROOT files of the Level-1 jet tagger: ntuples with one entry per jet, and its training chunks.

An example is a jet, its rows the hardest constituents in hardware integers. ``eta`` and ``phi`` are
distances to the jet's axis with the signs of the trigger (``L1TSC4NGJetID`` in CMSSW): axis minus
candidate in eta, candidate minus axis in phi.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from l1met_fpga.data.branch_choice import nearest
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.jet_labels import LEPTON_CLASSES, jet_class
from l1met_fpga.data.layout import JET_ETA, JET_PT_GEV, N_BEFORE_CUT
from l1met_fpga.data.quantize import clean, from_hardware, located, where_defined
from l1met_fpga.data.root_arrays import EventArrays
from l1met_fpga.data.root_file import opened, readable
from l1met_fpga.data.root_table import Table, open_table, steps
from l1met_fpga.data.truth import JET_CLASS, JET_PT
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT, PT_LSB_GEV, ParticleId
from l1met_fpga.puppi.jet_constituents import MAX_CONSTITUENTS
from l1met_fpga.puppi.words import is_charged

__all__ = ["PARTICLE_FLAGS", "TREES", "Generated", "generated", "holds_jets", "read_jets"]

TREES: Final = ("outnano/Jets", "outnano/jets", "jetntuple/Jets", "Jets", "data")
PREFIXES: Final = ("jet_puppicand_", "jet_pfcand_")
"""In front of the constituents' branches, by generation of the ntuple."""

PARTICLE_FLAGS: Final = {
    "isPhoton": ParticleId.PHOTON,
    "isElectronPlus": ParticleId.ELECTRON_PLUS,
    "isElectronMinus": ParticleId.ELECTRON_MINUS,
    "isMuonPlus": ParticleId.MUON_PLUS,
    "isMuonMinus": ParticleId.MUON_MINUS,
    "isNeutralHadron": ParticleId.NEUTRAL_HADRON,
    "isChargedHadronPlus": ParticleId.HADRON_PLUS,
    "isChargedHadronMinus": ParticleId.HADRON_MINUS,
}
_NUMBERS: Final = {
    "pt": "pt",
    "eta": "deta",
    "phi": "dphi",
    "puppi_weight": "puppiweight",
    "z0": "z0",
    "dxy": "dxy",
    "quality": "quality",
    "em_id": "emid",
}
"""Branch of each column."""
_SHAPE: Final = ("deta", "dphi", "mass", *PARTICLE_FLAGS)
_DETECTOR: Final = ("z0", "dxy", "isfilled", "puppiweight", "emid", "quality")
_CHUNK_ORDERS: Final = {
    20: ("pt", "pt_rel", "pt_log", *_SHAPE, *_DETECTOR),
    21: ("pt", "pt_rel", "pt_log", "eta", *_SHAPE, *_DETECTOR),
}
"""Features of a training chunk by their number."""
_CHUNK: Final = ("nn_inputs", "class_label", "target_pt_phys", "jet_pt_phys")
_PER_JET: Final = (
    "event", "jet_pt_phys", "jet_eta_phys", "jet_reject", "jet_tauflav", "jet_muflav", "jet_elflav",
    "jet_taucharge", "jet_genmatch_pt", "jet_genmatch_hflav", "jet_genmatch_pflav",
    "jet_genmatch_lep_vis_pt",
)  # fmt: skip
_WEIGHTS: Final = ("weight", "genWeight")

MIN_PT_GEV: Final = 15.0
MAX_ABS_ETA: Final = 2.4
MIN_TARGET_GEV: Final = 5.0
"""Of the generated pt: the selection of the tagger's trainings."""

Flat = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Jets:
    """Jets of one step, constituents one jet after the other."""

    counts: npt.NDArray[np.int64]
    constituents: dict[str, Flat]
    pt_gev: Flat
    eta: Flat
    label: Flat
    target_gev: Flat
    ids: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Generated:
    """What was generated near jets, shape (n_jets,).

    Attributes:
        label: Number of the class; NaN for none.
        tau_charge: Charge of the hadronic tau, 0 if unknown; NaN without a tau.
        target_gev: Generated pt, of leptons without neutrinos; 0 for none.
        inside: Whether the selection of the tagger's trainings takes the jet.
    """

    label: Flat
    tau_charge: Flat
    target_gev: Flat
    inside: npt.NDArray[np.bool_]


def read_jets(
    path: str, jets_per_step: int, tally: Counter[str], *, every: bool = False
) -> Iterator[Examples]:
    """Read a file of jets in steps; memory does not depend on its size.

    Args:
        path: File name or URL.
        jets_per_step: Jets per batch, about.
        tally: Counts what was changed or dropped.
        every: Whether to read what trainings leave out too: soft and forward jets and those of
            pile-up, which a trigger sees as well.

    Raises:
        DataError: If the file is damaged, lacks its tree or a branch, or breaks a rule of its columns.
    """
    tree = _tree_of(path)
    with open_table(path, tree) as table:
        wanted, read = _reader(table, f"{path}: tree {tree}", every=every)
        table.check(wanted)
        for start, stop in steps(table.n_events, table.ends(wanted[0]), jets_per_step):
            arrays = table.read(wanted, start, stop)
            with located(f"{path}, jets {start} to {stop - 1}"):
                found = clean(_examples(read(arrays, tally), tally), tally)
            tally["jets_without_constituents"] += tally.pop("empty_events")
            yield found


def holds_jets(path: str) -> bool:
    """Tell a file with a tree of jets and none of events.

    Raises:
        DataError: If the file cannot be read.
    """
    trees = _trees(path)
    return "Events" not in trees and not set(TREES).isdisjoint(trees)


def _trees(path: str) -> list[str]:
    with opened(path) as file, readable(path):
        return list(file.keys(cycle=False))


def _tree_of(path: str) -> str:
    trees = _trees(path)
    found = next((tree for tree in TREES if tree in trees), None)
    if found is None:
        raise DataError(
            f"{path} has none of the trees {', '.join(TREES)}; it has {', '.join(trees) or 'none'}. "
            "Events are read without --format jets"
        )
    return found


def _reader(
    table: Table, where: str, *, every: bool
) -> tuple[list[str], Callable[[Mapping[str, ak.Array], Counter[str]], _Jets]]:
    """Return the branches to read and what makes jets of them."""
    if "nn_inputs" in table.names:
        _require(table, _CHUNK, where)
        return list(_CHUNK), _of_chunk
    prefix = next((one for one in PREFIXES if f"{one}pt" in table.names), PREFIXES[0])
    branches = [f"{prefix}{name}" for name in (*_NUMBERS.values(), *PARTICLE_FLAGS)]
    _require(table, [*branches, *_PER_JET], where)
    weights = [name for name in _WEIGHTS if name in table.names]

    def read(arrays: Mapping[str, ak.Array], tally: Counter[str]) -> _Jets:
        found, truth = _of_ntuple(arrays, prefix, tally)
        if every:
            return found
        tally["jets_outside"] += int((~truth.inside).sum())
        return _selected(found, truth.inside)

    return [*branches, *_PER_JET, *weights], read


def _require(table: Table, names: tuple[str, ...] | list[str], where: str) -> None:
    missing = [name for name in names if name not in table.names]
    if missing:
        raise DataError(
            f"{where} has no branch {missing[0]}{nearest(missing[0], table.names)} ({len(missing)} "
            "of those that jets need are missing); write the ntuple with constituents and "
            "generated flavours"
        )


def _of_chunk(arrays: Mapping[str, ak.Array], tally: Counter[str]) -> _Jets:  # noqa: ARG001
    inputs, label, target, pt = (ak.to_numpy(arrays[name]) for name in _CHUNK)
    n = inputs.shape[-1]
    if inputs.ndim != 3 or n not in _CHUNK_ORDERS:
        known = " or ".join(map(str, _CHUNK_ORDERS))
        raise DataError(
            f"nn_inputs has shape {inputs.shape[1:]} per jet; expected constituents x {known} features"
        )
    features = dict(zip(_CHUNK_ORDERS[n], np.moveaxis(inputs, -1, 0), strict=True))
    filled = features["isfilled"] > 0
    return _Jets(
        filled.sum(axis=1),
        {name: values[filled] for name, values in features.items()},
        pt.astype(np.float64),
        np.full(len(pt), np.nan),
        label.astype(np.float64),
        target.astype(np.float64),
        np.zeros((len(pt), 3), np.uint64),
    )


def _of_ntuple(
    arrays: Mapping[str, ak.Array], prefix: str, tally: Counter[str]
) -> tuple[_Jets, Generated]:
    held = EventArrays(arrays, f"{prefix}pt", None)
    jet = {name: held.per_event(name) for name in _PER_JET}
    for name in set(_WEIGHTS) & set(arrays):
        tally["negative_weight_jets"] += int((held.per_event(name) < 0).sum())
    truth = generated(jet)
    tally["taus_without_charge"] += int((truth.tau_charge == 0).sum())
    ids = np.ones((len(truth.label), 3), np.uint64)
    ids[:, 2] = held.integers("event")
    found = _Jets(
        held.counts,
        {
            name: held.per_candidate(f"{prefix}{name}")
            for name in (*_NUMBERS.values(), *PARTICLE_FLAGS)
        },
        jet["jet_pt_phys"].astype(np.float64),
        jet["jet_eta_phys"].astype(np.float64),
        truth.label,
        truth.target_gev,
        ids,
    )
    return found, truth


def generated(jet: Mapping[str, Flat]) -> Generated:
    """Return what was generated near jets, from their branches.

    Args:
        jet: Branches of an ntuple by name, shape (n_jets,).
    """
    is_tau = jet["jet_tauflav"] != 0
    charge = np.where(is_tau, jet["jet_taucharge"], np.nan)
    label = jet_class(
        jet["jet_genmatch_hflav"],
        jet["jet_genmatch_pflav"],
        is_matched=jet["jet_genmatch_pt"] > 0,
        tau_charge=charge,
        is_muon=jet["jet_muflav"] != 0,
        is_electron=jet["jet_elflav"] != 0,
    )
    is_lepton = np.isin(label, LEPTON_CLASSES)
    target = np.where(is_lepton, jet["jet_genmatch_lep_vis_pt"], jet["jet_genmatch_pt"])
    inside = (jet["jet_pt_phys"] > MIN_PT_GEV) & (np.abs(jet["jet_eta_phys"]) < MAX_ABS_ETA)
    inside &= (jet["jet_reject"] == 0) & ~(target <= MIN_TARGET_GEV)
    return Generated(label, charge, target.astype(np.float64), inside)


def _selected(jets: _Jets, chosen: npt.NDArray[np.bool_]) -> _Jets:
    of_rows = np.repeat(chosen, jets.counts)
    per_jet = (jets.pt_gev, jets.eta, jets.label, jets.target_gev, jets.ids)
    constituents = {name: values[of_rows] for name, values in jets.constituents.items()}
    return _Jets(jets.counts[chosen], constituents, *(values[chosen] for values in per_jet))


def _examples(jets: _Jets, tally: Counter[str]) -> Examples:
    pid = _particle_ids(jets.constituents)
    columns = {"pid": pid}
    for name, branch in _NUMBERS.items():
        values = where_defined(name, jets.constituents[branch], pid)
        if name == "puppi_weight":
            values = np.where(is_charged(pid), MAX_PUPPI_WEIGHT, values)
        columns[name] = from_hardware(name, values)
    found = Examples.of(
        jets.counts,
        {name: columns[name] for name in COLUMNS},
        truth={JET_CLASS: jets.label, JET_PT: _ratio(jets)},
        ids=jets.ids,
        besides={JET_PT_GEV: jets.pt_gev, JET_ETA: jets.eta, N_BEFORE_CUT: jets.counts},
    )
    tally["jets_without_class"] += int(np.isnan(jets.label).sum())
    _require_sums(found)
    return _hardest(found, tally)


def _particle_ids(constituents: Mapping[str, Flat]) -> npt.NDArray[np.int16]:
    flags = np.stack([constituents[name] != 0 for name in PARTICLE_FLAGS])
    wrong = flags.sum(axis=0) != 1
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} constituents are of no particle type, or of several; each has one of "
            f"{', '.join(PARTICLE_FLAGS)}"
        )
    codes = np.array([int(pid) for pid in PARTICLE_FLAGS.values()], np.int16)
    chosen: npt.NDArray[np.int16] = codes[flags.argmax(axis=0)]
    return chosen


def _ratio(jets: _Jets) -> npt.NDArray[np.float64]:
    """Return generated over measured pt; NaN where either is none."""
    known = (jets.pt_gev > 0) & (jets.target_gev > 0)
    return np.where(known, jets.target_gev, np.nan) / np.where(known, jets.pt_gev, np.nan)


def _require_sums(jets: Examples) -> None:
    """Refuse constituents in another unit: those of most jets must add up to the jet, or to less."""
    total = np.bincount(jets.example_of_rows, jets.columns["pt"], minlength=len(jets)) * PT_LSB_GEV
    ratio = total / np.maximum(jets.besides[JET_PT_GEV], PT_LSB_GEV)
    middle = float(np.median(ratio)) if len(ratio) else 1.0
    if not 0.7 <= middle <= 1.05:
        raise DataError(
            f"the constituents' pt adds up to {middle:.2f} of the jet's in the middle; pt must be in "
            f"counts of {PT_LSB_GEV:g} GeV and jet_pt_phys in GeV"
        )


def _hardest(jets: Examples, tally: Counter[str]) -> Examples:
    """Keep the constituents that the trigger looks at, in falling pt."""
    pt, owner = jets.columns["pt"].astype(np.int64), jets.example_of_rows
    rises = (np.diff(pt) > 0) & (np.diff(owner) == 0)
    if rises.any():
        tally["unsorted_jets"] += len(np.unique(owner[1:][rises]))
        order = np.argsort((owner << COLUMNS["pt"].type.width) - pt, kind="stable")
        columns = {name: values[order] for name, values in jets.columns.items()}
        jets = replace(jets, columns=columns)
    tally["jets_with_more_constituents"] += int((jets.counts > MAX_CONSTITUENTS).sum())
    return jets.first_rows(MAX_CONSTITUENTS)
