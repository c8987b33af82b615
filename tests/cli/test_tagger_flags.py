"""Flags that users of the jet tagger's script type."""

import pytest
from keras_models import MODELS

from l1met_fpga.cli.tagger_flags import without_tagger_flags
from l1met_fpga.errors import ConfigError


def test_the_documented_command_is_taken():
    typed = ["-m", "jets", "--regression", "--pruning", "-B"]
    assert without_tagger_flags(typed, MODELS) == ["-m", "jets", "--pruning", "-B"]
    assert without_tagger_flags(["runs/a", "-B"], MODELS) == ["runs/a", "-B"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["-m", "jets", "-C"], "-C of the jet tagger's script is not taken: the project is always made"),
        (["--inputs=ext1"], r"--inputs of .*: classes, features and sizes are those of models/NAME\.yaml"),
        (["--regression"], "--regression needs -m MODEL"),
        (["-m", "deepset", "--regression"], r"the network deepset gives no number, only met \(vector\)"),
    ],
)  # fmt: skip
def test_other_flags_are_refused_with_a_reason(typed, message):
    with pytest.raises(ConfigError, match=message):
        without_tagger_flags(typed, MODELS)
