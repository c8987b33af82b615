"""The cell where an estimate is worst: found, with the difference that counting gives and a fair error."""

import math

import numpy as np
import pytest

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.estimates import Estimate
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.sample import Sample
from l1met_fpga.evaluation.worst_cell import worst_cell as worst_cell_of
from l1met_fpga.evaluation.worst_cell import worst_cell_text
from l1met_fpga.metrics.binning import Bins
from l1met_fpga.metrics.trigger import threshold_at_rate
from l1met_fpga.metrics.worst_cell import Cell, Scores, worst_cell
from l1met_fpga.report.headline_physics import physics_answers
from l1met_fpga.tasks.met.task import TASK as MET

BINS = Bins.of((100.0, 150.0, math.inf))
RATES = (62.0, 310.0)
N = 3000


def scores(rng):
    """Mine sees ttbar a bit better than the other one, and loses 25 GeV of hard Z."""
    background = Scores(rng.exponential(12, 40_000), rng.exponential(12, 40_000))
    signals = {}
    for label in ("ttbar", "znunu"):
        truth = rng.uniform(80, 220, N)
        noise = rng.normal(0, 15, N)
        loss = 25 * (truth > 150) if label == "znunu" else -8
        signals[label] = Scores(0.7 * truth + noise - loss, 0.7 * truth + noise, truth)
    return background, signals


def found(background, signals, rates=RATES):
    return worst_cell(background, signals, rates_khz=rates, bins=BINS, rng=np.random.default_rng(1))


def test_it_is_the_one_that_was_put_in_and_its_difference_is_counted():
    background, signals = scores(np.random.default_rng(0))
    cell = found(background, signals)
    assert (cell.sample, cell.low_gev, cell.high_gev) == ("znunu", 150, math.inf)
    hard = signals["znunu"].truth >= 150
    mine, other = (
        np.mean(score[hard] >= threshold_at_rate(of, cell.rate_khz))
        for score, of in (
            (signals["znunu"].mine, background.mine),
            (signals["znunu"].other, background.other),
        )
    )
    assert cell.difference == pytest.approx(mine - other)
    assert cell.in_errors == pytest.approx(cell.difference / cell.error)
    assert cell.in_errors < -3


def test_a_score_with_a_largest_value_is_not_taken_for_a_good_one():
    background, signals = scores(np.random.default_rng(0))
    cap = 40.0  # more pile-up-only events are there than pass at either rate
    capped = Scores(np.minimum(background.mine, cap), background.other)
    of_cap = {k: Scores(np.minimum(s.mine, cap), s.other, s.truth) for k, s in signals.items()}
    assert found(capped, of_cap).difference < -0.5


def test_the_error_is_the_scatter_of_other_samples():
    cells = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        truth, noise = rng.uniform(100, 150, 800), rng.normal(0, 15, 800)
        mine = Scores(0.7 * truth + noise, 0.7 * truth + rng.normal(0, 15, 800), truth)
        background = Scores(rng.exponential(12, 10_000), rng.exponential(12, 10_000))
        cells.append(found(background, {"ttbar": mine}, rates=(62.0,)))
    spread = np.std([cell.difference for cell in cells])
    error = np.mean([cell.error for cell in cells])
    assert error == pytest.approx(spread, rel=0.3)


def test_rates_that_are_not_supported_are_left_out_and_too_few_events_tell_nothing():
    rng = np.random.default_rng(0)
    background, signals = scores(rng)
    few = Scores(background.mine[:1000], background.other[:1000])
    assert found(few, signals, rates=(18.0, 31_000.0)).rate_khz == 31_000.0
    assert found(few, signals, rates=(18.0,)).rate_khz == pytest.approx(310, rel=0.02)
    short = {k: Scores(s.mine[:3], s.other[:3], s.truth[:3]) for k, s in signals.items()}
    assert found(background, short) is None
    assert Cell("ttbar", 62, 100, 150, 0.0, 0.0).in_errors == 0


@pytest.fixture(scope="module")
def metrics():
    rng = np.random.default_rng(2)
    background, signals = scores(rng)
    samples = [
        Sample(
            label,
            {"met": on_x(s.truth)},
            {"net": {"met": on_x(s.mine)}, "table": {"met": on_x(s.other)}},
        )
        for label, s in signals.items()
    ]
    nothing = {"met": np.zeros((len(background.mine), 2))}
    given = {"net": {"met": on_x(background.mine)}, "table": {"met": on_x(background.other)}}
    samples.append(Sample("pileup", nothing, given, is_background=True))
    about = {"table": Estimate("baseline", "table"), "net": Estimate("network", "net")}
    config = EvaluationConfig(bootstrap_samples=100, rates_khz=RATES, rates_if_supported_khz=())
    return to_metrics(evaluate(samples, MET, about, config, primary="net"))


def on_x(size):
    """Vectors of these sizes, near enough, with a width across."""
    across = np.random.default_rng(len(size)).normal(0, 1, len(size))
    return np.stack([np.maximum(size, 0), across], axis=1)


def test_the_report_finds_the_same(metrics):
    cell = worst_cell_of(metrics, "net")
    assert (cell.sample, cell.bin) == ("znunu", "above_150")
    assert cell.in_errors == cell.difference.value / cell.difference.error
    assert worst_cell_text(metrics, cell).endswith("kHz, genMET > 150 GeV")
    answer = list(physics_answers(metrics, "net"))[-1]
    assert answer.topic == "worst against the table"
    assert answer.verdict == "bad"
    assert worst_cell_of(metrics, "table") is None
