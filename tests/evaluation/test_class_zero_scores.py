"""An estimate that has no score for most examples of a class."""

import numpy as np

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.class_figures import evaluate_classes
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.tasks.jets.task import TASK


def test_a_median_of_nothing_has_no_relative_width():
    n, classes = 240, 8
    truth = {"flavour": np.eye(classes)[np.arange(n) % classes], "pt": np.full((n, 1), 40.0)}
    rng = np.random.default_rng(1)
    pt = rng.uniform(30, 50, (n, 1))
    nothing = (np.arange(n) % classes == 0) & (np.arange(n) % 3 > 0)
    given = {"flavour": rng.normal(size=(n, classes)), "pt": np.where(nothing[:, None], 0.0, pt)}
    sample = Sample("jets", truth, {"some": given})
    config = EvaluationConfig(bootstrap_samples=20)
    found = evaluate_classes(sample, TASK, "flavour", config).estimates["some"]
    assert found.response[0][0] == 0
    assert np.isnan(found.width[0]).all()
    assert found.response[1][0] > 0.8
    assert found.width[1][0] > 0
