import json

import numpy as np
import pytest
from keras_models import MODELS, NAMES
from stores import SMALL, write_sample, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError, RunFolderError, TrainingError
from l1met_fpga.evaluation.runs import fit_on_training_parts
from l1met_fpga.results.scan import Trial
from l1met_fpga.tasks.jets.task import TASK as JETS
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.scan import _table, pareto, propose, run_scan
from l1met_fpga.training.session import load_training

SCAN = {
    "scan.epochs": 1, "scan.units": [4, 8], "scan.startup_trials": 1, "scan.score": "efficiency"
}  # fmt: skip


def nonzero_weights(network):
    return sum(sum(w != 0 for row in n.kernel for w in row) for n in network if n.op == "dense")


class Lowest:
    """Stands for an Optuna trial that takes the first of everything."""

    def suggest_int(self, name, low, high):
        return low

    def suggest_float(self, name, low, high):
        return low

    def suggest_categorical(self, name, choices):
        return choices[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_is_varied_on_its_own(name):
    config = load_run(MODELS / f"{name}.yaml", {"scan.units": [4, 8], "scan.kernel_bits": [3, 5]})
    seen = []
    trial = Lowest()
    changed = propose(
        config, lambda n, low, high: seen.append(n) or trial.suggest_int(n, low, high), trial
    )
    assert len(seen) == len(set(seen)) > 4
    text = changed.model.model_dump(mode="json")
    before = config.model.model_dump(mode="json")["weights"]["kernel"]  # fixed<WIDTH,INTEGER,...>
    assert text["weights"]["kernel"].split(",") == ["fixed<3", *before.split(",")[1:]]
    hidden = text.get("phi") or text["encode"]
    assert [layer["units"] for layer in hidden] == [4, 4]
    assert changed.training.pruning.sparsity == config.scan.sparsity[0]


def test_scan_goes_on_where_it_stopped(tmp_path):
    stores = write_samples(tmp_path / "stores")
    changes = SMALL | SCAN | {"samples": [{"path": str(path)} for path in stores]}
    config = load_run(MODELS / "deepset.yaml", changes)
    first = run_scan(config, MET, tmp_path / "scan", trials=2, cost=nonzero_weights, workers=1)
    assert [trial.number for trial in first] == [0, 1]
    assert all(0 <= trial.efficiency <= 1 and trial.luts > 0 for trial in first)
    other = config.model_copy(update={"scan": config.scan.model_copy(update={"seed": 9})})
    with pytest.raises(RunFolderError, match=r"trials\.log belongs .*section scan was"):
        run_scan(other, MET, tmp_path / "scan", trials=3, cost=nonzero_weights, workers=1)
    new = []
    both = run_scan(
        config,
        MET,
        tmp_path / "scan",
        trials=3,
        cost=nonzero_weights,
        workers=1,
        on_trial=new.append,
    )
    assert both[:2] == first
    assert [trial.number for trial in new] == [2]
    assert both[2].parameters != first[0].parameters
    write_sample(stores[0], "ttbar", seed=9)
    with pytest.raises(RunFolderError, match=r"content of sample ttbar was .*another --output"):
        run_scan(config, MET, tmp_path / "scan", trials=4, cost=nonzero_weights, workers=1)


def test_the_worst_cell_is_that_of_the_validation_part(tmp_path):
    stores = write_samples(tmp_path / "stores")
    changes = {"evaluation.efficiency_edges_gev": [20, 60, 10000], "evaluation.rates_khz": [8000]}
    changes |= {"samples": [{"path": str(path)} for path in stores]}
    config = load_run(MODELS / "deepset.yaml", SMALL | changes)
    _, mixture, validation = load_training(config, MET)
    table = MET.baselines(mixture.events)["table"].estimate
    assert validation.worst_cell(table, table).in_errors == 0
    rng = np.random.default_rng(0)
    noise = validation.worst_cell(
        lambda events: {"met": rng.normal(0, 20, (len(events), 2))}, table
    )
    assert (noise.sample, noise.rate_khz) == ("ttbar", 8000)
    assert noise.difference < 0
    assert noise.in_errors < -1


def test_a_worst_cell_that_cannot_be_measured_is_said_before_training(tmp_path):
    stores = write_samples(tmp_path / "stores")
    changes = {"samples": [{"path": str(path)} for path in stores], "scan.score": "worst_cell"}
    config = load_run(MODELS / "deepset.yaml", SMALL | SCAN | changes)
    with pytest.raises(TrainingError) as caught:
        run_scan(config, MET, tmp_path / "scan", trials=1, cost=nonzero_weights, workers=1)
    assert str(caught.value) == (
        "no worst cell against the weight table on the validation part: no process has enough "
        "validation events in a range of evaluation.efficiency_edges_gev (10). Give more events, or "
        "search by scan.score=efficiency"
    )
    assert not (tmp_path / "scan").exists()


def test_the_table_is_fitted_on_as_many_events_as_in_an_evaluation(tmp_path):
    stores = write_samples(tmp_path / "stores")
    changes = {"samples": [{"path": str(path)} for path in stores]}
    config = load_run(
        MODELS / "deepset.yaml", SMALL | changes | {"evaluation.max_train_events": 50}
    )
    samples, mixture, _ = load_training(config, MET)
    expected = fit_on_training_parts(stores, MET, 50)["table"].estimate(mixture.events)
    found = _table(config, MET, samples)(mixture.events)
    np.testing.assert_allclose(found["met"], expected["met"], atol=1e-9)
    of_all = MET.baselines(mixture.events)["table"].estimate(mixture.events)
    assert np.abs(of_all["met"] - expected["met"]).max() > 1


def test_scan_without_a_rate_is_an_error(tmp_path):
    path = write_sample(tmp_path / "ttbar.h5", "ttbar", n_events=300)
    config = load_run(MODELS / "deepset.yaml", SMALL | SCAN | {"samples": [{"path": str(path)}]})
    with pytest.raises(TrainingError, match="needs a signal and a pile-up-only sample"):
        run_scan(config, MET, tmp_path / "scan", trials=1, cost=nonzero_weights, workers=1)


def test_a_scan_of_jets_is_refused_as_what_it_is(tmp_path):
    with pytest.raises(ConfigError) as caught:
        run_scan(load_run(MODELS / "jets.yaml"), JETS, tmp_path / "scan", trials=1, cost=len)
    assert str(caught.value) == (
        "a scan goes by efficiencies at equal rate, which are of whole events; the task 'jets' is of "
        "one jet at a time"
    )


def test_a_scan_is_not_shared_by_tf_config(tmp_path, monkeypatch):
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ConfigError, match=r"every trial of a scan .* by --scheduler"):
        run_scan(load_run(MODELS / "deepset.yaml"), MET, tmp_path, trials=1, cost=nonzero_weights)


def test_pareto_front():
    def trial(number, luts, score):
        return Trial(
            number=number,
            parameters={},
            score=score,
            efficiency=0.5,
            luts=luts,
            figures={},
            worst=None,
        )

    trials = [trial(0, 100, 0.5), trial(1, 50, 0.4), trial(2, 200, 0.45), trial(3, 50, 0.3)]
    assert [t.number for t in pareto(trials)] == [1, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scan.kernel_bits": [8, 3]}, "kernel_bits must be two widths"),
        ({"scan.sparsity": [0.5, 1.2]}, "sparsity must be two fractions below 1"),
        ({"scan.units": []}, "units must be positive"),
    ],
)
def test_bad_scan_settings(changes, message):
    with pytest.raises(ConfigError, match=message):
        load_run(MODELS / "deepset.yaml", changes)
