import numpy as np
import pytest
from keras_models import MODELS
from stores import SMALL, write_samples

from l1met_fpga.config.run import load_run
from l1met_fpga.config.training import PruningConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.tasks.met.task import TASK as MET
from l1met_fpga.training.global_pruning import GlobalSteps, largest
from l1met_fpga.training.session import train_run

KERNELS = ("phi_0_dense", "weights_dense", "scalars_dense")
GLOBAL = SMALL | {
    "training.pruning": {
        "schedule": "global", "begin": 0.1, "end": 0.5, "every_steps": 2, "kept": 20, "luts": 60,
    },
    "training.epochs": 8,
    "training.stages": {"float": {"epochs": 2, "learning_rate": {"initial": 0.01}}},
    "training.start_from_float": True,
    "training.unpruned_twin": False,
}  # fmt: skip


def weights_left(network):
    """A count that stands for LUTs: weights of the pruned kernels, three for each."""
    left = sum(np.count_nonzero(network.node(name).kernel) for name in KERNELS)
    return 3.0 * left


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("stores"))


def config(stores, **changes):
    samples = {"samples": [{"path": str(path)} for path in stores]}
    return load_run(MODELS / "deepset.yaml", GLOBAL | samples | changes)


def train(stores, root, *, resume=False, report=None, **changes):
    return train_run(
        config(stores, **changes), MET, root, command="test", cost=weights_left, resume=resume,
        report=report,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(stores, tmp_path_factory):
    return train(stores, tmp_path_factory.mktemp("run") / "run")


def test_masks_stop_at_the_budget_and_every_kernel_is_told(finished):
    found = finished.summary.kept
    sizes = {"phi_0_dense": 9 * 8, "weights_dense": 8 * 2, "scalars_dense": 8 * 2}
    assert found.luts <= 60
    assert found.luts == 3 * sum(
        round(size * (1 - found.zero_fractions[name])) for name, size in sizes.items()
    )
    assert found.zero_fractions["rho_0_dense"] < 0.4  # prune: false
    assert found.zero_fractions["total"] > 0.5


def test_stages_have_their_own_epochs(finished):
    networks = finished.summary.networks
    assert {name: one.epochs for name, one in networks.items()} == {"float": 2, "pruned": 8}
    rates = [
        float(row.split(",")[-1])
        for row in (finished.folder.root / "history_float.csv").read_text().splitlines()[1:]
    ]
    assert 0.004 < rates[0] < 0.01  # the rate of all would be 0.004 at most


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("at", [4, 2])
def test_a_killed_training_goes_on_with_the_same_masks(finished, stores, tmp_path, at):
    def kill(variant, epoch, figures):
        if (variant, epoch) == ("pruned", at):
            raise Killed

    with pytest.raises(Killed):
        train(stores, tmp_path / "run", report=kill)
    run = train(stores, tmp_path / "run", resume=True)
    assert run.folder.network.read_bytes() == finished.folder.network.read_bytes()
    assert run.folder.history.read_text() == finished.folder.history.read_text()


@pytest.mark.slow
def test_a_budget_that_nothing_counts_is_refused(stores, tmp_path):
    with pytest.raises(ConfigError, match=r"training\.pruning\.luts is a budget, but nothing"):
        train_run(config(stores), MET, tmp_path / "run", command="test")


@pytest.mark.slow
def test_a_budget_out_of_reach_is_told(stores, tmp_path, caplog):
    train(stores, tmp_path / "run", **{"training.pruning.luts": 1})
    assert "more than training.pruning.luts 1: fewer weights" in caplog.text


def test_the_largest_weights_of_all_kernels_stay_and_none_comes_back():
    kernels = [np.array([[0.5, -0.9], [0.1, 0.0]]), np.array([0.9, -0.2, 5.0])]
    masks = [np.ones((2, 2)), np.array([1.0, 1.0, 0.0])]
    first, second = largest(kernels, masks, 3)
    np.testing.assert_array_equal(first, [[1, 1], [0, 0]])
    np.testing.assert_array_equal(second, [1, 0, 0])
    assert sum(mask.sum() for mask in largest(kernels, masks, 100)) == 6
    first, second = largest(kernels, masks, 1)  # of equal ones the first
    assert (first.sum(), second.sum()) == (1, 0)


@pytest.mark.parametrize("total", [1, 3, 40, 15720])
def test_the_number_of_weights_falls_geometrically(total):
    steps = GlobalSteps.of(PruningConfig(schedule="global", begin=0.08, end=0.45, kept=100), total)
    assert 1 <= steps.begin < steps.end <= steps.until
    assert (steps.kept_at(steps.begin, 1536), steps.kept_at(steps.end, 1536)) == (1536, 100)
    if total == 15720:
        middle = (steps.begin + steps.end) // 2
        assert steps.kept_at(middle, 1536) == pytest.approx((1536 * 100) ** 0.5, abs=1)
        assert (steps.begin, steps.end, steps.until) == (1258, 7074, 14148)


def test_contradicting_settings_are_refused(stores):
    with pytest.raises(ConfigError, match="a budget of 60 luts belongs to schedule: global"):
        config(stores, **{"training.pruning": {"schedule": "polynomial", "luts": 60}})
    with pytest.raises(ConfigError, match="start_from_float needs the float twin"):
        config(stores, **{"training.float_twin": False})
    with pytest.raises(ConfigError, match="stages"):
        config(stores, **{"training.stages": {"prunned": {"epochs": 3}}})
