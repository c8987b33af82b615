"""Classes of events, fakes and misses against counting by hand."""

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, met_of, signal

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import N_PILEUP
from l1met_fpga.evaluation.classes import Classes, classes_of
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.shown import judged
from l1met_fpga.evaluation.trigger import working_points
from l1met_fpga.metrics.arrays import magnitude_gev
from l1met_fpga.report.physics import physics_figures
from l1met_fpga.report.physics_tables import physics_tables
from l1met_fpga.tasks.met.task import TASK as MET

CONFIG = EvaluationConfig(bootstrap_samples=2, rates_khz=(310.0,))


@pytest.fixture(scope="module")
def found():
    ttbar = signal(3000)
    halves = Classes(("even", "odd"), np.arange(3000) % 2)
    ttbar = ttbar.__class__(**{**vars(ttbar), "classes": {"region": halves}})
    return evaluate([ttbar, background(4000)], MET, ESTIMATES, CONFIG, primary="net")


def test_efficiencies_by_class_are_those_of_its_events(found):
    assert judged(ESTIMATES) == ["puppi", "scaled_puppi", "net"]
    sample, cells = found.samples["ttbar"], found.studies.classes["region"]["ttbar"]["310kHz"]
    size = magnitude_gev(sample.truth["met"])
    passing = {
        name: magnitude_gev(met_of(sample)[name]) >= found.rates.thresholds[name][0]
        for name in ("puppi", "net")
    }
    for k, kind in enumerate(("even", "odd")):
        chosen = (size >= 100) & (size < 150) & (np.arange(3000) % 2 == k)
        cell = cells[kind]["100_150"]
        assert cell.events == chosen.sum() > 100
        for name, cuts in passing.items():
            assert cell.efficiency[name].value == pytest.approx(cuts[chosen].mean())
        gain = passing["net"][chosen].mean() - passing["puppi"][chosen].mean()
        assert cell.difference["puppi"].value == pytest.approx(gain)
        assert 0 < cell.difference["puppi"].error < 0.1


def test_fakes_and_misses_are_of_the_calibrated_estimate(found):
    sample, tails = found.samples["ttbar"], found.studies.tails
    response = found.resolution["ttbar"].response["puppi"][0]
    away = magnitude_gev(met_of(sample)["puppi"]) / response - magnitude_gev(sample.truth["met"])
    assert tails["ttbar"]["puppi"].fakes.value == pytest.approx((away > 50).mean())
    assert tails["ttbar"]["puppi"].misses.value == pytest.approx((away < -50).mean())
    assert tails["pileup"]["puppi"].misses is None
    assert tails["pileup"]["puppi"].fakes.value > tails["pileup"]["net"].fakes.value > 0


def test_report_has_them(found):
    metrics = to_metrics(found)
    physics = physics_figures(metrics)
    cell = physics.regions["ttbar"]["310kHz"]["even"]["100_150"]
    assert cell.network > cell.puppi > 0
    assert cell.table is None
    assert physics.pileup_dependence is None
    assert physics.tails["pileup"].misses is None
    titles = [table.title for table in physics_tables(metrics)]
    assert "ttbar: efficiency by region" in titles
    assert "Fakes and misses: MET more than 50 GeV off" in titles
    assert "Slope-corrected widths and response in every process, genMET 20-150 GeV" in titles
    assert "ttbar: median response" in titles


def test_events_are_divided_by_activity_and_pileup():
    columns = {
        "pt": np.array([10, 4, 10, 20, 5], np.int16),
        "eta": np.array([340, -500, -350, 700, 0], np.int16),  # 344 counts are 1.5
    }
    counts = np.array([2, 2, 1, 0])
    known = {N_PILEUP: np.array([159, 160, np.nan, 240])}
    found = classes_of(Examples.of(counts, columns, besides=known))
    assert found["region"].labels == ("barrel", "endcap")
    assert found["region"].index.tolist() == [0, 1, 0, 1]
    assert found["pileup"].labels == ("0-160", "160-180", "180-200", "200-220", "> 220")
    assert found["pileup"].index.tolist() == [0, 1, -1, 4]
    assert "pileup" not in classes_of(Examples.of(counts, columns))


def test_a_rate_that_is_not_supported_is_left_out_where_it_is_asked_for_only_if_it_is():
    few, many = (working_points((62.0,), n, if_supported_khz=(4.0,)) for n in (10_000, 100_000))
    assert [point.key for point in few] == ["62kHz"]
    assert [point.key for point in many] == ["62kHz", "4kHz"]
