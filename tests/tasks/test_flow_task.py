"""What is special to particle flow: its losses, the rules and the table of single elements."""

import numpy as np
import pytest

from l1met_fpga.config.training import LossConfig
from l1met_fpga.data.element_kinds import CLASSES, ParticleClass
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import ELEMENT_ETA, ELEMENT_PT_GEV, RULE_CLASS, RULE_PT_GEV
from l1met_fpga.data.truth import ELEMENT_CLASS, ELEMENT_PT
from l1met_fpga.models.keras import tf
from l1met_fpga.tasks.flow.baselines import element_weights
from l1met_fpga.tasks.flow.task import PARTICLE, RATIO, TASK

PHOTON, NEUTRAL, NONE = ParticleClass.PHOTON, ParticleClass.NEUTRAL_HADRON, ParticleClass.NONE


def elements(pid, pt_gev, truth=(), ratio=(), rule=(), rule_pt=()):
    """Elements without neighbours."""
    n = len(pid)
    pt = np.asarray(pt_gev, float)
    return Examples.of(
        np.ones(n, np.int64),
        {"pid": np.array(pid, np.int16), "pt": np.maximum(4 * pt, 1).astype(np.int16)},
        truth={
            ELEMENT_CLASS: np.array(truth or [0] * n, float),
            ELEMENT_PT: np.array(ratio or [0] * n, float),
        },
        besides={
            ELEMENT_PT_GEV: pt,
            ELEMENT_ETA: np.zeros(n),
            RULE_CLASS: np.array(rule or [0] * n, float),
            RULE_PT_GEV: np.array(rule_pt or [0] * n, float),
        },
    )


@pytest.mark.parametrize("kind", ["log_cosh", "mse", "mae"])
def test_an_element_without_a_particle_has_no_momentum_to_learn(kind):
    loss = TASK.losses()[RATIO.name][kind]
    q, u = tf.constant([[0.0], [1.0], [9.0], [3.0]]), tf.constant([[2.0], [1.5], [3.0], [3.0]])
    found = loss(q, u, LossConfig(kind=kind)).numpy()
    assert found[0] == 0
    assert found[1] > 0
    assert found[2:].tolist() == [0, 0]  # beyond 3 the truth says no more than 3


def test_rules_are_what_the_file_says():
    some = elements([1, 0], [10, 8], rule=[PHOTON, NONE], rule_pt=[7, 0])
    heads = TASK.baselines(some)["rules"].estimate(some)
    assert heads[PARTICLE.name].argmax(axis=1).tolist() == [PHOTON, NONE]
    assert TASK.measured(some, heads)["pt"][:, 0].tolist() == [7, 0]


def test_the_table_gives_what_alike_elements_were():
    truth = [PHOTON] * 15 + [NONE] * 5 + [NEUTRAL] * 20
    ratio = [0.8] * 15 + [0.0] * 5 + [1.5] * 20
    some = elements([1] * 20 + [0] * 20, [4] * 40, truth, ratio)
    heads = TASK.baselines(some)["table"].estimate(elements([1, 0, 0], [4.5, 4.5, 50]))
    shares = np.exp(heads[PARTICLE.name])
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-9)
    assert shares[0, [PHOTON, NONE]] == pytest.approx([0.75, 0.25], abs=0.05)
    assert shares[2, NEUTRAL] == pytest.approx(21 / 46)  # nothing alike: the shares of all
    np.testing.assert_allclose(heads[RATIO.name][:2, 0], [0.8, 1.5])


def test_rare_classes_and_hard_elements_weigh_more():
    classes = np.eye(len(CLASSES))[[0] * 16 + [1] * 4]
    weights = element_weights(classes, np.array([1.0] * 15 + [9.0] + [1.0] * 4))
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx(2)
    assert weights[15] / weights[0] == pytest.approx(3)
