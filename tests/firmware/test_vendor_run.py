"""The folder for a colleague with vendor tools, its script, and the file that comes back."""

import json
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from plain_networks import plain_network
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConversionError, ReportError
from l1met_fpga.files import write_json
from l1met_fpga.firmware.export.vendor_run import (
    ARCHIVE,
    export_vendor_run,
    take_vendor_reports,
)
from l1met_fpga.firmware.hls.words_project import write_words_project
from l1met_fpga.firmware.imported import create_imported_run
from l1met_fpga.firmware.rtl.project import write_project as write_rtl
from l1met_fpga.firmware.stress import stress_events
from l1met_fpga.report.collect import build_report
from l1met_fpga.report.combinations import combinations
from l1met_fpga.report.rtl_vivado import use_vivado_figures

WORDS = HlsConfig(io_type="words", test_bench_events=20)
CSYNTH = Path("l1met_prj/solution1/syn/report/l1met_csynth.xml")
STAND_IN = """#!{python}
# STAND-IN for a vendor program, for tests: it reads what it is given and synthesizes nothing.
import pathlib, shutil, sys

sys.path.insert(0, {tests!r})
from vendor_reports import csynth_xml, timing, utilization

script = pathlib.Path(next(word for word in sys.argv if word.endswith(".tcl")))
text = script.read_text()
print("stand-in", sys.argv)
if script.name == "build_prj.tcl":
    assert "set_top l1met" in text and pathlib.Path("firmware/l1met.cpp").is_file()
    report = pathlib.Path({csynth!r})
    report.parent.mkdir(parents=True)
    (report.parents[1] / "verilog").mkdir()
    report.write_text(csynth_xml())
elif script.name == "vivado_synth.tcl":
    assert "out_of_context" in text and "create_clock" in pathlib.Path("out_of_context.xdc").read_text()
    pathlib.Path("vivado_synth.rpt").write_text(utilization())
    pathlib.Path("vivado_synth_timing.rpt").write_text(timing("Synthesized"))
else:
    pathlib.Path("vivado").mkdir(exist_ok=True)
    pathlib.Path("vivado/utilization_route.rpt").write_text(utilization("Routed"))
    pathlib.Path("vivado/timing_route.rpt").write_text(timing())
    shutil.copy("build.json", "vivado/build.json")
"""


def stand_in(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    tests = str(Path(__file__).parents[1])
    program.write_text(STAND_IN.format(python=sys.executable, tests=tests, csynth=str(CSYNTH)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def run(tmp_path):
    network = plain_network(n_candidates=8)
    network.save(tmp_path / "network.json")
    made = create_imported_run(tmp_path / "network.json", None, tmp_path / "run")
    candidates = stress_events(np.random.default_rng(0), n_random=1, n_slots=8)
    write_words_project(network, WORDS, made.hls, candidates=candidates)
    return made


def with_rtl(run):
    write_rtl(plain_network(n_candidates=8), RtlConfig(lanes=3, parallel=False), run.rtl)
    return run


def call_script(folder: Path, tools: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", str(folder / "run_vendor.sh")],
        env={"PATH": f"{tools}:/usr/bin:/bin"}, cwd="/", check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_folder_script_archive_report(run, tmp_path):
    with_rtl(run)
    build = json.loads((run.rtl / "build.json").read_text())
    write_json(run.rtl / "resources.json", {"streaming": RTL, "build": None})
    folder, tools = tmp_path / "folder", tmp_path / "bin"
    assert export_vendor_run(run, WORDS, folder) == ("hls", "rtl")
    for name in ("vitis-run", "vivado"):
        stand_in(tools, name)
    told = call_script(folder, tools)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "3 steps done. Send back" in told.stdout
    taken = take_vendor_reports(run, WORDS, folder / ARCHIVE)
    assert str(Path("hls") / CSYNTH) in taken
    assert "rtl/vivado/build.json" in taken
    assert json.loads((run.rtl / "vivado" / "build.json").read_text()) == build
    assert use_vivado_figures(run.rtl)
    streaming = json.loads((run.rtl / "resources.json").read_text())["streaming"]
    assert (streaming["tool"], streaming["lut"]) == ("vivado", 18011)
    report = build_report(run)
    assert report.hls is not None
    assert (report.hls.io_type, report.hls.stage, report.hls.lut) == (
        "words", "post-synthesis", 18011,
    )  # fmt: skip
    rows = {row[0]: row for row in combinations(report).rows}
    assert rows["HLS words"][1:5] == ("375 (slack)", "217", "43", "18011")
    assert rows["HLS words"][6] == "Vivado 2024.1, post-synthesis"
    assert "HLS arrays" not in rows, "it was not built"


def test_the_commands(run, tmp_path):
    folder, tools = tmp_path / "folder", tmp_path / "bin"
    told = CliRunner().invoke(app, ["export", "vendor", str(run.root), "-o", str(folder)])
    assert told.exit_code == 0, told.output
    assert "bash run_vendor.sh" in told.output
    stand_in(tools, "vitis_hls")
    assert call_script(folder, tools).returncode == 0
    arguments = ["report", str(run.root), "--vendor", str(folder / ARCHIVE)]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert "took hls/l1met_prj" in told.output
    text = run.report("md").read_text()
    assert "Which firmware" in text
    assert "for links with a vendor's HLS tool" in text


def test_without_any_tool_the_script_says_so(run, tmp_path):
    export_vendor_run(run, WORDS, tmp_path / "folder")
    told = call_script(tmp_path / "folder", tmp_path / "nothing")
    assert told.returncode == 1
    assert "hls: no HLS tool of back end Vitis on PATH" in told.stdout
    assert "0 steps done" in told.stdout
    with pytest.raises(ReportError, match="holds no report of hls; send back what `bash run_v"):
        take_vendor_reports(run, WORDS, tmp_path / "folder" / ARCHIVE)


def test_reports_of_other_sources_are_refused_and_nothing_is_written(run, tmp_path):
    folder, tools = tmp_path / "folder", tmp_path / "bin"
    export_vendor_run(run, WORDS, folder)
    stand_in(tools, "vitis-run")
    assert call_script(folder, tools).returncode == 0
    network = plain_network(n_candidates=8)
    candidates = stress_events(np.random.default_rng(0), n_random=1, n_slots=8)
    other = HlsConfig(io_type="words", clock_period_ns=2.5)
    write_words_project(network, other, run.hls, candidates=candidates)
    with pytest.raises(ReportError, match=r"the reports of hls in .* belongs to other inputs"):
        take_vendor_reports(run, WORDS, folder / ARCHIVE)
    assert not (run.hls / CSYNTH).exists()


def test_only_known_reports_leave_an_archive(run, tmp_path):
    evil = tmp_path / "evil"
    for name in ("../outside.txt", "hls/firmware/l1met.cpp", "hls/build.json", f"hls/{CSYNTH}"):
        path = evil / "a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    shutil.copy(run.hls / "build.json", evil / "a" / "hls" / "build.json")
    before = (run.hls / "firmware" / "l1met.cpp").read_text()
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        archive.add(evil / "outside.txt", "../outside.txt")
        archive.add(evil / "a" / "hls", "hls")
    assert take_vendor_reports(run, WORDS, tmp_path / ARCHIVE) == (f"hls/{CSYNTH}",)
    assert (run.hls / "firmware" / "l1met.cpp").read_text() == before
    assert not (run.root / "outside.txt").exists()
    (tmp_path / "text.tar.gz").write_text("no archive")
    with pytest.raises(ReportError, match=r"is no archive of `run_vendor\.sh`"):
        take_vendor_reports(run, WORDS, tmp_path / "text.tar.gz")
    for place, why in ((tmp_path / "none.tar.gz", "No such file"), (evil, "Is a directory")):
        with pytest.raises(ReportError, match=rf"^cannot read \S+: {why}.*; give the archive that"):
            take_vendor_reports(run, WORDS, place)


def test_damage_inside_an_archive_is_one_sentence(run, tmp_path):
    report = tmp_path / "hls" / CSYNTH
    report.parent.mkdir(parents=True)
    report.write_text("".join(f"{n} {n * n}\n" for n in range(9000)))
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        archive.add(tmp_path / "hls", "hls")
    whole = (tmp_path / ARCHIVE).read_bytes()
    for place in range(30, len(whole), len(whole) // 40):
        damaged = whole[:place] + b"\xff\x00\xff" + whole[place + 3 :]
        (tmp_path / ARCHIVE).write_bytes(damaged)
        with pytest.raises(ReportError):
            take_vendor_reports(run, WORDS, tmp_path / ARCHIVE)


def test_a_run_without_firmware_has_nothing_to_hand_on(tmp_path):
    plain_network(n_candidates=8).save(tmp_path / "network.json")
    run = create_imported_run(tmp_path / "network.json", None, tmp_path / "run")
    with pytest.raises(ConversionError, match="has no firmware to hand on; build it with"):
        export_vendor_run(run, WORDS, tmp_path / "folder")


def test_real_reports_come_home(run, tmp_path, reference_data):
    real = reference_data / "vendor_reports" / "vitis_hls" / "gen4_csynth.xml"
    with tarfile.open(tmp_path / ARCHIVE, "w:gz") as archive:
        archive.add(real, f"hls/{CSYNTH}")
        archive.add(run.hls / "build.json", "hls/build.json")
    take_vendor_reports(run, WORDS, tmp_path / ARCHIVE)
    report = build_report(run)
    assert report.hls is not None
    assert (report.hls.tool_version, report.hls.stage) == ("2021.2", "C synthesis")
    assert report.hls.lut


RTL = {
    "lanes": 3, "ii_cycles": 3, "latency_first_word_cycles": 9, "latency_last_word_cycles": 7,
    "clock_period_ns": 2.78, "lut": 100, "ff": 90, "dsp": 6, "bram": 0.0, "lut_estimate": 110,
    "tool": "yosys", "tool_version": "0.50", "part": "xcvu13p-flga2577-2-e",
}  # fmt: skip
