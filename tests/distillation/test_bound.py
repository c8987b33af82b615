import math

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.distillation.figures import PartEvents
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS, TRUTH_COLUMNS
from l1met_fpga.puppi.sums import momentum_xy_gev
from l1met_fpga.tasks.met.task import TASK as MET


def write(path, label, *, n_events, share, seed):
    """Every candidate with a charge comes from the hard collision, of the others a known share."""
    rng = np.random.default_rng(seed)
    candidates = dict(random_candidates(rng, n_events, n_slots=128))
    codes = np.where(candidates["pid"] > 1, 256, share).astype(np.int16)
    if label == "pileup":
        codes = np.zeros_like(codes)
    candidates["hard_share"] = np.where(candidates["pt"] > 0, codes, 0).astype(np.int16)
    momentum = momentum_xy_gev(candidates) * candidates["hard_share"][..., None] / 256
    gen = np.zeros((n_events, 2)) if label == "pileup" else -momentum.sum(axis=1)
    write_store(path, candidates=candidates, truth={GEN_MET: gen}, label=label)
    return path


def test_the_sum_with_true_shares_is_the_truth_and_bounds_all_weights(tmp_path):
    stores = [
        write(tmp_path / "ttbar.h5", "ttbar", n_events=400, share=64, seed=1),
        write(tmp_path / "pileup.h5", "pileup", n_events=200, share=0, seed=2),
    ]
    config = EvaluationConfig(efficiency_edges_gev=(0, math.inf))
    columns = (*REQUIRED_COLUMNS, *TRUTH_COLUMNS)
    part = PartEvents(stores, MET, Part.TEST, config, columns)
    score = part.score(MET.oracle)
    np.testing.assert_allclose(score["ttbar"], part.truth["ttbar"], atol=1e-3)
    assert not score[""].any()  # pile-up-only events have no hard collision
    bound = part.without_background(score)
    assert bound.value == pytest.approx(np.mean(part.truth["ttbar"] > 0))
    some = score | {"": np.full(50, np.median(part.truth["ttbar"]))}
    half = part.without_background(some)
    assert half.value == pytest.approx(0.5, abs=0.02)
    n = len(part.truth["ttbar"])
    assert half.error == pytest.approx(np.sqrt(half.value * (1 - half.value) / n), rel=0.1)
