"""Bad days end to end on small stores: networks and baselines of MET and of HT."""

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.faults import FaultsConfig, HotCell, OtherSamples, Turned
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_HT, GEN_MET
from l1met_fpga.errors import ConfigError
from l1met_fpga.evaluation.draw import figures_of
from l1met_fpga.evaluation.estimates import Estimate
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.faults import evaluate_faults
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.sample import estimate, load_store
from l1met_fpga.metrics.trigger import BUNCH_CROSSING_RATE_KHZ
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.report.bad_days import bad_days_table, fault_figures
from l1met_fpga.report.physics import physics_figures
from l1met_fpga.results.metrics_file import load_metrics, save_metrics
from l1met_fpga.tasks.ht import TASK as HT
from l1met_fpga.tasks.met.task import TASK as MET

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight")
RATE_KHZ = 3000.0
CONFIG = EvaluationConfig(bootstrap_samples=2, rates_khz=(RATE_KHZ,))
ESTIMATES = {
    "puppi": Estimate("baseline", "PUPPI"),
    "table": Estimate("baseline", "table"),
    "mine": Estimate("network", "mine", "quantized"),
    "mine_float": Estimate("network", "mine (float)", "float"),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Signal, pile-up only, and other pile-up-only events."""
    folder, paths = tmp_path_factory.mktemp("stores"), []
    for seed, label in enumerate(("ttbar", "pileup", "pileup")):
        made = random_candidates(np.random.default_rng(seed), 2000, n_slots=60)
        gen = -0.5 * puppi_met_xy_gev(made) * (label == "ttbar")
        truth = {GEN_MET: gen, GEN_HT: np.hypot(*gen.T)}
        paths.append(folder / f"{label}{seed}.h5")
        write_store(paths[-1], candidates=made, truth=truth, label=label)
    return paths


def tried_on(task, stores, config):
    reference = task.reference

    def scaled(factor):
        return lambda events: {
            head: factor * values for head, values in reference(events.examples).items()
        }

    estimators = {name: scaled(1 + 0.1 * k) for k, name in enumerate(ESTIMATES)}
    events = [load_store(path, task, Part.TEST) for path in stores[:2]]
    found = evaluate(
        [estimate(one, task, estimators) for one in events], task, ESTIMATES, CONFIG, primary="mine"
    )
    days = evaluate_faults(found, stores[:2], estimators, config, columns=COLUMNS)
    return found, days


@pytest.mark.parametrize("task", [MET, HT], ids=lambda task: task.name)
def test_every_fault_of_the_default_has_figures(task, stores, tmp_path):
    found, days = tried_on(task, stores, FaultsConfig(rate_khz=RATE_KHZ))
    assert set(days.days) == set(FaultsConfig().days)
    for of_day in [days.none, *days.days.values()]:
        assert list(of_day) == ["puppi", "table", "mine"]  # no twin: it lies on the network
        for one in of_day.values():
            assert set(one.efficiency) == {"ttbar"}
            assert set(one.efficiency["ttbar"]) == {"100_150", "above_150"}
            assert one.growth.value == pytest.approx(one.rate_khz.value / RATE_KHZ, rel=0.02)
    if task is MET:
        for turned in ("rotated", "mirrored"):
            assert days.days[turned]["puppi"].growth.value == pytest.approx(1.0, abs=0.01)
    evaluation = found.__class__(**{**vars(found), "faults": days})
    metrics = to_metrics(evaluation)
    save_metrics(metrics, tmp_path / "metrics.json")
    assert load_metrics(tmp_path / "metrics.json") == metrics
    table = bad_days_table(metrics)
    assert [row[0] for row in table.rows] == [
        "none",
        *(f.text for f in FaultsConfig().days.values()),
    ]
    assert {len(row) for row in table.rows} == {len(table.columns)} == {7}
    assert physics_figures(metrics).faults == fault_figures(metrics)
    assert fault_figures(metrics)["hot_cell"].rate_growth.network == pytest.approx(
        days.days["hot_cell"]["mine"].growth.value
    )
    assert "bad_days" in dict(figures_of(evaluation, None))


def test_the_rate_is_that_of_the_changed_events_at_the_old_threshold(stores):
    cell = HotCell(pt_gev=100.0, eta=1.0, phi_deg=90.0)
    config = FaultsConfig(rate_khz=RATE_KHZ, days={"cell": cell, "same": Turned()})
    _, days = tried_on(MET, stores, config)
    met = puppi_met_xy_gev(load_store(stores[1], MET, Part.TEST).examples.padded(128))
    cut = days.thresholds_gev["puppi"]
    was, now = (np.hypot(*xy.T) >= cut for xy in (met, met - np.array([0.0, 100.0])))
    one = days.days["cell"]["puppi"]
    assert one.rate_khz.value == pytest.approx(now.mean() * BUNCH_CROSSING_RATE_KHZ)
    assert one.growth.value == pytest.approx(now.sum() / was.sum())
    assert days.days["same"] == days.none


def test_other_events_stand_for_those_of_a_label(stores):
    more = {"pileup_140": OtherSamples(stores={"pileup": stores[2]})}
    _, days = tried_on(MET, stores, FaultsConfig(rate_khz=RATE_KHZ, days=more))
    one = days.days["pileup_140"]["puppi"]
    assert one.efficiency == {}
    met = puppi_met_xy_gev(load_store(stores[2], MET, Part.TEST).examples.padded(128))
    passing = np.hypot(*met.T) >= days.thresholds_gev["puppi"]
    assert one.rate_khz.value == pytest.approx(passing.mean() * BUNCH_CROSSING_RATE_KHZ)
    assert one.growth.error > 0.05  # independent events


def test_faults_wrong(stores):
    wrong = FaultsConfig(days={"x": OtherSamples(stores={"wlnu": stores[2]})})
    with pytest.raises(ConfigError, match=r"faults\.days\.x: no sample 'wlnu' is evaluated"):
        tried_on(MET, stores, wrong)
    with pytest.raises(ValueError, match="neutral_scale"):
        FaultsConfig.model_validate({"days": {"x": {"kind": "hotcell"}}})
