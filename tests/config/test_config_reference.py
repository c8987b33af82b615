"""A key, its meaning, and the keys below it, as a terminal shows them."""

import pytest
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.reference import look_up
from l1met_fpga.errors import ConfigError


def every_key(key, architecture):
    for row in look_up(key, architecture).keys:
        below = f"{key}.{row.name}".removeprefix(".")
        yield below
        yield from every_key(below, architecture)


@pytest.mark.parametrize("architecture", ["deepset", "garnet"])
def test_every_key_is_found_and_means_something(architecture):
    keys = list(every_key("", architecture))
    assert {"model.features.column", "training.loss.kind", "rtl.lanes"} <= set(keys)
    for key in keys:
        found = look_up(key, architecture)
        assert found.title == key
        assert found.meaning
        assert "`" not in found.about + found.meaning
        assert "](" not in found.about + found.meaning


def test_one_key():
    found = look_up("model.phi.0.units", "deepset")
    assert found.about == "whole number, ≥ 1, ≤ 512; required"
    assert found.meaning == "Number of outputs."
    assert found.keys == ()
    loss = look_up("training.loss", "deepset")
    delta = next(row for row in loss.keys if row.name == "delta_gev")
    assert (delta.type, delta.default) == ("number, > 0", "30.0")


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("training.epoch", "'training' has no key 'epoch'; did you mean 'epochs'"),
        ("budgets", "there is no section 'budgets'; did you mean 'budget'"),
        ("training.epochs.x", "'training.epochs' has no key 'x': it is a value"),
        ("training..epochs", "'training' has no key ''"),
    ],
)
def test_what_is_not_there(key, sentence):
    with pytest.raises(ConfigError, match=sentence):
        look_up(key, "deepset")


def test_an_architecture_that_is_not_there():
    with pytest.raises(ConfigError, match=r"no architecture 'resnet'; choose from .*deepset"):
        look_up("model", "resnet")
    assert set(ModelConfig.known) >= {"deepset", "garnet"}


def test_the_command():
    done = CliRunner().invoke(app, ["config", "training.loss"])
    assert done.exit_code == 0
    assert "delta_gev" in done.output
    assert "Border between quadratic and linear" in done.output
