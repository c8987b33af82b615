"""What a user is told before the first epoch."""

from types import SimpleNamespace

import pytest
from keras_models import MODELS

from l1met_fpga.config.run import load_run
from l1met_fpga.training.announced import epoch_of, late_pruning


def sample(label: str, share: float, n_train: int = 100) -> SimpleNamespace:
    return SimpleNamespace(label=label, share=share, train=range(n_train))


def test_events_of_an_epoch() -> None:
    samples = [
        sample("ttbar", 0.5),
        sample("unused", 0.0),
        sample("empty", 0.2, 0),
        sample("pileup", 0.5),
    ]
    mixture = SimpleNamespace(drawn=[(10_000, 15_000), (60_000, 15_000)])
    assert epoch_of(samples, mixture) == (
        "15,000 of ttbar (1.5 x each of 10,000), 15,000 of pileup (0.25 x each of 60,000)"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, False),
        ({"training.epochs": 4}, True),
        ({"training.epochs": 4, "training.pruning.end": 0.2}, False),
        ({"training.epochs": 4, "training.pruning.enabled": False}, False),
    ],
)
def test_a_pruning_that_ends_late_is_told(settings: dict[str, object], told: bool) -> None:
    note = late_pruning(load_run(MODELS / "deepset.yaml", settings))
    assert bool(note) == told
    if told:
        assert note.startswith("pruning ends 2.2 epochs before the training of the pruned network")
