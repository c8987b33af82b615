import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import LossConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.samples import load_samples
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.build import build
from l1met_fpga.models.keras import keras, tf
from l1met_fpga.tasks.ht import TASK as HT
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training import teacher
from l1met_fpga.training.losses import head_losses
from l1met_fpga.training.mixture import TrainingMixture
from l1met_fpga.training.networks import planned
from l1met_fpga.training.session import train_run


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("stores"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("L1MET_CACHE", str(tmp_path / "cache"))


def config(stores, **changes):
    small = {
        "training.unpruned_twin": False, "training.float_twin": False, "training.epochs": 2
    }  # fmt: skip
    samples = {"samples": [{"path": str(path)} for path in stores]}
    return load_run(MODELS / "deepset.yaml", SMALL | small | samples | changes)


def mixture(stores, **changes):
    run = config(stores, **changes)
    samples = load_samples(run.samples, run.model, (GEN_MET,), reference=MET.reference)
    return TrainingMixture([s.train for s in samples], [1, 1], run.training, MET)


def test_what_teachers_give_turns_with_the_event(stores):
    plain = mixture(stores)
    taught = plain.taught({"met": plain.events.truth[GEN_MET]})
    for (inputs, targets, _), (same, both, _) in zip(
        plain.batches(3), taught.batches(3), strict=True
    ):
        for name, values in inputs.items():
            np.testing.assert_array_equal(values, same[name])
        np.testing.assert_array_equal(both["met"], np.hstack([targets["met"]] * 2))


def test_the_term_is_the_main_loss_to_the_teacher():
    q, teacher_gev, u = [[30.0, 40.0]], [[0.0, 36.0]], [[50.0, 40.0]]  # 50 and 4 from the teacher
    losses = [
        head_losses(MET, LossConfig(delta_gev=30, response_weight=2), weight)["met"]
        for weight in (0, 5)
    ]
    plain = losses[0].call(tf.constant(q), tf.constant(u)).numpy()
    response = 2 * (20 * 30 / (2500 + 400)) ** 2  # not of the teacher
    assert plain == pytest.approx(0.5 * 20**2 / 2 + response)
    value = losses[1].call(tf.constant([q[0] + teacher_gev[0]]), tf.constant(u)).numpy()
    assert value == pytest.approx(plain + 5 * 0.5 * (30 * (50 - 15) + 4**2 / 2))


def test_a_bounded_teacher_is_left_out_where_the_student_is_nearer():
    q, teacher_gev = [[30.0, 40.0]] * 2, [[36.0, 48.0]] * 2  # 10 GeV off
    u = [[30.0, 31.0], [30.0, 29.0]]  # 9 and 11 GeV off
    plain, always, bounded = (
        head_losses(MET, LossConfig(kind="mse"), weight, bounded=is_bounded)["met"]
        for weight, is_bounded in ((0, False), (2, False), (2, True))
    )
    both, given = tf.constant(np.hstack([q, teacher_gev])), tf.constant(u)
    value = bounded.call(both, given).numpy()
    assert value[0] == pytest.approx(plain.call(tf.constant(q), given).numpy()[0])
    assert value[1] == pytest.approx(always.call(both, given).numpy()[1])


def test_outputs_are_a_mean_and_kept_by_content(stores, monkeypatch):
    run, events = config(stores), mixture(stores).events
    models = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        models.append(build(run.model, MET.heads, variant="float", packed=True))
        models[-1].get_layer("weights_dense").bias.assign([0.5 * seed, 0.0])
    one, other, both = (
        teacher.taught(m, MET, events)["met"] for m in (models[:1], models[1:], models)
    )
    assert np.abs(one - other).max() > 0.1
    np.testing.assert_allclose(both, (one + other) / 2)
    monkeypatch.setattr(teacher, "packed_predictor", None)  # from the cache
    np.testing.assert_array_equal(teacher.taught(models, MET, events)["met"], both)
    models[0].get_layer("weights_dense").bias.assign([0.75, 0.0])
    with pytest.raises(TypeError):  # other weights are not in it
        teacher.taught(models, MET, events)
    with pytest.raises(TypeError):  # nor are other events
        teacher.taught(models[1:], MET, events.take(np.arange(len(events) - 1)))


@pytest.fixture(scope="module")
def finished(stores, tmp_path_factory):
    return train_run(config(stores), MET, tmp_path_factory.mktemp("run") / "run", command="test")


def test_a_teacher_without_weight_changes_no_bit(finished, stores, tmp_path):
    off = config(stores, **{"training.teacher": {"weight": 0, "train": 2, "twin": True}})
    run = train_run(off, MET, tmp_path / "run", command="test")
    assert run.folder.network.read_bytes() == finished.folder.network.read_bytes()
    assert run.folder.history.read_text() == finished.folder.history.read_text()


class Killed(Exception):
    pass


def student(finished, stores):
    lesson = {"weight": 5, "train": 1, "epochs": 1, "runs": [str(finished.folder.root)]}
    return config(stores, **{"training.teacher": lesson, "training.float_twin": True})


@pytest.mark.slow
def test_students_of_a_twin_another_network_and_another_run(finished, stores, tmp_path):
    taught = student(finished, stores)
    assert [(n.name, n.epochs) for n in planned(taught)] == [
        ("float", 2), ("teacher_1", 1), ("pruned", 2),
    ]  # fmt: skip
    run = train_run(taught, MET, tmp_path / "run", command="test")
    assert run.folder.network.read_bytes() != finished.folder.network.read_bytes()
    first = [
        (run.folder.root / f"history_{name}.csv").read_text().splitlines()[1]
        for name in ("float", "teacher_1")
    ]
    assert first[0] != first[1]  # another seed


@pytest.mark.slow
def test_a_killed_student_goes_on_with_the_same_teachers(finished, stores, tmp_path):
    taught = student(finished, stores)

    def kill(name, epoch, figures):
        if (name, epoch) == ("pruned", 2):
            raise Killed

    whole = train_run(taught, MET, tmp_path / "whole", command="test")
    with pytest.raises(Killed):
        train_run(taught, MET, tmp_path / "cut", command="test", report=kill)
    cut = train_run(taught, MET, tmp_path / "cut", command="test", resume=True)
    assert cut.folder.network.read_bytes() == whole.folder.network.read_bytes()
    assert cut.folder.history.read_text() == whole.folder.history.read_text()


def test_teachers_that_cannot_teach_are_refused(finished, stores):
    with pytest.raises(ConfigError, match="needs one of twin, train and runs"):
        config(stores, **{"training.teacher": {"weight": 1, "twin": False}})
    with pytest.raises(ConfigError, match=r"teacher\.twin needs the float twin"):
        config(stores, **{"training.teacher.weight": 1})
    events, root = mixture(stores).events, finished.folder.root
    with pytest.raises(ConfigError, match="is a network of the task 'met'; this run is of 'ht'"):
        teacher.network_of_run(root, HT, events)
    blind = mixture(stores, **{"model.features": ["pt", "abs_eta"]}).events
    with pytest.raises(ConfigError, match="reads pid, puppi_weight, which this network does not"):
        teacher.network_of_run(root, MET, blind)


def test_shuffled_teachers_know_the_truth_and_not_the_event():
    """Of a teacher that is 0.8 of the truth nothing but the size of the neighbour is left."""
    rng = np.random.default_rng(4)
    size, angle = rng.uniform(10, 100, 400), rng.uniform(-np.pi, np.pi, 400)
    size[:100] = 0
    truth = (size * np.stack([np.cos(angle), np.sin(angle)])).T
    columns = {name: np.ones(400, np.int16) for name in ("pt", "eta", "phi", "pid", "puppi_weight")}
    events = Examples.of(np.ones(400, np.int64), columns, truth={GEN_MET: truth})
    wrong = rng.normal(size=(400, 2))
    given = {"met": 0.8 * truth + wrong}
    shuffled = teacher.of_other_events(given, MET, events, np.random.default_rng(5))["met"]
    np.testing.assert_allclose(0.8 * truth, shuffled, atol=8)  # of neighbours in size
    noise = (shuffled - 0.8 * truth).ravel()
    assert abs(np.corrcoef(noise, wrong.ravel())[0, 1]) < 0.1
    assert {*np.round(np.hypot(*shuffled[:99].T), 9)} <= {*np.round(np.hypot(*given["met"].T), 9)}
