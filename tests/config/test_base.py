from pathlib import Path

import pytest
from pydantic import Field

from l1met_fpga.config import StrictModel, load_yaml, override, parse
from l1met_fpga.errors import ConfigError


class Pruning(StrictModel):
    target_sparsity: float = Field(0.5, ge=0, lt=1)


class Root(StrictModel):
    epochs: int = Field(10, gt=0)
    pruning: Pruning = Pruning()
    stages: tuple[Pruning, ...] = ()


def test_unknown_key_names_the_neighbour():
    with pytest.raises(
        ConfigError,
        match=r"m\.yaml: unknown key 'pruning\.target_sparsty'; did you mean 'target_sparsity'\?",
    ):
        parse(Root, {"pruning": {"target_sparsty": 0.4}}, where="m.yaml")


def test_unknown_key_in_a_list_of_sections_names_the_neighbour():
    with pytest.raises(ConfigError, match="did you mean 'target_sparsity'"):
        parse(Root, {"stages": [{"target_sparsit": 0.4}]}, where="m.yaml")


def test_value_out_of_range_is_named_with_its_limit():
    with pytest.raises(ConfigError, match=r"pruning\.target_sparsity: .*less than 1, got 1\.2"):
        parse(Root, {"pruning": {"target_sparsity": 1.2}}, where="m.yaml")


def test_every_problem_is_listed():
    with pytest.raises(ConfigError, match=r"epochs: .*got 0; pruning: "):
        parse(Root, {"epochs": 0, "pruning": 3}, where="m.yaml")


def test_override_replaces_one_leaf_and_leaves_its_input_alone():
    raw = {"epochs": 5, "pruning": {"target_sparsity": 0.1}}
    assert override(raw, {"pruning.target_sparsity": "0.75"}) == {
        "epochs": 5,
        "pruning": {"target_sparsity": 0.75},
    }
    assert raw["pruning"] == {"target_sparsity": 0.1}


def test_without_overrides_the_file_stands():
    assert parse(Root, override({"epochs": 5}, {}), where="m.yaml").epochs == 5


def test_override_through_a_value_is_refused():
    with pytest.raises(ConfigError, match=r"cannot set epochs\.x: 'epochs' is 5, not a section"):
        override({"epochs": 5}, {"epochs.x": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", "is not valid YAML"), ("- 1\n- 2\n", "must hold a mapping of sections, got list")],
)
def test_load_yaml_wrong(tmp_path: Path, text: str, message: str):
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_yaml(path)


def test_load_yaml_missing(tmp_path: Path):
    with pytest.raises(ConfigError, match="no configuration file"):
        load_yaml(tmp_path / "none.yaml")
