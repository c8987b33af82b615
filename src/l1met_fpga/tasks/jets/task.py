"""Jets: the class of each (b, charm, light, gluon, taus, muon, electron) and its pt.

Networks give a logit per class and the ratio of the generated pt to that which the trigger gives the
jet; figures are made of the corrected pt, ratio times pt.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.jet_labels import JET_CLASSES
from l1met_fpga.data.layout import JET_PT_GEV, JETS
from l1met_fpga.data.truth import JET_CLASS, JET_PT
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.models.heads import Head
from l1met_fpga.results.metrics import Width, Words
from l1met_fpga.tasks.class_and_pt import FIGURES, PT, read_estimate
from l1met_fpga.tasks.jets.baselines import PtTable, VariableTagger, balanced
from l1met_fpga.tasks.jets.variables import COLUMNS
from l1met_fpga.tasks.task import Baseline, Files, Heads, Loss, Plots, Task

__all__ = ["TASK"]

FLAVOUR: Final = Head(name="flavour", kind="classes", size=len(JET_CLASSES))
RATIO: Final = Head(name="pt_ratio", kind="scalar", size=1)


def _losses() -> Mapping[str, Mapping[str, Loss]]:
    from l1met_fpga.tasks.jets.losses import CLASSES
    from l1met_fpga.tasks.jets.losses import RATIO as OF_RATIO

    return {FLAVOUR.name: CLASSES, RATIO.name: OF_RATIO}


def _today(examples: Examples) -> dict[str, FloatArray]:
    """Return what the trigger gives: no class, and the pt as it is."""
    n = len(examples)
    return {FLAVOUR.name: np.zeros((n, FLAVOUR.size)), RATIO.name: np.ones((n, 1))}


def _baselines(examples: Examples) -> dict[str, Baseline]:
    truth = TASK.truth(examples)
    tagger = VariableTagger(examples, truth[FLAVOUR.name])
    table = PtTable(examples, truth[RATIO.name][:, 0])

    def simple(jets: Examples) -> dict[str, FloatArray]:
        return {FLAVOUR.name: tagger.logits(jets), RATIO.name: table.ratio(jets)[:, None]}

    return {
        "puppi": Baseline("PUPPI jet", _today),
        "table": Baseline("best variable of each class, table pt x |eta|", simple),
    }


def _weights(examples: Examples) -> FloatArray:
    return balanced(examples, TASK.truth(examples)[FLAVOUR.name])


def _measured(examples: Examples, heads: Heads) -> dict[str, FloatArray]:
    pt_gev = examples.besides[JET_PT_GEV].astype(np.float64)
    return {
        FLAVOUR.name: np.asarray(heads[FLAVOUR.name], np.float64),
        PT: np.asarray(heads[RATIO.name], np.float64) * pt_gev[:, None],
    }


def _score(heads: Heads) -> FloatArray:
    return np.asarray(heads[PT][:, 0], np.float64)


def _vector(heads: Heads) -> FloatArray:
    """Put the pt on the x axis: its response and width are those along the truth."""
    return np.stack([_score(heads), np.zeros(len(heads[PT]))], axis=1)


def _read(path: Path) -> tuple[Heads, Heads | None]:
    return read_estimate(path, FLAVOUR, JET_CLASSES, row="jet")


TASK: Final = Task(
    name="jets",
    rows="jet",
    heads=(FLAVOUR, RATIO),
    truths={FLAVOUR.name: JET_CLASS, RATIO.name: JET_PT},
    losses=_losses,
    reference=_today,
    baselines=_baselines,
    measured=_measured,
    example_weights=_weights,
    columns=COLUMNS,
    besides=JETS,
    score=_score,
    vector=_vector,
    files=Files(_read, truth_keys="none", hint="its unit (GeV)"),
    figures=FIGURES,
    evaluation=EvaluationConfig(
        resolution_edges_gev=(15, 20, 30, 45, 65, 100, 150, math.inf),
        gain_range_gev=(30, 150),
        response_range_gev=(30, 150),
        efficiency_edges_gev=(30, 60, math.inf),
        turn_on_edges_gev=(*range(0, 61, 10), 80, 100, 150),
        roc_above_gev=30,
    ),
    words=Words(
        task="jets",
        score="pt",
        truth="generated pt",
        truth_long="generated pt and class",
        unit="GeV",
        figures={figure.name: figure.table for figure in FIGURES if figure.table},
        widths={"width": Width(figure="parallel_over_response_gev", title="width")},
        classes={FLAVOUR.name: list(JET_CLASSES)},
    ),
    plots=Plots(
        score="jet $p_T$ [GeV]",
        truth="generated $p_T$ [GeV]",
        residual="$p_T$ residual",
        residual_name="residual",
        multiplicity="PUPPI candidates per jet, before truncation",
    ),
)
