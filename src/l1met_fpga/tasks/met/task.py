"""MET: px and py of the missing transverse momentum, ``-sum w_i p_i``; the target is +genMET."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.event_jets import trigger_jets
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.predictions import read_met
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET, PUPPI_MET, Quantity
from l1met_fpga.metrics.arrays import FloatArray, magnitude_gev
from l1met_fpga.models.heads import Head
from l1met_fpga.puppi.columns import Candidates
from l1met_fpga.puppi.emulator import cmssw_met_xy_gev, emulate_puppi_met
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.puppi.jump import emulate_jump, jump_met_xy_gev, raised_met_xy_gev
from l1met_fpga.puppi.sums import momentum_xy_gev, puppi_met_xy_gev
from l1met_fpga.results.metrics import Width, Words
from l1met_fpga.tasks.baselines import CandidateSum
from l1met_fpga.tasks.rotation import Rotation
from l1met_fpga.tasks.task import Baseline, BinnedFigure, Files, Heads, Loss, Plots, Step, Task

__all__ = ["MET", "TASK"]

MET: Final = Head(name="met", kind="vector", unit="GeV", size=2)


def _losses() -> Mapping[str, Mapping[str, Loss]]:
    from l1met_fpga.tasks.met.losses import LOSSES

    return {MET.name: LOSSES}


def _puppi(examples: Examples) -> dict[str, FloatArray]:
    return {MET.name: puppi_met_xy_gev(all_slots(examples))}


def _emulator(examples: Examples) -> dict[str, FloatArray]:
    return {MET.name: cmssw_met_xy_gev(all_slots(examples))}


def _jump(examples: Examples) -> dict[str, FloatArray]:
    met = emulate_puppi_met(all_slots(examples))
    return {MET.name: emulate_jump(met.pt, met.phi, trigger_jets(examples)).met_xy_gev}


def _mht(examples: Examples) -> dict[str, FloatArray]:
    return {MET.name: emulate_ht_mht(trigger_jets(examples)).mht_xy_gev}


def _with_jump(examples: Examples, heads: Heads) -> dict[str, FloatArray]:
    return {MET.name: jump_met_xy_gev(_vector(heads), trigger_jets(examples))}


def _with_turning_jump(examples: Examples, heads: Heads) -> dict[str, FloatArray]:
    return {MET.name: raised_met_xy_gev(_vector(heads), trigger_jets(examples))}


def _minus_momentum(candidates: Candidates) -> FloatArray:
    return -momentum_xy_gev(candidates)


SUMS: Final = CandidateSum(MET.name, _minus_momentum, _puppi)


def _baselines(examples: Examples) -> dict[str, Baseline]:
    title = "PUPPI MET"
    return {
        "puppi": Baseline(title, _puppi),
        "cmssw": Baseline(f"{title} (CMSSW emulator)", _emulator),
        "jump": Baseline("JUMP (CMSSW emulator)", _jump),
        "mht": Baseline("MHT (CMSSW emulator)", _mht),
        **SUMS.baselines(examples, TASK.truth(examples), of=title),
    }


def _score(heads: Heads) -> FloatArray:
    return magnitude_gev(heads[MET.name])


def _vector(heads: Heads) -> FloatArray:
    return np.asarray(heads[MET.name], np.float64)


def _others(store: Store, events: npt.NDArray[np.int64]) -> dict[str, Heads]:
    return {
        quantity.key: {MET.name: store.baseline(quantity.name, events)}
        for quantity in map(Quantity.named, store.baselines)
        if quantity.kind == "vector" and quantity.name != PUPPI_MET
    }


def _read(path: Path) -> tuple[Heads, Heads | None]:
    met, truth = read_met(path)
    return {MET.name: met}, None if truth is None else {MET.name: truth}


_PERPENDICULAR: Final = r"$\sigma_{68}(u_\perp)$"
_PARALLEL: Final = r"$\sigma_{68}(u_\parallel)$"
_FIGURES: Final = (
    BinnedFigure(
        "response", "response", "response",
        r"response $\langle u_\parallel\rangle / \langle q\rangle$", 1.0,
    ),
    BinnedFigure("response_median", "median response", "response_median", r"median of $|u| / |q|$", 1.0),
    BinnedFigure("slope", "slope", "slope", r"slope $d\langle u_\parallel\rangle / dq$"),
    BinnedFigure("slope_median"),
    BinnedFigure("parallel_gev"),
    BinnedFigure("perpendicular_gev"),
    BinnedFigure(
        "parallel_over_slope_gev", "parallel / slope (GeV)", "resolution_par",
        f"{_PARALLEL} / slope [GeV]", ratio=True,
    ),
    BinnedFigure(
        "perpendicular_over_slope_gev", "perpendicular / slope (GeV)", "resolution_perp",
        f"{_PERPENDICULAR} / slope [GeV]", ratio=True,
    ),
    BinnedFigure(
        "parallel_over_response_gev", "parallel / response (GeV)", "resolution_par_over_response",
        f"{_PARALLEL} / response [GeV]", ratio=True,
    ),
    BinnedFigure(
        "perpendicular_over_response_gev", "perpendicular / response (GeV)",
        "resolution_perp_over_response", f"{_PERPENDICULAR} / response [GeV]", ratio=True,
    ),
    BinnedFigure("x_gev", "x residual (GeV)", "resolution_x", r"$\sigma_{68}(p_x)$ [GeV]", ratio=True),
    BinnedFigure("phi_rad", "phi (rad)", "resolution_phi", r"$\sigma_{68}(\varphi)$ [rad]", ratio=True),
    BinnedFigure("tail_2_sigma", "beyond 2 sigma"),
    BinnedFigure("tail_3_sigma", "beyond 3 sigma", "tails", r"fraction beyond 3 $\sigma_{68}$", 0.0028),
)  # fmt: skip

TASK: Final = Task(
    name="met",
    heads=(MET,),
    truths={MET.name: GEN_MET},
    losses=_losses,
    augment=Rotation((MET.name,)),
    reference=_puppi,
    baselines=_baselines,
    weights=SUMS.mean_weights,
    oracle=SUMS.of_hard_collision,
    score=_score,
    vector=_vector,
    others=_others,
    steps={
        "jump": Step("JUMP", _with_jump),
        "turning_jump": Step("JUMP that turns with the event", _with_turning_jump),
    },
    files=Files(
        _read,
        truth_keys="gen_px and gen_py, or gen_pt and gen_phi",
        hint="its sign (MET is minus the sum of momenta), unit (GeV), angle (rad) and the order of "
        "px and py",
    ),
    figures=_FIGURES,
    words=Words(
        task="met",
        score="MET",
        truth="genMET",
        truth_long="generator MET",
        unit="GeV",
        figures={figure.name: figure.table for figure in _FIGURES if figure.table},
        widths={
            "u_par": Width(figure="parallel_over_slope_gev", title="parallel"),
            "u_perp": Width(figure="perpendicular_over_slope_gev", title="perpendicular"),
        },
    ),
    plots=Plots(
        score="$p_T^{miss}$ [GeV]",
        truth="generator $p_T^{miss}$ [GeV]",
        residual="x residual",
        residual_name="residual_x",
    ),
)
