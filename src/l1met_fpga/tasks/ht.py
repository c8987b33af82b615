"""HT: the scalar sum of jet-like activity, ``sum_i w_i pt_i``; the target is genHT."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from l1met_fpga.archives import read_npz
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.event_jets import trigger_jets
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import all_slots
from l1met_fpga.data.truth import GEN_HT
from l1met_fpga.errors import DataError
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.models.heads import Head
from l1met_fpga.puppi.columns import PT_LSB_GEV, Candidates
from l1met_fpga.puppi.jet_sums import emulate_ht_mht
from l1met_fpga.results.metrics import Width, Words
from l1met_fpga.tasks.baselines import CandidateSum
from l1met_fpga.tasks.rotation import Rotation
from l1met_fpga.tasks.task import Baseline, BinnedFigure, Files, Heads, Loss, Plots, Task

__all__ = ["TASK"]

HT: Final = Head(name="ht", kind="scalar", unit="GeV", size=1)
HARD_GEV: Final = 4.0
"""Candidates above it carry the jets; most of those below it come from pile-up."""


def _losses() -> Mapping[str, Mapping[str, Loss]]:
    from l1met_fpga.tasks.losses import REGRESSION, with_rate

    return {HT.name: with_rate(REGRESSION, lambda values: values[:, 0])}


def _pt_gev(candidates: Candidates) -> FloatArray:
    return np.asarray(candidates["pt"] * PT_LSB_GEV, np.float64)[..., None]


def _puppi(examples: Examples) -> dict[str, FloatArray]:
    return {HT.name: _pt_gev(all_slots(examples)).sum(axis=1)}


def _hard_puppi(examples: Examples) -> dict[str, FloatArray]:
    pt_gev = _pt_gev(all_slots(examples))
    return {HT.name: np.where(pt_gev > HARD_GEV, pt_gev, 0.0).sum(axis=1)}


def _jets(examples: Examples) -> dict[str, FloatArray]:
    return {HT.name: emulate_ht_mht(trigger_jets(examples)).ht_gev[:, None]}


SUMS: Final = CandidateSum(HT.name, _pt_gev, _puppi)


def _baselines(examples: Examples) -> dict[str, Baseline]:
    title = "PUPPI HT"
    return {
        "puppi": Baseline(title, _puppi),
        "hard": Baseline(f"{title}, candidates above {HARD_GEV:g} GeV", _hard_puppi),
        "jets": Baseline("HT of jets (CMSSW emulator)", _jets),
        **SUMS.baselines(examples, TASK.truth(examples), of=title),
    }


def _score(heads: Heads) -> FloatArray:
    return np.asarray(heads[HT.name][:, 0], np.float64)


def _vector(heads: Heads) -> FloatArray:
    """Put the number on the x axis: its response and width are those along the truth."""
    return np.stack([_score(heads), np.zeros(len(heads[HT.name]))], axis=1)


def _read(path: Path) -> tuple[Heads, Heads | None]:
    held = read_npz(path, error=DataError, next_step="write it again with numpy.savez")
    found = {}
    for key in ("ht", "gen_ht"):
        if key in held:
            if held[key].ndim != 1 or held[key].dtype.kind not in "fiu":
                raise DataError(f"{path}: {key} must hold one number per event, GeV")
            found[key] = {HT.name: held[key].astype(np.float64)[:, None]}
    if "ht" not in found:
        raise DataError(
            f"{path} needs an array ht (and gen_ht for the truth), GeV, got {sorted(held)}"
        )
    return found["ht"], found.get("gen_ht")


_WIDTH: Final = r"$\sigma_{68}(H_T)$"
_FIGURES: Final = (
    BinnedFigure("response", "response", "response", "response", 1.0),
    BinnedFigure("response_median", "median response", "response_median", "median response", 1.0),
    BinnedFigure("slope", "slope", "slope", "slope"),
    BinnedFigure("slope_median"),
    BinnedFigure("parallel_gev", "width (GeV)"),
    BinnedFigure(
        "parallel_over_slope_gev", "width / slope (GeV)", "resolution",
        f"{_WIDTH} / slope [GeV]", ratio=True,
    ),
    BinnedFigure(
        "parallel_over_response_gev", "width / response (GeV)", "resolution_over_response",
        f"{_WIDTH} / response [GeV]", ratio=True,
    ),
    BinnedFigure("tail_2_sigma", "beyond 2 sigma"),
    BinnedFigure(
        "tail_3_sigma", "beyond 3 sigma", "tails", r"fraction beyond 3 $\sigma_{68}$", 0.0028
    ),
)  # fmt: skip

TASK: Final = Task(
    name="ht",
    heads=(HT,),
    truths={HT.name: GEN_HT},
    losses=_losses,
    augment=Rotation(),
    reference=_puppi,
    baselines=_baselines,
    weights=SUMS.mean_weights,
    oracle=SUMS.of_hard_collision,
    score=_score,
    vector=_vector,
    files=Files(_read, truth_keys="gen_ht", hint="its unit (GeV)"),
    figures=_FIGURES,
    evaluation=EvaluationConfig(
        resolution_edges_gev=(0, 100, 200, 300, 400, 600, math.inf),
        gain_range_gev=(100, 600),
        response_range_gev=(200, 600),
        efficiency_edges_gev=(200, 400, math.inf),
        turn_on_edges_gev=(*range(0, 601, 50), 700, 800, 1000),
        roc_above_gev=200,
    ),
    words=Words(
        task="ht",
        score="HT",
        truth="genHT",
        truth_long="generator HT",
        unit="GeV",
        figures={figure.name: figure.table for figure in _FIGURES if figure.table},
        widths={"width": Width(figure="parallel_over_slope_gev", title="width")},
    ),
    plots=Plots(
        score="$H_T$ [GeV]",
        truth="generator $H_T$ [GeV]",
        residual="$H_T$ residual",
        residual_name="residual",
    ),
)
