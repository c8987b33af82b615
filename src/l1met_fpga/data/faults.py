"""Faults of the detector, as functions on examples: what a network sees on a bad day.

A fault changes candidates, and the truth only where the detector as a whole is turned. An event holds
:data:`~l1met_fpga.puppi.columns.N_CANDIDATES` candidates at most; one more pushes out the last.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.faults import (
    DeadCalorimeter,
    DeadTracker,
    FakeCandidate,
    Fault,
    HotCell,
    NeutralScale,
    Truncation,
    Turned,
    UnitWeights,
    VertexShift,
)
from l1met_fpga.config.training import TrainingFaultsConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import Quantity
from l1met_fpga.puppi.columns import (
    ANGLE_LSB_RAD,
    COLUMNS,
    MAX_PUPPI_WEIGHT,
    N_CANDIDATES,
    PHI_COUNTS_PER_TURN,
    ParticleId,
)
from l1met_fpga.puppi.units import to_counts
from l1met_fpga.puppi.windows import Window, in_windows
from l1met_fpga.puppi.words import is_charged

__all__ = ["with_fault", "with_random_faults"]

Codes = npt.NDArray[Any]

_HALF_TURN: Final = PHI_COUNTS_PER_TURN // 2
_COUNTS_PER_DEGREE: Final = PHI_COUNTS_PER_TURN / 360
_PIDS: Final = {
    "neutral hadron": (ParticleId.NEUTRAL_HADRON,),
    "photon": (ParticleId.PHOTON,),
    "charged hadron": (ParticleId.HADRON_MINUS, ParticleId.HADRON_PLUS),
    "muon": (ParticleId.MUON_MINUS, ParticleId.MUON_PLUS),
}
_CALORIMETER_ETA: Final = round(3.0 / ANGLE_LSB_RAD)
_BARREL_ETA: Final = round(1.5 / ANGLE_LSB_RAD)
_SECTOR: Final = round(40 * _COUNTS_PER_DEGREE)
_HADRON_OF_ELECTRON: Final = ParticleId.ELECTRON_MINUS - ParticleId.HADRON_MINUS


def with_fault(examples: Examples, fault: Fault, rng: np.random.Generator) -> Examples:
    """Return the examples as a detector with this fault gives them.

    Args:
        examples: Events with all their candidates.
        fault: What is wrong.
        rng: Seeded generator of what is random.

    Raises:
        ValueError: If the fault is one of other events (``other_samples``).
    """
    columns = examples.columns
    match fault:
        case NeutralScale():
            return _neutral_scale(examples, fault.factor)
        case DeadCalorimeter():
            return _dead_calorimeter(examples, fault)
        case DeadTracker():
            dead = is_charged(columns["pid"]) & _between_deg(columns["phi"], fault.phi_deg)
            return examples.select_rows(~dead)
        case HotCell():
            return _hot_cell(examples, fault)
        case FakeCandidate():
            return _fake_candidate(examples, fault, rng)
        case Truncation():
            return examples.first_rows(fault.n_candidates)
        case Turned():
            return _turned(examples, fault)
        case VertexShift():
            return _vertex_shift(examples, fault.z0_cm)
        case UnitWeights():
            weights = np.full_like(columns["puppi_weight"], MAX_PUPPI_WEIGHT)
            return replace(examples, columns=columns | {"puppi_weight": weights})
    raise ValueError(f"{fault.kind} are other events, not a change of these")


def _neutral_scale(examples: Examples, factor: float) -> Examples:
    pt, neutral = examples.columns["pt"], ~is_charged(examples.columns["pid"])
    scaled = np.minimum(np.rint(pt * factor), COLUMNS["pt"].high).astype(np.int16)
    columns = examples.columns | {"pt": np.where(neutral, scaled, pt)}
    return replace(examples, columns=columns).select_rows(columns["pt"] > 0)


def _dead_calorimeter(examples: Examples, fault: DeadCalorimeter) -> Examples:
    columns = examples.columns
    low, high = np.array(sorted(fault.eta)) / ANGLE_LSB_RAD
    dead = (columns["eta"] >= low) & (columns["eta"] < high)
    dead &= _between_deg(columns["phi"], fault.phi_deg)
    electron = np.isin(columns["pid"], (ParticleId.ELECTRON_MINUS, ParticleId.ELECTRON_PLUS))
    pid = columns["pid"] - (_HADRON_OF_ELECTRON * (dead & electron)).astype(np.int16)
    seen = replace(examples, columns=columns | {"pid": pid})
    return seen.select_rows(~dead | is_charged(columns["pid"]))


def _between_deg(phi: Codes, ends_deg: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Tell which phi lie counterclockwise from the first end to the second."""
    first, second = (end * _COUNTS_PER_DEGREE for end in ends_deg)
    between: npt.NDArray[np.bool_] = np.mod(phi - first, PHI_COUNTS_PER_TURN) < second - first
    return between


def _hot_cell(examples: Examples, fault: HotCell) -> Examples:
    place = {"pt": fault.pt_gev, "eta": fault.eta, "phi": np.deg2rad(fault.phi_deg)}
    photon: dict[str, Codes] = {name: to_counts(name, [at]) for name, at in place.items()}
    photon["pid"] = np.array([ParticleId.PHOTON])
    seen = _with_one_more(examples, np.arange(len(examples)), photon)
    if fault.masked_within is None:
        return seen
    window = Window.around(fault.eta, np.deg2rad(fault.phi_deg), fault.masked_within)
    return seen.select_rows(~in_windows(seen.columns, [window]))


def _fake_candidate(examples: Examples, fault: FakeCandidate, rng: np.random.Generator) -> Examples:
    chosen = np.flatnonzero(rng.random(len(examples)) < fault.share)
    most = int(fault.max_abs_eta / ANGLE_LSB_RAD)
    fake: dict[str, Codes] = {
        "pt": to_counts("pt", [fault.pt_gev]),
        "eta": rng.integers(-most, most + 1, len(chosen)),
        "phi": rng.integers(-_HALF_TURN, _HALF_TURN, len(chosen)),
        "pid": rng.choice(np.array(_PIDS[fault.particle]), len(chosen)),
    }
    return _with_one_more(examples, chosen, fake)


def _with_one_more(
    examples: Examples, chosen: npt.NDArray[np.int64], given: dict[str, Codes]
) -> Examples:
    """Put a candidate of weight 1 in front of those of some examples; what is not given is 0."""
    values = {"puppi_weight": np.array([MAX_PUPPI_WEIGHT]), **given}
    more = np.zeros(len(examples), np.int64)
    more[chosen] = 1
    splits = examples.row_splits + np.concatenate([[0], np.cumsum(more)])
    added = np.zeros(splits[-1], bool)
    added[splits[:-1][chosen]] = True
    columns = {}
    for name, codes in examples.columns.items():
        columns[name] = np.zeros(len(added), np.int16)
        columns[name][~added] = codes
        columns[name][added] = values.get(name, 0)
    return replace(examples, columns=columns, row_splits=splits).first_rows(N_CANDIDATES)


def with_random_faults(
    examples: Examples, config: TrainingFaultsConfig, rng: np.random.Generator
) -> Examples:
    """Return examples of which some are seen with a random hot cell or a dead sector.

    Args:
        examples: Events.
        config: How many, and how hot.
        rng: Seeded generator.
    """
    drawn = rng.random(len(examples))
    sectors = rng.integers(0, PHI_COUNTS_PER_TURN, len(examples))
    sides = rng.choice(np.array([-1, 1]), len(examples))
    hot = np.flatnonzero(drawn < config.share / 2)
    low, high = config.hot_cell_pt_gev
    cell: dict[str, Codes] = {
        "pt": to_counts("pt", np.exp(rng.uniform(np.log(low), np.log(high), len(hot)))),
        "eta": rng.integers(-_CALORIMETER_ETA, _CALORIMETER_ETA + 1, len(hot)),
        "phi": rng.integers(-_HALF_TURN, _HALF_TURN, len(hot)),
        "pid": np.full(len(hot), ParticleId.PHOTON),
    }
    dead = (drawn >= config.share / 2) & (drawn < config.share)
    row, columns = examples.example_of_rows, examples.columns
    lost = dead[row] & ~is_charged(columns["pid"])
    lost &= (sides[row] * columns["eta"] >= 0) & (np.abs(columns["eta"]) < _BARREL_ETA)
    lost &= np.mod(columns["phi"] - sectors[row], PHI_COUNTS_PER_TURN) < _SECTOR
    return _with_one_more(examples.select_rows(~lost), hot, cell)


def _turned(examples: Examples, fault: Turned) -> Examples:
    sign = -1 if fault.mirrored else 1
    turn = round(fault.angle_deg * _COUNTS_PER_DEGREE)
    columns, angle = examples.columns, turn * ANGLE_LSB_RAD
    phi = np.mod(sign * columns["phi"] + turn + _HALF_TURN, PHI_COUNTS_PER_TURN) - _HALF_TURN
    seen = {"eta": sign * columns["eta"], "phi": phi.astype(np.int16)}
    # columns are x and y of the old axes in the new ones
    axes = np.array([[np.cos(angle), np.sin(angle)], [-sign * np.sin(angle), sign * np.cos(angle)]])
    truth = {
        name: values @ axes if Quantity.named(name).kind == "vector" else values
        for name, values in examples.truth.items()
    }
    return replace(examples, columns=columns | seen, truth=truth)


def _vertex_shift(examples: Examples, z0_cm: float) -> Examples:
    columns = examples.columns
    if "z0" not in columns:
        return examples
    about = COLUMNS["z0"]
    moved = np.clip(columns["z0"] + round(z0_cm / about.lsb), about.low, about.high)
    charged = is_charged(columns["pid"])
    z0 = np.where(charged, moved, columns["z0"]).astype(np.int16)
    return replace(examples, columns=columns | {"z0": z0})
