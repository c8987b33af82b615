"""The task that learns what each candidate is worth."""

from dataclasses import replace

import numpy as np
import pytest
from keras_models import model_config, random_candidates

from l1met_fpga.config.training import TrainingConfig, TrainingSample
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.puppi.columns import REQUIRED_COLUMNS
from l1met_fpga.tasks.candidate_weight import TASK
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.mixture import TrainingMixture


def events(n=40, seed=0):
    """Events with a share of every candidate."""
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n, n_slots=16)
    share = rng.integers(0, 257, candidates["pt"].shape)
    candidates["hard_share"] = np.where(candidates["pt"] > 0, share, 0).astype(np.int16)
    ids = np.stack([np.ones(n), np.ones(n), np.arange(n)], axis=1).astype(np.uint64)
    return Examples.from_padded(
        candidates,
        columns=(*REQUIRED_COLUMNS, "hard_share"),
        truth={GEN_MET: rng.normal(0, 50, (n, 2))},
        ids=ids,
    )


def test_each_candidate_is_taught_its_part_of_the_hard_collision():
    columns = {
        "pt": [40, 8], "eta": [0, 0], "phi": [0, 360], "pid": [3, 0], "puppi_weight": [256, 128],
        "hard_share": [256, 64],
    }  # fmt: skip
    two = Examples.of(np.array([2]), {n: np.array(v, np.int16) for n, v in columns.items()})
    taught = TASK.taught(two)
    assert taught.counts.tolist() == [1, 1]
    assert "hard_share" not in taught.columns
    np.testing.assert_allclose(taught.truth[GEN_MET], [[-10, 0], [0, -0.5]], atol=1e-12)


def test_what_candidates_are_taught_adds_up_to_the_hard_collision():
    some = events()
    taught = TASK.truth(TASK.taught(some))["met"]
    sums = np.stack([np.bincount(some.example_of_rows, x, len(some)) for x in taught.T], axis=1)
    np.testing.assert_allclose(sums, TASK.oracle(some)["met"], atol=1e-9)


def test_faults_of_events_are_refused_where_single_candidates_are_seen():
    config = TrainingConfig(batch_size=8, faults={"share": 0.1})
    with pytest.raises(
        ConfigError, match="the task 'candidate_weight' is trained on one candidate at"
    ):
        TrainingMixture([events()], [1.0], config, TASK)


def test_training_sees_candidates_and_validation_events():
    some = events()
    config = TrainingConfig(batch_size=8)
    mixture = TrainingMixture([some], [1.0], config, TASK)
    assert len(mixture.events) == some.n_rows
    inputs, truth, _ = next(mixture.batches(0))
    assert np.diff(inputs["row_splits"]).tolist() == [1] * 8
    length = np.hypot(*truth["met"].T)
    assert (length <= 0.25 * inputs["pt"] + 1e-4).all()
    plain = replace(some, columns={n: some.columns[n] for n in REQUIRED_COLUMNS})
    np.testing.assert_array_equal(TASK.reference(some)["met"], MET.reference(plain)["met"])


def store(path, *, label, share, role="signal"):
    candidates = random_candidates(np.random.default_rng(sum(map(ord, label))), 40, n_slots=16)
    if share:
        candidates["hard_share"] = (candidates["pt"] > 0).astype(np.int16)
    truth = {GEN_MET: np.full((40, 2), 30.0)} if role == "signal" else {}
    write_store(path, candidates=candidates, truth=truth, label=label, role=role)
    return path


def loaded(*samples):
    return load_samples(
        samples, model_config("deepset"), (GEN_MET,), taught_columns=TASK.taught_columns
    )


def test_pile_up_is_worth_nothing_and_other_samples_must_say(tmp_path):
    known = TrainingSample(path=store(tmp_path / "a.h5", label="ttbar", share=True))
    pileup = store(tmp_path / "b.h5", label="pileup", share=False, role="background")
    other = store(tmp_path / "c.h5", label="znunu", share=False)
    signal, background = loaded(known, TrainingSample(path=pileup))
    assert signal.train.columns["hard_share"].all()
    assert not background.train.columns["hard_share"].any()
    loaded(known, TrainingSample(path=other, weight=0))  # for figures only
    with pytest.raises(DataError) as caught:
        loaded(known, TrainingSample(path=other))
    assert str(caught.value) == (
        f"{other} has no column hard_share, which tells what each candidate is worth; simulate the "
        "sample with `truth: true`, or give it the share 0"
    )
