import pytest

from l1met_fpga.config.base import parse
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.errors import ConfigError


@pytest.mark.parametrize("label", ["ttbar", "HToInvisible PU200", "x.v2", "Zürich [50]", "-1"])
def test_labels(label):
    assert parse(ConvertConfig, {"label": label}, where="here").label == label


@pytest.mark.parametrize("label", ["", "../x", "a/b", "/", "a\nb", "\0"])
def test_a_label_that_cannot_name_a_figure_is_refused(label):
    with pytest.raises(ConfigError, match=r"label: must have one character or more, none .* a /"):
        parse(ConvertConfig, {"label": label}, where="here")
