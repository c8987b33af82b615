"""A network with 64 slots on stores with up to 128 candidates per event, from end to end."""

import logging

import numpy as np
from keras_models import MODELS, random_candidates
from met_head import met_codes, predict_met
from stores import SMALL

from l1met_fpga.cli.evaluate import _built_forms
from l1met_fpga.config.run import load_run
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.slots import first_slots
from l1met_fpga.data.store import Store
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.evaluation.runs import NamedRun, evaluate_runs
from l1met_fpga.firmware.check import compare_forms
from l1met_fpga.firmware.forms import check_samples, int64_form, keras_form
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import load_model
from l1met_fpga.puppi.sums import puppi_met_xy_gev
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.session import train_run


def write(path, label, n_events, seed):
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n_events)
    gen = puppi_met_xy_gev(candidates) + rng.normal(0, 30, (n_events, 2))
    gen = np.zeros_like(gen) if label == "pileup" else gen
    write_store(path, candidates=candidates, truth={GEN_MET: gen}, label=label)
    return path


def test_every_form_sees_the_same_64_candidates(tmp_path, caplog):
    paths = [
        write(tmp_path / "ttbar.h5", "ttbar", 400, 1),
        write(tmp_path / "pileup.h5", "pileup", 300, 2),
    ]
    changes = {
        "model.n_candidates": 64,
        "samples": [{"path": str(path)} for path in paths],
        "training.epochs": 1,
        "training.float_twin": False,
        "training.unpruned_twin": False,
        "evaluation.bootstrap_samples": 2,
    }
    config = load_run(MODELS / "deepset.yaml", SMALL | changes)
    with caplog.at_level(logging.WARNING):
        run = train_run(config, MET, tmp_path / "run", command="test")
    assert caplog.text.count("the network has 64 slots;") == 2
    assert all(sample.cut_candidates > 0 for sample in run.summary.samples)

    model, network = load_model(run.folder.model), Network.load(run.folder.network)
    with Store.open(paths[0]) as store:
        all_128 = store.candidates(store.events_of(1))
    met = predict_met(model, all_128)
    first_64 = first_slots(all_128, 64)
    np.testing.assert_array_equal(met, predict_met(model, first_64))
    np.testing.assert_array_equal(network.type_of("met").exactly(met), met_codes(network, first_64))
    # what training watched is what firmware gives, on the same events
    (signal, _) = load_samples(config.samples, config.model, (GEN_MET,), reference=MET.reference)
    expected = run.summary.kept.validation
    found = predict_met(model, all_128)
    error = np.hypot(*(found - signal.validation.truth["gen_met_xy_gev"]).T)
    above = np.hypot(*signal.validation.truth["gen_met_xy_gev"].T) > 100
    assert np.isclose(error[above].mean(), expected["val_ttbar_error_above_100_gev"])

    agreement = compare_forms(
        "keras",
        keras_form(run.folder.model, network),
        {"int64": int64_form(network)},
        check_samples(network, config, n_events=None),
    )
    assert agreement["int64"].differing == 0
    named = NamedRun.open(str(run.folder.root))
    evaluation = evaluate_runs(
        [named], MET, config.evaluation, forms={"deepset": _built_forms(named)}
    )
    for sample in evaluation.samples.values():
        np.testing.assert_array_equal(
            sample.estimates["deepset"]["met"], sample.estimates["deepset_int64"]["met"]
        )
