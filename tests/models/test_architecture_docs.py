"""The page on adding an architecture does what it says."""

import re
from pathlib import Path

import pytest
import test_architecture_contract as promised

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.build import build
from l1met_fpga.models.heads import Head
from l1met_fpga.models.registry import ARCHITECTURES

PAGE = Path(__file__).parents[2] / "docs/add-an-architecture.md"
pytestmark = pytest.mark.filterwarnings("ignore:The initializer GlorotUniform")


@pytest.fixture
def linear(monkeypatch, tmp_path):
    """The architecture of the page, registered for one test, and its recipe."""
    monkeypatch.setattr(ModelConfig, "known", dict(ModelConfig.known))
    for name in set(ARCHITECTURES):
        monkeypatch.setitem(ARCHITECTURES, name, ARCHITECTURES[name])  # what is new goes again
    blocks = re.findall(r"```(python|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [language for language, _ in blocks] == ["python", "python", "yaml"]
    here = {"__name__": "l1met_fpga.models.linear"}
    exec(blocks[0][1], here)
    exec(blocks[1][1], here)
    (tmp_path / "linear.yaml").write_text(blocks[2][1])
    yield load_run(tmp_path / "linear.yaml").model
    ARCHITECTURES.pop("linear")


def test_the_smallest_example_keeps_the_contract(linear, tmp_path):
    assert linear.architecture == "linear"
    for kinds in (("vector",), ("vector", "scalar")):
        folder = tmp_path / str(len(kinds))
        folder.mkdir()
        promised.test_the_model_survives_its_file_and_exports_named_heads("linear", kinds, folder)
        promised.test_keras_the_int64_reference_and_the_traced_rtl_agree("linear", kinds)
        promised.test_training_starts_from_plain_sums("linear", kinds)
    promised.test_hls4ml_keeps_every_type("linear", ("vector", "scalar"), tmp_path)


def test_a_kind_that_it_cannot_give_is_refused(linear):
    flavour = Head(name="flavour", kind="classes", size=3)
    with pytest.raises(ConfigError, match="'linear' cannot give head 'flavour', a classes per"):
        build(linear, [flavour])
