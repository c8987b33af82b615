import itertools

import numpy as np
import pytest
from keras_models import random_candidates

from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import TrainingError
from l1met_fpga.puppi.sums import momentum_xy_gev, puppi_met_xy_gev
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.mixture import TrainingMixture, packed_inputs

COLUMNS = ("pt", "eta", "phi", "pid", "puppi_weight")


def events(n, seed=0):
    rng = np.random.default_rng(seed)
    candidates = random_candidates(rng, n)
    return candidates, packed(candidates, puppi_met_xy_gev(candidates))


def packed(candidates, truth):
    ids = np.zeros((len(truth), 3), np.uint64)
    return Examples.from_padded(candidates, columns=COLUMNS, truth={GEN_MET: truth}, ids=ids)


def sums(inputs):
    """MET of packed inputs, event by event, in plain Python."""
    momentum = momentum_xy_gev({k: inputs[k].astype(np.int16) for k in ("pt", "phi")})
    splits = inputs["row_splits"]
    return np.array([-momentum[a:b].sum(axis=0) for a, b in itertools.pairwise(splits)])


def test_packing_keeps_every_candidate_and_only_those():
    candidates, examples = events(50)
    chosen = np.array([7, 3, 3, 49, 0])
    inputs = packed_inputs(examples, chosen)
    for column in COLUMNS:
        wanted = [candidates[column][e][candidates["pt"][e] > 0] for e in chosen]
        np.testing.assert_array_equal(inputs[column], np.concatenate(wanted))
    np.testing.assert_array_equal(np.diff(inputs["row_splits"]), [len(w) for w in wanted])


def test_augmentation_turns_truth_and_candidates_alike():
    _, examples = events(200)
    gen = examples.truth[GEN_MET]
    seen = packed_inputs(examples, np.arange(200))
    inputs, turned = MET.augment(seen, MET.truth(examples), np.random.default_rng(1))
    truth = turned["met"]
    np.testing.assert_allclose(sums(inputs), truth, atol=1e-6)
    np.testing.assert_allclose(np.hypot(*truth.T), np.hypot(*gen.T), atol=1e-6)
    assert np.abs(truth - gen).max() > 10
    assert -720 <= inputs["phi"].min() < inputs["phi"].max() < 720


def mixture(**options):
    config = TrainingConfig(**({"batch_size": 10, "seed": 3} | options))
    samples = [events(60, seed=1)[1], events(40, seed=2)[1], events(30, seed=3)[1]]
    return TrainingMixture(samples, [1.0, 3.0, 0.0], config, MET)


def test_shares_decide_how_often_a_sample_is_seen():
    mix = mixture(events_per_epoch=40)
    seen = np.concatenate([mix.order(epoch) for epoch in range(12)])
    counts = np.bincount(seen, minlength=100)
    assert len(counts) == 100  # the sample of share 0 is left out
    assert (counts[:60].sum(), counts[60:].sum()) == (120, 360)
    assert set(counts[:60]) == {2}  # used up before it repeats
    assert set(counts[60:]) == {9}


def test_batches_depend_on_seed_and_epoch_alone():
    def flat(mix, epoch):
        return np.concatenate(
            [np.concatenate([b[0]["phi"], b[1]["met"].ravel()]) for b in mix.batches(epoch)]
        )

    np.testing.assert_array_equal(flat(mixture(), 2), flat(mixture(), 2))
    assert not np.array_equal(mixture().order(2), mixture().order(1))
    assert not np.array_equal(mixture().order(2), mixture(seed=4).order(2))


def test_workers_share_a_batch_without_overlap():
    mix = mixture(augment=False)
    whole = next(mix.batches(0))
    parts = [next(mix.batches(0, worker=w, n_workers=2)) for w in range(2)]
    assert [len(p[1]["met"]) for p in parts] == [5, 5]
    together = np.concatenate([p[1]["met"] for p in parts])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(whole[1]["met"], axis=0))


def test_weights_follow_gen_met():
    mix = mixture(truth_edges_gev=(50.0, 100.0), truth_weights=(0.5, 1.0, 4.0))
    for _, truth, weight in mix.batches(0):
        size = np.hypot(*truth["met"].T)
        expected = np.select([size < 50, size < 100], [0.5, 1.0], 4.0)
        np.testing.assert_array_equal(weight, expected)


def test_weights_under_the_names_of_older_run_folders():
    old = {"gen_met_edges_gev": (50.0,), "gen_met_weights": (0.5, 1.0)}
    found = TrainingConfig.model_validate(old)
    assert (found.truth_edges_gev, found.truth_weights) == ((50.0,), (0.5, 1.0))
    assert not set(old) & set(found.model_dump())


def test_nothing_to_train_on_is_an_error():
    with pytest.raises(TrainingError, match="fewer than one batch of 1000"):
        mixture(batch_size=1000)
    with pytest.raises(TrainingError, match="every sample is empty or has weight 0"):
        TrainingMixture([events(5)[1]], [0.0], TrainingConfig(), MET)
    candidates, _ = events(5)
    unknown = packed(candidates, np.array([[0, 0], [np.nan, 0], [1, 1], [1, np.inf], [0, 0]]))
    with pytest.raises(TrainingError, match="2 of 5 events have no finite generator MET"):
        TrainingMixture([unknown], [1.0], TrainingConfig(), MET)


def test_faults_of_the_detector_are_the_same_when_a_training_goes_on():
    plain, faulty = mixture(), mixture(faults={"share": 0.5})
    for epoch in (0, 3):
        usual, seen, again = (list(m.batches(epoch)) for m in (plain, faulty, faulty))
        changed = 0
        for (x, truth, _), (y, same_truth, _), (z, _, _) in zip(usual, seen, again, strict=True):
            np.testing.assert_array_equal(truth["met"], same_truth["met"])
            for name, codes in y.items():
                np.testing.assert_array_equal(codes, z[name])
            changed += int((np.diff(x["row_splits"]) != np.diff(y["row_splits"])).sum())
        assert 20 < changed < 100  # of 130 events, half; a full event keeps its number of rows
