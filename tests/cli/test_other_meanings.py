"""Columns that meant something else in training: no command takes the hardware's for them."""

import numpy as np
import pytest
from ntuples import make_events, write_perfnano
from plain_networks import plain_network
from run_records import write_training
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.data.convert import convert
from l1met_fpga.errors import ConversionError, L1MetError
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.shipped import shipped_networks

N_EVENTS = 20
MEANINGS = {"beam": "0.05 cm", "vertex": "0.05 cm from the vertex"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Events 3 cm along the beam, -0.05 cm from a vertex; a run for each meaning of z0.

    The network leaves out charged candidates of positive z0.
    """
    folder = tmp_path_factory.mktemp("meanings")
    events = make_events(N_EVENTS, seed=8, mean=6)
    z0, vertex = np.full(events.counts.sum(), 3.0), np.full(N_EVENTS, 3.05)
    write_perfnano(
        folder / "z0.root", events, candidates={"z0": z0}, per_event={"L1Vertex_z0": vertex}
    )
    write_perfnano(folder / "plain.root", events)
    for kind, unit in MEANINGS.items():
        config = ConvertConfig(label="x", z0=kind)
        convert([str(folder / "z0.root")], folder / f"{kind}.h5", config, workers=1)
        run = RunFolder.create(folder / f"{kind}_run")
        save_run(load_run(shipped_networks()["deepset"] / "config.yaml"), run.config)
        plain_network("z0", kernel=-1).save(run.network)
        write_training(run.training, [{"label": "x", "units": {"z0": unit}}])
    return folder


def shown(folder, kind, file, *more):
    """What the program says of event 1; of an error its sentence."""
    network, page = folder / f"{kind}_run", folder / "event.html"
    typed = ["show", str(folder / file), "-e", "1", "--network", str(network), "-o", str(page)]
    result = CliRunner().invoke(app, [*typed, *more])
    if isinstance(result.exception, L1MetError):
        return str(result.exception)
    assert result.exit_code == 0, result.output
    return result.output.partition("generator MET")[2]


def test_an_event_is_shown_as_the_network_was_trained(folder):
    said = {kind: shown(folder, kind, "z0.root") for kind in MEANINGS}
    assert said["beam"] != said["vertex"]
    for kind, other in (("beam", "vertex"), ("vertex", "beam")):
        assert shown(folder, kind, f"{kind}.h5") == said[kind]
        assert "has z0 in units of" in shown(folder, kind, f"{other}.h5")
        assert "plain.root has no z0, which the network reads" in shown(folder, kind, "plain.root")


def test_a_file_of_any_name_is_shown(folder):
    (folder / "z0.file").write_bytes((folder / "z0.root").read_bytes())
    assert "give --format" in shown(folder, "beam", "z0.file")
    typed = ("--format", "root", "--branch-map", "perfnano")
    assert shown(folder, "beam", "z0.file", *typed) == shown(folder, "beam", "z0.root")


@pytest.mark.parametrize(
    ("command", "source"),
    [("export vendor", "vertex_run")] + [
        (command, source)
        for command in ("export cpp", "export cmssw", "export vectors --generated", "export emp",
                        "export ip", "export qonnx", "synthesize --network")
        for source in ("vertex_run", "vertex_run/network.json")
    ],
)  # fmt: skip
def test_no_firmware_is_made_of_it(folder, tmp_path, monkeypatch, command, source):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*command.split(), str(folder / source)])
    assert isinstance(result.exception, ConversionError), result.output
    assert "z0 of sample 'x' was in units of '0.05 cm from the vertex'" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_predictions_of_a_network_file_know_its_run(folder, tmp_path):
    def predicted(network):
        output = tmp_path / "met.npz"
        typed = ["predict", str(network), str(folder / "z0.root"), "-o", str(output), "--overwrite"]
        result = CliRunner().invoke(app, typed)
        assert result.exit_code == 0, result.output
        return np.load(output)["px"]

    run = folder / "vertex_run"
    np.testing.assert_array_equal(predicted(run / "network.json"), predicted(run))
    assert (predicted(run) != predicted(folder / "beam_run")).any()
