"""``l1met inspect`` as a user types it."""

import json
from pathlib import Path

import networks
import numpy as np
import pytest

from l1met_fpga.cli.app import main
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import ConfigError, RunFolderError
from l1met_fpga.puppi.columns import N_CANDIDATES


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    filled = np.arange(N_CANDIDATES) < rng.integers(1, 100, 20)[:, None]
    columns = {
        "pt": rng.integers(4, 200, filled.shape),
        "eta": rng.integers(-900, 900, filled.shape),
        "phi": rng.integers(-720, 721, filled.shape),
        "pid": rng.integers(2, 8, filled.shape),
        "puppi_weight": np.full(filled.shape, 256),
    }
    path = tmp_path / "events.h5"
    write_store(
        path,
        candidates={name: (column * filled).astype(np.int16) for name, column in columns.items()},
        truth={"gen_met_xy_gev": rng.normal(scale=50, size=(20, 2))},
        label="toy",
    )
    return path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_tables_name_the_content(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", store) == 0
    out = capsys.readouterr().out
    for text in ("events.h5", "toy", "Ranges", "Composition", "muon plus", "no problems found"):
        assert text in out


def test_json_is_for_programs(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", store, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["events"] == 20
    assert found["about"]["label"] == "toy"
    assert found["problems"] == []


def test_plots_with_a_network(store: Path, tmp_path: Path) -> None:
    network = tmp_path / "network.json"
    networks.random_deepset().save(network)
    plots = tmp_path / "plots"
    assert run("inspect", store, "--plots", plots, "--event", 3, "--network", network) == 0
    names = {"multiplicity", "pt", "columns", "vector_sums", "scalar_sums", "event_3"}
    assert {path.name for path in plots.iterdir()} == {
        f"{n}.{s}" for n in names for s in ("png", "pdf")
    }


def test_wrong_inputs_end_with_their_code(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("inspect", tmp_path / "no.h5") == 3
    assert "no file matches" in capsys.readouterr().err
    assert run("inspect", store, "--plots", tmp_path / "p", "--event", 20) == 3
    assert "has no event 20; it has 20" in capsys.readouterr().err
    code = run("inspect", store, "--plots", tmp_path / "p", "--network", tmp_path)
    assert code == RunFolderError.exit_code
    assert "was not made by l1met" in capsys.readouterr().err
    assert run("inspect", store, "--event", 1) == ConfigError.exit_code
    assert "add --plots with a folder" in capsys.readouterr().err
