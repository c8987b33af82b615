"""Firmware that knows what it was made from."""

import json

import pytest
from rtl_designs import small_network

from l1met_fpga.config.base import parse
from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConfigError, ConversionError, ReportError, ToolError
from l1met_fpga.firmware.builds import RECORD, Build, require_figures_of, sources_digest
from l1met_fpga.firmware.hls.csim import compiled_csim
from l1met_fpga.firmware.hls.location import (
    record_project,
    recorded_project,
    require_project_of,
)
from l1met_fpga.firmware.rtl import project as rtl_project
from l1met_fpga.firmware.rtl.forms import Latency
from l1met_fpga.firmware.rtl.limits import require_traceable
from l1met_fpga.firmware.rtl.project import build_project, open_project, write_project
from l1met_fpga.run_folder import RunFolder

NETWORK, OTHER = small_network("deepmet"), small_network("deepset")
TWO = RtlConfig(lanes=2, synthesize=False, parallel=False, vivado="off")
SIX = TWO.model_copy(update={"lanes": 6})


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_opening_writes_nothing_and_uses_what_was_typed(tmp_path):
    folder = tmp_path / "rtl"
    written = write_project(NETWORK, TWO, folder)
    before = times(folder)
    opened = open_project(NETWORK, folder)
    assert opened.design.lanes == 2, "not what a configuration says today"
    assert (opened.top, opened.sources) == (written.top, written.sources)
    assert times(folder) == before


def test_changed_sources_are_simulated_as_they_are_and_said(tmp_path, caplog):
    folder = tmp_path / "rtl"
    project = write_project(NETWORK, TWO, folder)
    top = project.sources / f"{project.top}.v"
    top.write_text(top.read_text() + "// edited\n")
    before = times(folder)
    open_project(NETWORK, folder)
    assert "was changed after it was written" in caplog.text
    assert times(folder) == before


def test_rtl_of_another_network_or_without_a_record_is_refused(tmp_path):
    folder = tmp_path / "rtl"
    write_project(NETWORK, TWO, folder)
    with pytest.raises(ConversionError, match=r"belongs to other inputs: network was '\w+', is"):
        open_project(OTHER, folder)
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "top": "../../x"}))
    with pytest.raises(ConversionError, match="is no module name"):
        open_project(NETWORK, folder)
    (folder / RECORD).write_text('{"network": 1')
    with pytest.raises(ConversionError, match="it is not JSON"):
        open_project(NETWORK, folder)
    (folder / RECORD).unlink()
    with pytest.raises(ConversionError, match="build it again with"):
        open_project(NETWORK, folder)


def test_reports_of_other_sources_are_set_aside(tmp_path):
    folder = tmp_path / "rtl"
    write_project(NETWORK, TWO, folder)
    (folder / "vivado").mkdir()
    (folder / "vivado" / "utilization_route.rpt").write_text("hours of work")
    (folder / "resources.json").write_text("{}")
    write_project(NETWORK, TWO, folder)
    assert (folder / "vivado" / "utilization_route.rpt").exists(), "the sources are the same"
    write_project(NETWORK, SIX, folder)
    assert not (folder / "vivado").exists()
    assert not (folder / "resources.json").exists()
    kept = folder / "vivado.before" / "utilization_route.rpt"
    assert kept.read_text() == "hours of work"


def test_the_script_leaves_the_record_beside_its_reports(tmp_path):
    write_project(NETWORK, TWO, tmp_path)
    script = (tmp_path / "build_vivado.tcl").read_text().splitlines()
    copy = script.index("file copy -force build.json vivado/build.json.running")
    rename = script.index("file rename -force vivado/build.json.running vivado/build.json")
    assert copy < script.index("route_design") < rename


def test_figures_belong_to_the_sources_and_the_network(tmp_path):
    folder, network = tmp_path / "rtl", tmp_path / "network.json"
    NETWORK.save(network)
    write_project(NETWORK, TWO, folder)
    digest = Build.read(folder).digest
    require_figures_of(folder, {"build": digest}, network)
    for wrong in ({"build": "0" * 32}, {}):
        with pytest.raises(ReportError, match="Build them again"):
            require_figures_of(folder, wrong, network)
    OTHER.save(network)
    with pytest.raises(ReportError, match="network was"):
        require_figures_of(folder, {"build": digest}, network)


def test_a_tool_that_fails_leaves_its_figures_empty(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise ToolError("yosys exited with 1; PermissionError: .cache")

    monkeypatch.setattr(rtl_project, "synthesize", fails)
    monkeypatch.setattr(rtl_project, "measure_latency", lambda *_: Latency(1, 2, 3, 4))
    monkeypatch.setattr(rtl_project.RtlProject, "compile", lambda _: None)
    project = write_project(NETWORK, TWO.model_copy(update={"synthesize": True}), tmp_path)
    result = build_project(project)
    assert result["failed"] == {"yosys": "yosys exited with 1; PermissionError: .cache"}
    assert result["streaming"]["lut"] is None
    assert result["streaming"]["lanes"] == 2
    assert result["build"] == Build.read(tmp_path).digest
    assert json.loads((tmp_path / "resources.json").read_text()) == result


# -- HLS ------------------------------------------------------------------------------------------


def test_a_project_of_another_network_or_changed_is_told(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    NETWORK.save(run.network)
    project = tmp_path / "shared"
    (project / "firmware").mkdir(parents=True)
    (project / "firmware" / "l1met.cpp").write_text("int x;")
    require_project_of(run, project, error=ReportError)  # nothing is known about it
    OTHER.save(project / "network.json")
    with pytest.raises(ReportError, match="belongs to other inputs: network"):
        require_project_of(run, project, error=ReportError)
    NETWORK.save(project / "network.json")
    digest = sources_digest(project / "firmware")
    Build(NETWORK.digest, "l1met", {}, digest).write(project)
    require_project_of(run, project, error=ReportError)
    (project / "firmware" / "l1met.cpp").write_text("int y;")
    with pytest.raises(ReportError, match="belongs to other inputs: sources"):
        require_project_of(run, project, error=ReportError)


def test_what_was_typed_is_what_a_project_is_checked_with(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    typed = HlsConfig(strategy="resource", clock_period_ns=4.0, backend="Vivado")
    Build(NETWORK.digest, "l1met", typed.model_dump(mode="json"), "").write(run.hls)
    assert recorded_project(run, HlsConfig()) == (run.hls, typed)
    record_project(run, run.hls, typed)
    assert recorded_project(run, HlsConfig())[1] == typed


def test_a_simulation_of_another_processor_is_compiled_again(tmp_path, monkeypatch):
    flags = ("-O0", "-march=native")
    assert compiled_csim(tmp_path, top="top", flags=flags) is None
    (tmp_path / "top_csim.cpp").write_text("int top_csim() { return 1; }")
    (tmp_path / "top_csim.so").write_text("of an unknown processor")
    library = compiled_csim(tmp_path, top="top", flags=flags)
    assert library.read_bytes()[:4] == b"\x7fELF"
    made = library.stat().st_mtime_ns
    assert compiled_csim(tmp_path, top="top", flags=flags).stat().st_mtime_ns == made
    monkeypatch.setattr("platform.machine", lambda: "another")
    assert compiled_csim(tmp_path, top="top", flags=flags).stat().st_mtime_ns > made


def test_weights_that_the_tracer_would_round_are_refused():
    (dense, *_) = (node for node in NETWORK if node.op == "dense")

    def with_weight(code):
        kernel = ((code, *dense.kernel[0][1:]), *dense.kernel[1:])
        nodes = [n if n is not dense else n.model_copy(update={"kernel": kernel}) for n in NETWORK]
        return NETWORK.model_copy(update={"nodes": tuple(nodes)})

    require_traceable(with_weight((1 << 24) - 1))
    require_traceable(with_weight(-5 << 40))  # few bits, far up
    with pytest.raises(ConversionError, match=f"{dense.name!r} has a weight of 25 significant"):
        require_traceable(with_weight((1 << 24) + 1))


@pytest.mark.parametrize("part", ["x; exec rm", "a b", "", "$env(HOME)", "[pwd]", "xcvu13p\n"])
@pytest.mark.parametrize("section", [HlsConfig, RtlConfig])
def test_a_part_number_is_no_script(section, part):
    with pytest.raises(ConfigError, match="a part number has letters, digits, - and _ only"):
        parse(section, {"part": part}, where="hls")
