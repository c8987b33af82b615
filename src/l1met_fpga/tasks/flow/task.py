"""Particle flow: the class of each element of the detector and the pt of the particle behind it.

An element is a track or a calorimeter cluster with its neighbours (:mod:`l1met_fpga.data.read_elements`).
Networks give a logit per class (none among them) and the ratio of the generated pt to that which the
detector gives; figures are made of the pt, ratio times the element's, whatever the class.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.element_kinds import CLASSES
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import ELEMENT_PT_GEV, ELEMENTS
from l1met_fpga.data.truth import ELEMENT_CLASS, ELEMENT_PT
from l1met_fpga.metrics.arrays import FloatArray
from l1met_fpga.models.heads import Head
from l1met_fpga.results.metrics import Width, Words
from l1met_fpga.tasks.class_and_pt import FIGURES, PT, read_estimate
from l1met_fpga.tasks.flow.baselines import COLUMNS, ElementTable, element_weights, rules
from l1met_fpga.tasks.task import Baseline, Files, Heads, Loss, Plots, Task

__all__ = ["PARTICLE", "RATIO", "TASK"]

PARTICLE: Final = Head(name="particle", kind="classes", size=len(CLASSES))
RATIO: Final = Head(name="pt_ratio", kind="scalar", size=1)


def _losses() -> Mapping[str, Mapping[str, Loss]]:
    from l1met_fpga.tasks.flow.losses import CLASSES as OF_CLASSES
    from l1met_fpga.tasks.flow.losses import RATIO as OF_RATIO

    return {PARTICLE.name: OF_CLASSES, RATIO.name: OF_RATIO}


def _heads(logits: FloatArray, ratio: FloatArray) -> dict[str, FloatArray]:
    return {PARTICLE.name: logits, RATIO.name: ratio}


def _today(elements: Examples) -> dict[str, FloatArray]:
    """Return the element as it is: no class, and its own pt."""
    n = len(elements)
    return _heads(np.zeros((n, PARTICLE.size)), np.ones((n, 1)))


def _baselines(elements: Examples) -> dict[str, Baseline]:
    truth = TASK.truth(elements)
    table = ElementTable(elements, truth[PARTICLE.name], truth[RATIO.name][:, 0])
    return {
        "puppi": Baseline("element as it is", _today),
        "rules": Baseline("rule-based particle flow", lambda some: _heads(*rules(some))),
        "table": Baseline("table of single elements", lambda some: _heads(*table.heads(some))),
    }


def _weights(elements: Examples) -> FloatArray:
    classes = TASK.truth(elements)[PARTICLE.name]
    return element_weights(classes, elements.besides[ELEMENT_PT_GEV])


def _measured(elements: Examples, heads: Heads) -> dict[str, FloatArray]:
    pt_gev = elements.besides[ELEMENT_PT_GEV].astype(np.float64)
    return {
        PARTICLE.name: np.asarray(heads[PARTICLE.name], np.float64),
        PT: np.asarray(heads[RATIO.name], np.float64) * pt_gev[:, None],
    }


def _score(heads: Heads) -> FloatArray:
    return np.asarray(heads[PT][:, 0], np.float64)


def _vector(heads: Heads) -> FloatArray:
    """Put the pt on the x axis: its response and width are those along the truth."""
    return np.stack([_score(heads), np.zeros(len(heads[PT]))], axis=1)


def _read(path: Path) -> tuple[Heads, Heads | None]:
    return read_estimate(path, PARTICLE, CLASSES, row="element")


TASK: Final = Task(
    name="flow",
    rows="element",
    heads=(PARTICLE, RATIO),
    truths={PARTICLE.name: ELEMENT_CLASS, RATIO.name: ELEMENT_PT},
    losses=_losses,
    reference=_today,
    baselines=_baselines,
    measured=_measured,
    example_weights=_weights,
    columns=COLUMNS,
    besides=ELEMENTS,
    score=_score,
    vector=_vector,
    files=Files(_read, truth_keys="none", hint="its unit (GeV)"),
    figures=FIGURES,
    evaluation=EvaluationConfig(
        resolution_edges_gev=(1, 2, 3, 5, 8, 15, 30, math.inf),
        gain_range_gev=(2, 30),
        response_range_gev=(2, 30),
        efficiency_edges_gev=(2, 5, math.inf),
        turn_on_edges_gev=(*range(0, 21, 2), 30, 50),
        roc_above_gev=2,
    ),
    words=Words(
        task="flow",
        score="pt",
        truth="generated pt",
        truth_long="particles behind elements",
        unit="GeV",
        figures={figure.name: figure.table for figure in FIGURES if figure.table},
        widths={"width": Width(figure="parallel_over_response_gev", title="width")},
        classes={PARTICLE.name: list(CLASSES)},
    ),
    plots=Plots(
        score="particle $p_T$ [GeV]",
        truth="generated $p_T$ [GeV]",
        residual="$p_T$ residual",
        residual_name="residual",
        multiplicity="elements around one, itself among them",
    ),
)
