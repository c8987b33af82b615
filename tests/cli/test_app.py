import inspect

import pytest
from typer.testing import CliRunner

from l1met_fpga import errors
from l1met_fpga.cli.app import COMMANDS, app, main
from l1met_fpga.cli.options import networks_like
from l1met_fpga.run_folder import RunFolder

NAMES = [name.rstrip("_").replace("_", "-") for some in COMMANDS.values() for name in some]

ALL_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.L1MetError)
]


def test_every_kind_of_error_has_its_own_exit_code():
    codes = [kind.exit_code for kind in ALL_ERRORS]
    assert len(set(codes)) == len(codes)
    assert 0 not in codes


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["train", "no_such.yaml"], 2, "no configuration file no_such.yaml"),
        (["convert", "no_such.root", "-o", "x.h5"], 3, "no file matches no_such.root"),
        (["check", "no_such_run"], 5, "run folder no_such_run does not exist"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_a_bad_call_says_why_and_exits_with_its_code(
    arguments, code, says, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == code
    assert says in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", NAMES)
def test_every_command_has_help_with_an_example(command):
    result = CliRunner().invoke(app, [command, "--help"], terminal_width=120)
    assert result.exit_code == 0
    assert f"l1met {command}" in result.output


def test_names_of_networks_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder.create(tmp_path / "runs" / "deepset-narrow")
    (tmp_path / "deep").mkdir()
    (tmp_path / "network.json").touch()
    assert {"deepset", "garnet"} <= set(networks_like(""))
    assert networks_like("deepset")[0] == "deepset"
    assert networks_like("runs/d") == ["runs/deepset-narrow"]
    assert networks_like("net") == ["network.json"]
    assert networks_like("ru") == ["runs/"]
