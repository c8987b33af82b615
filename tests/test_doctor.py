"""What the doctor says of a machine that lacks something."""

import configparser
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from l1met_fpga import __version__
from l1met_fpga.cli.app import app
from l1met_fpga.doctor import examine

ROOT = Path(__file__).parents[1]
FOR_DEVELOPERS = {"test", "docs"}


def by_name(folder):
    return {one.name: one for some in examine(folder).values() for one in some}


def test_a_machine_with_nothing_on_its_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_name(tmp_path)
    for name in ("g++", "make", "chromium", "git", "vivado", "Vitis or Vivado HLS"):
        assert found[name].found is None
        assert found[name].without
    assert "install GCC 10 or newer" in found["g++"].without
    assert found["l1met_fpga"].found == __version__


@pytest.mark.parametrize("program", ["vitis_hls", "vivado_hls", "vitis-run"])
def test_any_vendor_program_will_do(program, tmp_path, monkeypatch):
    path = tmp_path / program
    path.touch()
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_name(tmp_path)["Vitis or Vivado HLS"]
    assert (found.found, found.without) == (str(path), "")


def test_every_extra_of_the_package_is_named():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = {one.name for one in examine(ROOT)["extras"]}
    assert extras == set(setup["options.extras_require"]) - FOR_DEVELOPERS


def test_the_disk_is_the_one_of_the_folder(tmp_path, monkeypatch):
    seen = os.statvfs(tmp_path)
    free = by_name(tmp_path)["disk of this folder"]
    assert str(tmp_path) in free.found
    assert abs(float(free.found.split()[0]) - seen.f_bavail * seen.f_frsize / 2**30) < 1
    monkeypatch.setattr("l1met_fpga.doctor.MIN_DISK_GIB", 1e9)
    assert "is free" in by_name(tmp_path)["disk of this folder"].without


def test_the_command_prints_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    text = CliRunner().invoke(app, ["doctor"]).output
    assert "\ng++: no C simulation" in text
    assert __version__ in text
    content = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert set(content) == {"versions", "tools", "extras", "machine"}
    assert {"name": "Python", "found": os.sys.version.split()[0], "without": ""} in content[
        "versions"
    ]
