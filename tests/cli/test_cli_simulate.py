import pytest
import uproot
from typer.testing import CliRunner

from l1met_fpga.cli.app import app, main
from l1met_fpga.errors import ConfigError

runner = CliRunner()


def test_one_sample_from_flags(tmp_path):
    typed = ["--process", "pileup", "-n", "3", "--seed", "1", "--workers", "1", "--words"]
    typed += ["--set", "pool.minimum_bias=0", "-o", str(tmp_path / "out")]
    result = runner.invoke(app, ["simulate", *typed], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    with uproot.open(tmp_path / "out" / "pileup.root") as file:
        assert file["Events"].num_entries == 3
    assert (tmp_path / "out" / "pileup.dump").is_file()


def test_typed_flags_win_over_the_file(tmp_path):
    path = tmp_path / "samples.yaml"
    path.write_text(
        "output: elsewhere\nworkers: 1\npool: {minimum_bias: 0}\n"
        "samples: {quiet: {process: null, events: 2, seed: 1}}\n"
    )
    result = runner.invoke(app, ["simulate", str(path), "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "quiet.root").is_file()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ([], "give a YAML file, or --process"),
        (["--process", "ttbar"], "with --events and --seed"),
    ],
)
def test_missing_options_are_explained(typed, message):
    result = runner.invoke(app, ["simulate", *typed])
    assert result.exit_code == 2
    assert message.split()[0] in result.output


def test_an_assignment_needs_an_equals_sign():
    typed = ["--process", "pileup", "-n", "1", "--seed", "1", "--set", "pool"]
    error = runner.invoke(app, ["simulate", *typed]).exception
    assert isinstance(error, ConfigError)
    assert "KEY=VALUE" in str(error)


def test_events_without_a_process_are_not_ignored(tmp_path):
    path = tmp_path / "samples.yaml"
    path.write_text("samples: {quiet: {process: null, events: 2, seed: 1}}\n")
    assert runner.invoke(app, ["simulate", str(path), "-n", "5"]).exit_code == 2


def test_sample_name_is_a_file_name(tmp_path, capsys):
    path = tmp_path / "samples.yaml"
    path.write_text("samples: {../up: {process: null, events: 2, seed: 1}}\n")
    with pytest.raises(SystemExit) as stop:
        main(["simulate", str(path)])
    assert stop.value.code == 2


def test_unknown_option_of_the_file_names_its_neighbour(tmp_path, capsys):
    path = tmp_path / "samples.yaml"
    path.write_text("samples: {}\nworker: 1\n")
    with pytest.raises(SystemExit) as stop:
        main(["simulate", str(path)])
    assert stop.value.code == 2
    assert "did you mean 'workers'?" in capsys.readouterr().err


def test_validation_says_how_to_make_a_missing_sample(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("L1MET_REFERENCE_DATA", raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["validate-simulation", str(tmp_path)])
    assert stop.value.code == 3
    assert "l1met simulate data/validation_sample.yaml" in capsys.readouterr().err
