import json
import os
import shutil

import pytest
from rtl_designs import small_network

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.firmware.builds import RECORD, Build
from l1met_fpga.firmware.rtl.project import write_project
from l1met_fpga.firmware.rtl.vivado import run_if_present
from l1met_fpga.report.rtl_vivado import UNUSABLE, use_vivado_figures

HEADER = """| Tool Version : Vivado v.2023.1 (lin64) Build 1
| Design       : l1met_deepset
| Device       : xcvu13p-flga2577-2-e
| Design State : Routed
"""
UTILIZATION = f"""Utilization Design Information
{HEADER}
| CLB LUTs                   | 9000 |     0 |          0 |   1728000 |  0.52 |
| CLB Registers              | 8000 |     0 |          0 |   3456000 |  0.23 |
| Block RAM Tile             |  1.5 |     0 |          0 |      2688 |  0.06 |
| URAM                       |    0 |     0 |          0 |      1280 |  0.00 |
| DSPs                       |   39 |     0 |          0 |     12288 |  0.32 |
"""
TIMING = f"""{HEADER}
    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)
    -------      -------  ---------------------  -------------------      -------
      0.123        0.000                      0                 9999        0.010

Clock  Waveform(ns)         Period(ns)      Frequency(MHz)
-----  ------------         ----------      --------------
clk    {{0.000 1.390}}        2.780           359.712
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "top.v").write_text("module top; endmodule")
    figures = {"lut": 11000, "ff": 9000, "dsp": 39, "bram": 1.5, "tool": "yosys", "lanes": 3}
    content = {"streaming": figures, "parallel": None}
    (tmp_path / "resources.json").write_text(json.dumps(content))
    return tmp_path


def test_without_vivado_nothing_changes(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    before = (project / "resources.json").read_text()
    assert run_if_present(project, "l1met_deepset") is False
    assert use_vivado_figures(project) is False
    assert (project / "resources.json").read_text() == before


def test_vivado_on_path_is_run_and_its_figures_taken(project, tmp_path, monkeypatch):
    (project / "utilization.txt").write_text(UTILIZATION)
    (project / "timing.txt").write_text(TIMING)
    program = tmp_path / "bin" / "vivado"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'test "$1 $2 $3 $4" = "-mode batch -source build_vivado.tcl" || exit 1\n'
        "cp utilization.txt vivado/utilization_route.rpt\n"
        "cp timing.txt vivado/timing_route.rpt\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert run_if_present(project, "l1met_deepset") is True
    for _ in range(2):  # a second call changes nothing
        assert use_vivado_figures(project) is True
        content = json.loads((project / "resources.json").read_text())
        assert content["open_tools"]["lut"] == 11000
        streaming = content["streaming"]
        assert (streaming["lut"], streaming["ff"], streaming["dsp"]) == (9000, 8000, 39)
        assert (streaming["bram"], streaming["tool"], streaming["kind"]) == (
            1.5, "vivado", "post-route",
        )  # fmt: skip
        assert streaming["worst_slack_ns"] == 0.123
        assert streaming["worst_hold_slack_ns"] == 0.01
        assert streaming["lanes"] == 3


def with_reports(project, utilization=UTILIZATION, timing=TIMING, **figures):
    (project / "vivado").mkdir()
    (project / "vivado" / "utilization_route.rpt").write_text(utilization)
    (project / "vivado" / "timing_route.rpt").write_text(timing)
    content = json.loads((project / "resources.json").read_text())
    content["streaming"] |= figures
    (project / "resources.json").write_text(json.dumps(content))
    return content["streaming"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"utilization": "killed"}, "this is no utilization report"),
        ({"timing": "killed"}, "this is no timing summary"),
        (
            {"part": "xcvu9p-flga2104-2-e"},
            "is about part xcvu13p-flga2577-2-e, the RTL about xcvu9p",
        ),
        ({"clock_period_ns": 4.0}, "has a clock of 2.78 ns, the RTL 4 ns"),
    ],
)
def test_reports_that_cannot_be_used_change_no_figure(project, changed, reason):
    before = with_reports(project, **changed)
    assert use_vivado_figures(project) is False
    content = json.loads((project / "resources.json").read_text())
    assert content["streaming"] == before
    assert reason in content[UNUSABLE]["vivado"]


def test_reports_of_rtl_that_was_written_anew_since_are_refused(project):
    before = with_reports(project)
    report = project / "vivado" / "utilization_route.rpt"
    later = report.stat().st_mtime_ns + 10**9
    os.utime(project / "src" / "top.v", ns=(later, later))
    assert use_vivado_figures(project) is False
    content = json.loads((project / "resources.json").read_text())
    assert content["streaming"] == before
    assert "were made from other sources" in content[UNUSABLE]["vivado"]
    for path in (project / "vivado").iterdir():
        os.utime(path, ns=(later, later))
    assert use_vivado_figures(project) is True
    assert UNUSABLE not in json.loads((project / "resources.json").read_text())


NETWORK = small_network("deepmet")
TWO = RtlConfig(lanes=2)


@pytest.fixture
def vivado(tmp_path):
    """RTL with reports of a Vivado run of it."""
    folder = tmp_path / "rtl"
    write_project(NETWORK, TWO, folder)
    figures = {"streaming": {"lut": 1}, "build": Build.read(folder).digest}
    (folder / "resources.json").write_text(json.dumps(figures))
    (folder / "vivado").mkdir()
    (folder / "vivado" / "utilization_route.rpt").write_text(UTILIZATION)
    (folder / "vivado" / "timing_route.rpt").write_text(TIMING)
    return folder


def test_reports_with_the_right_record_are_used(vivado):
    shutil.copy(vivado / RECORD, vivado / "vivado" / RECORD)
    for path in (vivado / "vivado").glob("*.rpt"):
        os.utime(path, ns=(0, 0))  # a copy of the folder may have any time
    assert use_vivado_figures(vivado) is True


def test_reports_with_another_record_are_not_used(vivado, tmp_path, caplog):
    write_project(NETWORK, TWO.model_copy(update={"lanes": 6}), tmp_path / "six")
    shutil.copy(tmp_path / "six" / RECORD, vivado / "vivado" / RECORD)
    assert use_vivado_figures(vivado) is False
    assert "were made from other sources" in caplog.text


def test_reports_without_a_record_must_be_younger_than_the_sources(vivado):
    assert use_vivado_figures(vivado) is True
    os.utime(vivado / "vivado" / "timing_route.rpt", ns=(0, 0))
    assert use_vivado_figures(vivado) is False
