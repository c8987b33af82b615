"""``l1met predict`` as a user types it."""

import numpy as np
import pytest
from ntuples import make_events, write_perfnano
from typer.testing import CliRunner

from l1met_fpga.cli.app import app, main


@pytest.fixture
def ntuple(tmp_path):
    path = tmp_path / "a b[1].root"
    write_perfnano(path, make_events(30, seed=2))
    return path


def test_a_file_and_what_is_said(ntuple, tmp_path):
    output = tmp_path / "met.npz"
    done = CliRunner().invoke(app, ["predict", "deepset", str(ntuple), "-o", str(output)])
    assert done.exit_code == 0, done.output
    assert f"{output}: 30 events, form int64" in done.output.replace("\n", "")
    assert "files without hardware integers" in done.output
    assert "MET is not calibrated" in done.output
    with np.load(output) as file:
        assert len(file["px"]) == 30
        np.testing.assert_array_equal(file["event"], np.arange(1, 31))


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--order", "random"], 2, "order"),
        (["--form", "rtl"], 2, "there is no form 'rtl'"),
        (["--rntuple"], 2, "an RNTuple is written to a .root file"),
        (["--format", "words"], 3, "a b[1].root"),
    ],
)
def test_what_cannot_be(options, code, sentence, ntuple, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["predict", "deepset", str(ntuple), "-o", str(tmp_path / "met.npz"), *options])
    assert stopped.value.code == code
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "met.npz").exists()


def test_help_has_an_example():
    text = CliRunner().invoke(app, ["predict", "--help"]).output
    assert "l1met predict runs/deepset" in text
