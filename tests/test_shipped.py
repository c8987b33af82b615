import subprocess
from pathlib import Path

import pytest

from l1met_fpga.cli.app import main
from l1met_fpga.config.base import load_yaml, parse
from l1met_fpga.config.run import load_run
from l1met_fpga.config.simulation import SimulationConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.shipped import copy_shipped
from l1met_fpga.simulation.sample import plan

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, copy_shipped(folder)


def test_the_samples_of_every_shipped_recipe_are_copied_or_made_with_it(copied):
    folder, files = copied
    recipes = sorted((folder / "models").glob("*.yaml"))
    assert len(recipes) >= 3
    made = {path for recipe in (folder / "data").glob("*_sample.yaml") for path in made_by(recipe)}
    for recipe in recipes:
        for sample in load_run(recipe).samples:
            assert folder / sample.path in files or sample.path in made


def made_by(recipe):
    """Files that `l1met simulate` makes of a recipe."""
    return {task.path for task in plan(parse(SimulationConfig, load_yaml(recipe), where="test"))}


def test_every_tracked_file_of_the_folders_is_copied(copied):
    folder, files = copied
    listed = subprocess.run(
        ["git", "ls-files", "models", "data"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert sorted(str(file.relative_to(folder)) for file in files) == sorted(listed)


def test_a_second_time_nothing_is_copied(copied):
    assert copy_shipped(copied[0]) == []


def test_files_of_the_user_stay(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/deepset.yaml").write_text("mine")
    with pytest.raises(ConfigError, match=r"deepset\.yaml is there and is not the package's"):
        copy_shipped(tmp_path)
    assert (tmp_path / "models/deepset.yaml").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["models"]
    with pytest.raises(SystemExit, match="2"):
        main(["init", str(tmp_path)])
    assert "nothing was copied" in capsys.readouterr().err


def test_init_says_what_to_type_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="0"):
        main(["init", "a study"])
    assert "next: cd 'a study' && l1met train models/deepset.yaml\n" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["init"])
    assert "next: l1met train models/deepset.yaml\n" in capsys.readouterr().out
