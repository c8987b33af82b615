from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from l1met_fpga.config import StrictModel, load_yaml, override, parse
from l1met_fpga.config.base import matching
from l1met_fpga.config.data import SplitConfig
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.faults import FaultsConfig
from l1met_fpga.config.scan import ScanConfig
from l1met_fpga.config.training import TrainingConfig
from l1met_fpga.errors import ConfigError


class Pruning(StrictModel):
    target_sparsity: float = Field(0.5, ge=0, lt=1)


class Root(StrictModel):
    epochs: int = Field(10, gt=0)
    pruning: Pruning = Pruning()
    stages: tuple[Pruning, ...] = ()
    fast: bool | None = None
    name: Annotated[str, matching("[a-z]+", "letters a-z only")] = "x"
    path: Path = Path()
    sizes: dict[str, tuple[int, ...]] = Field(default_factory=dict)


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


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"epochs": True}, r"epochs: .*valid integer, got True"),
        ({"epochs": "8"}, r"epochs: .*valid integer, got '8'"),
        ({"epochs": 3.0}, r"epochs: .*valid integer, got 3\.0"),
        ({"fast": "off"}, r"fast: .*valid boolean \(true or false\), got 'off'"),
        ({"fast": 1}, r"fast: .*valid boolean \(true or false\), got 1"),
        ({"pruning": {"target_sparsity": "0.5"}}, r"target_sparsity: .*valid number, got '0\.5'"),
        ({"pruning": {"target_sparsity": True}}, r"target_sparsity: .*valid number, got True"),
        ({"pruning": {"target_sparsity": float("nan")}}, r"target_sparsity: .*finite"),
        ({"stages": [{"target_sparsity": "0.5"}]}, r"stages\.0\.target_sparsity: .*number"),
        ({"sizes": {"a": [1, "2"]}}, r"sizes\.a\.1: .*valid integer"),
        ({"name": 5}, r"name: .*valid string, got 5"),
        ({"name": "A-b"}, r"name: must have letters a-z only, got 'A-b'"),
        ({"path": 5}, r"path: .*path"),
    ],
)
def test_no_value_becomes_one_of_another_kind(raw, sentence):
    with pytest.raises(ConfigError, match=sentence):
        parse(Root, raw, where="m.yaml")


def test_whole_numbers_lists_and_text_are_taken_where_they_mean_the_same():
    read = parse(Root, {"stages": [{"target_sparsity": 0}], "path": "a/b"}, where="m.yaml")
    assert (read.stages[0].target_sparsity, read.path) == (0.0, Path("a/b"))


def test_long_values_are_cut_in_messages():
    with pytest.raises(ConfigError) as caught:
        parse(Root, {"epochs": "x" * 10_000}, where="m.yaml")
    assert len(str(caught.value)) < 400


def test_override_changes_one_entry_of_a_list():
    raw = {"stages": [{"target_sparsity": 0.1}, {"target_sparsity": 0.2}]}
    changed = override(raw, {"stages.1.target_sparsity": "0.3"})
    assert changed["stages"] == [{"target_sparsity": 0.1}, {"target_sparsity": 0.3}]
    whole = override(raw, {"stages.0": "{target_sparsity: 0.5, more: 1}"})["stages"]
    assert whole == [{"target_sparsity": 0.5, "more": 1}, {"target_sparsity": 0.2}]
    assert raw["stages"][1] == {"target_sparsity": 0.2}


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        ({"stages.2.x": "1"}, r"'stages' is a list with 2 entries, and '2' is none .*0 to 1"),
        ({"stages.-1": "1"}, r"'-1' is none of them"),
        ({"stages.x": "1"}, r"'x' is none of them .*give the number of one, or the whole list"),
        ({"sizes.0": "1"}, r"does not say 'sizes', so there is no entry 0 .*sizes=\["),
        ({"epochs": "[1,"}, r"cannot set epochs=\[1,: not valid YAML"),
        ({"fast": "{a: 1, a: 2}"}, r"key 'a' stands twice"),
        ({"epochs": "010"}, r"octal"),
        ({"pruning..x": "1"}, r"a name is missing"),
        ({"": "1"}, r"a name is missing"),
    ],
)
def test_override_says_what_is_wrong(assignments, sentence):
    with pytest.raises(ConfigError, match=sentence):
        override({"stages": [{}, {}]}, assignments)


def test_override_replaces_one_leaf_and_leaves_its_input_alone():
    raw = {"epochs": 5, "pruning": {"target_sparsity": 0.1}}
    assert override(raw, {"pruning.target_sparsity": "0.75"}) == {
        "epochs": 5,
        "pruning": {"target_sparsity": 0.75},
    }
    assert raw["pruning"] == {"target_sparsity": 0.1}


LOSS = {"kind": "huber", "delta_gev": 30}


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        (
            {"training": "{epochs: 3}"},
            (
                "cannot set training to {'epochs': 3}: it would lose loss, which is set there; "
                "set single keys (training.epochs=...)"
            ),
        ),
        ({"training": "{loss: {kind: mae}}"}, "it would lose epochs, which is set there"),
        ({"training.loss": "{kind: mae}"}, "it would lose delta_gev, which is set there"),
        ({"training.loss": "{}"}, "lose kind, delta_gev, which are set there; set single keys"),
        ({"phi.0": "{units: 4}"}, "cannot set phi.0 to {'units': 4}: it would lose kernel"),
    ],
)
def test_a_section_does_not_lose_keys_silently(assignments, sentence):
    raw = {
        "training": {"epochs": 5, "loss": LOSS},
        "phi": [{"units": 8, "kernel": "fixed<6,1>"}],
    }
    with pytest.raises(ConfigError) as caught:
        override(raw, assignments)
    assert sentence in str(caught.value)


def test_a_section_with_all_its_keys_or_of_other_names_may_be_replaced():
    raw = {"loss": LOSS, "at_most": {"rtl.lut": 1, "hls.lut": 2}, "one": {"a": 1}, "none": {}}
    typed = {"loss": "{kind: mae, delta_gev: 30}", "at_most": "{rtl.ff: 3}", "one": "null"}
    replaced = {"loss": LOSS | {"kind": "mae"}, "at_most": {"rtl.ff": 3}, "one": None}
    assert override(raw, typed | {"none": "{b: 2}"}) == replaced | {"none": {"b": 2}}
    assert override(raw, {"loss": {}})["loss"] == {}, "a program's own mapping stands as it is"


def test_without_overrides_the_file_stands():
    assert parse(Root, override({"epochs": 5}, {}), where="m.yaml").epochs == 5


def test_override_through_a_value_is_refused():
    with pytest.raises(ConfigError, match=r"cannot set epochs\.x: 'epochs' is 5, not a section"):
        override({"epochs": 5}, {"epochs.x": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is not valid YAML"),
        ("a: 1\na: 2", r"m\.yaml is not valid YAML: line 2, column 1: key 'a' stands twice"),
        ("- 1\n- 2\n", "must hold a mapping of sections, got list"),
        ("", "must hold a mapping of sections"),
    ],
)
def test_load_yaml_wrong(tmp_path: Path, text: str, message: str):
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_yaml(path)


def test_a_missing_file_has_a_neighbour_of_nearly_that_name(tmp_path):
    (tmp_path / "deepset.yaml").write_text("model: {}")
    with pytest.raises(ConfigError) as caught:
        load_yaml(tmp_path / "deepst.yaml")
    said = f"no configuration file {tmp_path}/deepst.yaml; did you mean {tmp_path}/deepset.yaml?"
    assert str(caught.value) == said


def test_load_yaml_missing(tmp_path: Path):
    with pytest.raises(ConfigError, match="no configuration file"):
        load_yaml(tmp_path / "none.yaml")


def test_a_folder_is_no_configuration(tmp_path: Path):
    (tmp_path / "deepset.yaml").touch()
    with pytest.raises(
        ConfigError, match=r"is a folder, not .*give a file in it \(.*deepset\.yaml"
    ):
        load_yaml(tmp_path)


def test_files_are_utf8_in_every_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "m.yaml"
    path.write_bytes("label: \u00e9t\u00e9".encode())
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ISO-8859-1")
    assert load_yaml(path) == {"label": "\u00e9t\u00e9"}


@pytest.mark.parametrize(
    "config", [EvaluationConfig, FaultsConfig, ScanConfig, SplitConfig, TrainingConfig]
)
@pytest.mark.parametrize("seed", [-1, 10**9 + 1, 10**20])
def test_seeds_that_a_generator_would_refuse_are_refused_here(config, seed):
    with pytest.raises(ConfigError, match=rf"seed: Input should be (less|greater) .*got {seed}"):
        parse(config, {"seed": seed}, where="x.yaml")
