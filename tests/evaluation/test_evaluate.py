"""The whole evaluation on made-up samples: honest gains are seen, games are not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, heads, met_of, signal

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.errors import DataError, ReportError
from l1met_fpga.evaluation.evaluation import Estimate, Evaluation, evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.evaluation.plot_score import plot_turn_on
from l1met_fpga.evaluation.summary import summary_lines
from l1met_fpga.evaluation.trigger import working_points
from l1met_fpga.metrics.arrays import magnitude_gev
from l1met_fpga.results.base import Measured
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_file import load_metrics, save_metrics
from l1met_fpga.tasks.met.task import TASK as MET

CONFIG = EvaluationConfig(bootstrap_samples=20, rates_khz=(18.0, 310.0))


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate([signal(6000), background(4000)], MET, ESTIMATES, CONFIG, primary="net")


@pytest.fixture(scope="module")
def metrics(found) -> Metrics:
    return to_metrics(found)


def test_metrics_fit_their_schema_and_survive_a_file(metrics, tmp_path):
    save_metrics(metrics, tmp_path / "metrics.json")
    assert load_metrics(tmp_path / "metrics.json") == metrics


def test_metrics_file_wrong(metrics, tmp_path):
    path = tmp_path / "metrics.json"
    with pytest.raises(ReportError, match="make it with `l1met evaluate`"):
        load_metrics(path)
    path.write_text('{"schema')
    with pytest.raises(ReportError, match="is not JSON"):
        load_metrics(path)
    path.write_text(json.dumps({**metrics.model_dump(), "schema_version": 1}))
    with pytest.raises(
        ReportError, match=r"schema_version: .* make it again with `l1met evaluate`"
    ):
        load_metrics(path)
    path.write_text(json.dumps({**metrics.model_dump(), "rates": "high"}))
    with pytest.raises(ReportError, match=r"metrics\.json: rates: "):
        load_metrics(path)


def test_honest_gain_is_found_with_its_error(metrics):
    gain = metrics.resolution["ttbar"].gain["net"]["puppi"]
    for component in (gain["u_par"], gain["u_perp"]):
        expected = 1 - np.hypot(0.85 * 30, 3) / 30
        assert component.value == pytest.approx(expected, abs=0.02)
        assert 0 < component.error < 0.02


def test_shrinking_gains_nothing(metrics):
    gain = metrics.resolution["ttbar"].gain["scaled_puppi"]["puppi"]
    for component in (gain["u_par"], gain["u_perp"]):
        assert component.value == pytest.approx(0, abs=1e-9)
        assert component.error == pytest.approx(0, abs=1e-3)
    for bins in metrics.trigger["ttbar"].efficiency.values():
        for row in bins.values():
            assert row["scaled_puppi"].passed == row["puppi"].passed


def test_nearly_constant_met_gains_nothing(metrics):
    gain = metrics.resolution["ttbar"].gain["flat"]["puppi"]
    assert gain["u_par"].value < 0
    assert gain["u_perp"].value < 0
    for bins in metrics.trigger["ttbar"].efficiency.values():
        for row in bins.values():
            assert abs(row["flat"].passed - row["puppi"].passed) <= 2


def test_differences_are_antisymmetric_and_paired(metrics):
    for bins in metrics.trigger["ttbar"].efficiency.values():
        for row in bins.values():
            one = row["net"].difference["puppi"]
            other = row["puppi"].difference["net"]
            assert one.value == -other.value
            assert one.error == other.error
            assert row["puppi"].difference["scaled_puppi"].error < 0.3 * one.error


def test_unsupported_rate_is_replaced_and_said(found, metrics):
    assert [point.key for point in found.rates.points] == ["lowest", "310kHz"]
    assert metrics.working_points[0].replaces_khz == [18.0]
    assert "18 kHz not supported by 4000 pile-up-only events" in metrics.notes[0]
    assert "77.6 kHz" in metrics.notes[0]


def test_working_points():
    assert [p.key for p in working_points((18.0, 30.0), 1_000_000)] == ["18kHz", "30kHz"]
    (only,) = working_points((18.0, 30.0), 100)
    assert only.replaces_khz == (18.0, 30.0)
    assert only.title == "3.1e+03 kHz (lowest supported)"


def test_rotation_changes_nothing(found):
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])  # a quarter turn keeps every digit

    def turned(sample):
        met = {name: values @ turn for name, values in met_of(sample).items()}
        return replace(sample, truth={"met": sample.truth["met"] @ turn}, estimates=heads(met))

    samples = [turned(sample) for sample in found.samples.values()]
    again = to_metrics(evaluate(samples, MET, ESTIMATES, CONFIG, primary="net"))
    before = to_metrics(found)
    assert again.trigger == before.trigger
    for name, gains in before.resolution["ttbar"].gain.items():
        for reference, gain in gains.items():
            new = again.resolution["ttbar"].gain[name][reference]
            assert new["u_par"].value == pytest.approx(gain["u_par"].value, abs=1e-9)


def test_same_seed_same_file(found, metrics):
    again = evaluate(list(found.samples.values()), MET, ESTIMATES, CONFIG, primary="net")
    assert to_metrics(again) == metrics


def test_summary_names_gain_and_working_points(metrics):
    text = "\n".join(summary_lines(metrics))
    assert "net against PUPPI MET: parallel +1" in text
    assert "ttbar, 310 kHz, genMET 100-150 GeV: efficiency of net 0." in text
    assert "90 % efficiency at net" in text


@pytest.mark.parametrize(("low", "high"), [(80.0, 200.0), (77.5, 203.25), (30.0, 45.0)])
def test_mean_response_is_that_of_the_events_in_its_range_whatever_the_bins(low, high):
    edges = (0.0, 50.0, 110.0, 150.0, 220.0)
    config = CONFIG.model_copy(
        update={"response_range_gev": (low, high), "resolution_edges_gev": edges}
    )
    sample = signal(3000)
    gen, met = sample.truth["met"], met_of(sample)["puppi"]
    size = np.hypot(*gen.T)
    inside = (size >= low) & (size < high)
    along = (gen * met).sum(axis=1)[inside] / size[inside]
    found = (
        to_metrics(evaluate([sample], MET, ESTIMATES, config)).resolution["ttbar"].response["puppi"]
    )
    assert found.value == pytest.approx(along.sum() / size[inside].sum(), rel=1e-6)
    assert 0 < found.error < 0.05


def test_without_pileup_there_are_no_rates():
    found = evaluate([signal(500)], MET, ESTIMATES, CONFIG, primary="net")
    metrics = to_metrics(found)
    assert metrics.rates is None
    assert metrics.trigger == {}
    assert "no rates" in metrics.notes[0]
    assert summary_lines(metrics)


@pytest.mark.parametrize("n_events", [0, 1, 12])
def test_hardly_any_signal_event(n_events, tmp_path):
    metrics = to_metrics(evaluate([signal(n_events), background(200)], MET, ESTIMATES, CONFIG))
    save_metrics(metrics, tmp_path / "metrics.json")
    binned = metrics.resolution["ttbar"].binned
    assert sum(binned.events) == n_events
    assert binned.estimates["net"]["slope"].value[-1] is None


def test_no_signal_event_above_the_bins():
    quiet = signal(400)
    gen = quiet.truth["met"] * 1e-2
    metrics = to_metrics(
        evaluate(
            [replace(quiet, truth={"met": gen}), background(200)],
            MET,
            ESTIMATES,
            CONFIG,
            primary="net",
        )
    )
    row = metrics.trigger["ttbar"].efficiency["lowest"]["above_150"]["net"]
    assert (row.efficiency, row.low, row.high, row.events) == (None, None, None, 0)
    assert metrics.trigger["ttbar"].roc_area["net"] is None
    assert any("no event" in line for line in summary_lines(metrics))


def test_too_few_pileup_events_wrong():
    with pytest.raises(DataError, match="has 3 pile-up-only events"):
        evaluate([signal(100), background(3)], MET, ESTIMATES, CONFIG)


def test_missing_estimate_wrong():
    sample = signal(100)
    del sample.estimates["flat"]
    with pytest.raises(DataError, match="every estimate is needed for every sample"):
        evaluate([sample], MET, ESTIMATES, CONFIG)


def test_same_label_twice_wrong():
    with pytest.raises(DataError, match="same label"):
        evaluate([signal(100), signal(100)], MET, ESTIMATES, CONFIG)
    with pytest.raises(DataError, match="nothing to evaluate"):
        evaluate([], MET, ESTIMATES, CONFIG)


def test_published_figures_through_the_whole_evaluation(reference_data):
    from l1met_fpga.evaluation.evaluation import Estimate
    from l1met_fpga.evaluation.sample import Sample
    from l1met_fpga.metrics.arrays import met_xy_from_polar

    with np.load(reference_data / "ttbar_pu200_met.npz") as data:
        puppi, gen = (met_xy_from_polar(*data[key].T) for key in ("puppi_pt_phi", "gen_pt_phi"))
    config = EvaluationConfig(bootstrap_samples=5, resolution_edges_gev=(60, 80, 100, 150))
    about = {"puppi": Estimate("baseline", "PUPPI MET")}
    sample = Sample("ttbar", {"met": gen}, {"puppi": {"met": puppi}})
    metrics = to_metrics(evaluate([sample], MET, about, config))
    found = metrics.resolution["ttbar"]
    assert found.x_residual_gev["puppi"] == pytest.approx(39.7, abs=0.05)
    median = found.binned.estimates["puppi"]["response_median"].value
    assert [median[0], median[2]] == pytest.approx([0.96, 0.84], abs=0.005)


WRONG = {
    "wrong_sign": lambda met: -met,
    "in_mev": lambda met: 1000 * met,
    "in_tev": lambda met: met / 1000,
    "swapped": lambda met: met[:, ::-1],
    "reflected": lambda met: met * [1, -1],
}
RIGHT = {"right": lambda met: met, "half": lambda met: 0.5 * met, "double": lambda met: 2 * met}


def test_met_of_files_with_an_impossible_response_is_noted():
    made = {**WRONG, **RIGHT}

    def with_all(sample):
        puppi = met_of(sample)["puppi"]
        return replace(sample, estimates=heads({n: change(puppi) for n, change in made.items()}))

    samples = [with_all(signal(2000))]
    config = CONFIG.model_copy(update={"bootstrap_samples": 2})
    found = evaluate(samples, MET, {name: Estimate("file", name) for name in made}, config)
    odd = [note for note in found.notes if "response" in note]
    assert [note.split(" in ttbar: ")[0] for note in odd] == list(WRONG)
    # PUPPI MET is 0.8 times the truth plus noise without direction
    response = float(odd[0].split("80 to 200 GeV is ")[1].split(",")[0])
    assert response == pytest.approx(-0.8, abs=0.03)
    assert odd[0].endswith(
        "which no MET has; check its sign (MET is minus the sum of momenta), unit (GeV), angle (rad) "
        "and the order of px and py."
    )


def test_any_name_of_an_estimate_is_taken():
    names = ["gen", "generator", "the generator", "rng", "bins", "self", "", "n_events", "a b/[c]"]

    def with_all(sample):
        puppi = met_of(sample)["puppi"]
        return replace(sample, estimates=heads({n: k * puppi for k, n in enumerate(names, 1)}))

    samples = [with_all(signal(300)), with_all(background(100))]
    config = CONFIG.model_copy(update={"bootstrap_samples": 2})
    metrics = to_metrics(evaluate(samples, MET, {n: Estimate("file", n) for n in names}, config))
    row = metrics.trigger["ttbar"].efficiency["lowest"]["above_150"]
    assert list(row) == names
    assert {row[name].passed for name in names} == {row["gen"].passed}  # scaled by 1, 2, ...


def test_an_estimate_with_a_largest_value_has_no_threshold_and_it_is_said(tmp_path):
    def with_cap(sample):
        met = {"puppi": met_of(sample)["puppi"]}
        size = np.maximum(magnitude_gev(met["puppi"]), 63.75)[:, None]
        return replace(sample, estimates=heads(met | {"capped": met["puppi"] * 63.75 / size}))

    samples = [with_cap(signal(600)), with_cap(background(4000))]
    config = CONFIG.model_copy(update={"bootstrap_samples": 3, "rates_khz": (310.0, 20_000.0)})
    titles = {"puppi": Estimate("baseline", "PUPPI MET"), "capped": Estimate("file", "capped")}
    found = evaluate(samples, MET, titles, config, primary="capped")
    metrics = to_metrics(found)
    save_metrics(metrics, tmp_path / "metrics.json")  # null fits the schema
    share = np.mean(magnitude_gev(met_of(found.samples["pileup"])["capped"]) > 63.7)
    assert share > 0.05  # 310 kHz are 1 % of the crossings
    cuts = metrics.rates.thresholds["capped"]
    assert [cut.threshold_gev is None for cut in cuts] == [True, False]
    assert cuts[0].error_gev is None
    row = metrics.trigger["ttbar"].efficiency["310kHz"]["above_150"]["capped"]
    assert row.passed is row.efficiency is row.low is row.error is None
    assert row.difference["puppi"] == Measured(value=None, error=None)
    assert row.events > 0
    assert metrics.trigger["ttbar"].turn_on["310kHz"]["capped"].fit is None
    assert metrics.notes[0] == (
        "capped: no threshold gives 310 kHz, because too many pile-up-only events have the same MET "
        "there (has it a largest value, or few digits?)."
    )
    assert "ttbar, 310 kHz, genMET > 150 GeV: no threshold." in list(summary_lines(metrics))
    plot_turn_on(
        {n: curves[0] for n, curves in found.trigger["ttbar"].turn_on.items()}, truth_label="x"
    )
