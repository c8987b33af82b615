"""What is no model of somebody else: our own networks, folders and nothing at all."""

import shutil

import pytest

from l1met_fpga.cli.app import main
from l1met_fpga.shipped import shipped_networks


def says(capsys, *typed):
    with pytest.raises(SystemExit) as stopped:
        main([str(word) for word in typed])
    error = capsys.readouterr().err.split("error: ")[1]
    return stopped.value.code, " ".join(error.split())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A shipped network as a run"""
    folder = tmp_path_factory.mktemp("own") / "run"
    shutil.copytree(shipped_networks()["deepset"], folder)
    return folder


@pytest.mark.parametrize("command", ["import", "lint"])
def test_a_network_of_our_own_has_its_integers_beside_it(run, command, capsys):
    code, said = says(capsys, command, run / "model.keras")
    assert code == 8
    assert said == (
        f"{run}/model.keras was trained by l1met: its integers are in {run}/network.json already. "
        f"Go on with `l1met synthesize {run}`"
    )
    code, said = says(capsys, command, run)
    assert code == 5
    assert said.startswith(
        f"{run} is a run of l1met: its integers are in {run}/network.json already."
    )


@pytest.mark.parametrize("command", ["import", "lint"])
def test_a_copied_network_of_our_own_is_known_too(run, command, tmp_path, capsys):
    shutil.copy(run / "model.keras", tmp_path / "x.keras")
    code, said = says(capsys, command, tmp_path / "x.keras")
    assert (code, "but its run is not here" in said) == (8, True)


@pytest.mark.parametrize("command", ["import", "lint"])
def test_a_folder_and_nothing_are_said_as_what_they_are(command, tmp_path, capsys):
    code, said = says(capsys, command, tmp_path)
    assert code == 5
    assert said.startswith(
        f"{tmp_path} is a folder; give the file in it (.keras, .h5, .onnx). A Saved"
    )
    code, said = says(capsys, command, tmp_path / "none.h5")
    assert code == 5
    assert said.startswith(f"no model {tmp_path}/none.h5; give a file that was saved by Keras")
