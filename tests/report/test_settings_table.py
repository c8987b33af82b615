"""The table of settings that differ."""

from pathlib import Path

from l1met_fpga.config.run import load_run
from l1met_fpga.report.settings_table import settings_table

MODELS = Path(__file__).parents[2] / "models"


def test_only_what_differs_is_shown_under_the_key_that_set_takes():
    one = load_run(MODELS / "deepset.yaml")
    training = one.training.model_copy(update={"epochs": 3})
    phi = (one.model.phi[0].model_copy(update={"units": 16}), *one.model.phi[1:])
    model = one.model.model_copy(update={"phi": phi})
    other = one.model_copy(update={"training": training, "model": model})
    table = settings_table({"a": one, "b": other})
    assert table.columns == ("setting", "a", "b")
    assert sorted(table.rows) == [("model.phi.0.units", "32", "16"), ("training.epochs", "30", "3")]


def test_a_setting_of_one_architecture_alone_has_a_dash():
    names = {"a": "deepset", "b": "garnet"}
    table = settings_table({k: load_run(MODELS / f"{name}.yaml") for k, name in names.items()})
    rows = {key: values for key, *values in table.rows}
    assert rows["model.name"] == ["deepset", "garnet"]
    assert "-" in rows["model.phi.0.units"]


def test_equal_settings_are_said_to_be_equal():
    one = load_run(MODELS / "deepset.yaml")
    assert settings_table({"a": one, "b": one}).note == "All settings are the same."
