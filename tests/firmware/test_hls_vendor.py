"""The vendor path, with executable stand-ins."""

import pytest
from stand_in_vendor import install_stand_in

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ToolError, ToolMissingError
from l1met_fpga.firmware.hls.vendor import find_vendor, run_vendor
from l1met_fpga.report.vendor import write_vendor


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "hls"
    folder.mkdir()
    (folder / "build_opt.tcl").write_text("array set opt {}\n")
    return folder


def test_no_vendor_tool_is_no_error_unless_required(programs):
    assert find_vendor(Backend.VITIS) is None
    with pytest.raises(ToolMissingError, match=r"none of vitis-run, vitis_hls is on PATH.*Vitis"):
        find_vendor(Backend.VITIS, required=True)


@pytest.mark.parametrize(
    ("backend", "name", "argument"),
    [
        ("Vitis", "vitis-run", "'--tcl', 'build_prj.tcl', '--mode', 'hls'"),
        ("Vitis", "vitis_hls", "'-f', 'build_prj.tcl'"),
        ("Vivado", "vivado_hls", "'-f', 'build_prj.tcl', 'reset=1 csim=1 synth=1 cosim=0"),
    ],
)
def test_each_program_is_called_its_own_way(backend, name, argument, programs, project):
    install_stand_in(programs, name)
    config = HlsConfig(backend=backend)
    tool = find_vendor(config.backend)
    assert tool is not None
    run_vendor(tool, project, config)
    assert argument in (project / "vendor.log").read_text()
    figures = write_vendor(project, config)
    assert (figures["lut"], figures["stage"], figures["backend"]) == (43200, "C synthesis", backend)
    assert (project / "resources.json").is_file()


def test_newest_program_is_taken(programs):
    install_stand_in(programs, "vitis_hls")
    install_stand_in(programs, "vitis-run")
    assert find_vendor(Backend.VITIS).name == "vitis-run"


def test_logic_synthesis_replaces_the_estimate(programs, project):
    install_stand_in(programs, "vitis-run")
    config = HlsConfig(vsynth=True)
    run_vendor(find_vendor(config.backend), project, config)
    assert write_vendor(project, config)["stage"] == "post-synthesis"


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fail", r"exited with 3; see .*vendor\.log(.|\n)*stand-in fails as asked"),
        ("hang", r"vitis-run was stopped after 0\.5 s; see .*vendor\.log"),
        ("silent", r"ended without an error but left no new .*l1met_csynth\.xml"),
    ],
)
def test_failures_are_clear_and_keep_what_was_there(mode, message, programs, project):
    config = HlsConfig()
    program = install_stand_in(programs, "vitis-run")
    tool = find_vendor(config.backend)
    run_vendor(tool, project, config)
    write_vendor(project, config)
    kept = (project / "resources.json").read_text()
    program = install_stand_in(programs, "vitis-run", mode=mode)
    assert program.is_file()
    config = config.model_copy(update={"vendor_timeout_s": 0.5 if mode == "hang" else 60.0})
    with pytest.raises(ToolError, match=message):
        run_vendor(tool, project, config)
    assert (project / "resources.json").read_text() == kept
    assert (project / "vendor.log").is_file()
