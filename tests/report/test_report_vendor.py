"""Vendor reports: real ones where they are at hand, and texts of our own of the same shape."""

import pytest
from vendor_reports import CSYNTH_RPT, csynth_xml, timing, utilization

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ReportError, RunFolderError
from l1met_fpga.firmware.hls.location import record_project
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.firmware import hls_figures
from l1met_fpga.report.vendor import collect_vendor
from l1met_fpga.report.vendor_csynth import Resources, parse_csynth_rpt, parse_csynth_xml
from l1met_fpga.report.vendor_vivado import parse_timing, parse_utilization
from l1met_fpga.run_folder import RunFolder


@pytest.fixture
def real(reference_data):
    return lambda name: (reference_data / "vendor_reports" / name).read_text()


def test_real_vitis_reports(real):
    found = parse_csynth_xml(real("vitis_hls/gen4_csynth.xml"))
    assert (found.tool, found.tool_version, found.part) == (
        "Vitis HLS", "2021.2", "xcku15p-ffva1760-2-e",
    )  # fmt: skip
    assert (found.latency_max_cycles, found.ii_max_cycles) == (11, 1)
    assert found.latency_max_ns == 27.5
    assert found.used == Resources(lut=2623, ff=11276, dsp=14, bram18=6, uram=0)
    assert found.available.lut == 522720
    assert parse_csynth_rpt(real("vitis_hls/gen4_csynth.rpt")) == found
    assert parse_csynth_xml(real("vitis_hls/csynth.xml")) == found


def test_real_vivado_reports(real):
    found = parse_csynth_xml(real("vivado_hls/myproject_csynth.xml"))
    assert (found.tool, found.tool_version) == ("Vivado HLS", "2020.1")
    assert (found.latency_max_cycles, found.ii_max_cycles, found.target_clock_ns) == (10, 8, 5.0)
    assert found.used == Resources(lut=2532, ff=7969, dsp=73, bram18=0, uram=0)
    assert parse_csynth_rpt(real("vivado_hls/myproject_csynth.rpt")) == found
    synthesized = parse_utilization(real("vivado_hls/vivado_synth.rpt"))
    assert (synthesized.stage, synthesized.tool_version) == ("post-synthesis", "2020.1")
    assert synthesized.used == Resources(lut=1526, ff=2428, dsp=66, bram18=0, uram=0)


def test_xml_and_text_of_one_run_agree():
    found = parse_csynth_xml(csynth_xml())
    assert parse_csynth_rpt(CSYNTH_RPT) == found
    assert found.latency_max_ns == pytest.approx(603.26)
    vivado = parse_csynth_xml(csynth_xml(vitis=False, version="2020.1"))
    assert (vivado.tool, vivado.tool_version, vivado.used) == ("Vivado HLS", "2020.1", found.used)


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("Synthesized", "post-synthesis"),
        ("Fully Placed", "post-place"),
        ("Routed", "post-route"),
        ("Fully Routed", "post-route"),
    ],
)
def test_utilization_of_ultrascale_in_every_stage(state, stage):
    found = parse_utilization(utilization(state))
    assert found.stage == stage
    assert found.used == Resources(lut=18011, ff=40222, dsp=205, bram18=5, uram=3)


def test_timing_met_and_missed():
    found = parse_timing(timing())
    assert (found.stage, found.worst_slack_ns, found.worst_hold_slack_ns) == (
        "post-route", 0.112, 0.021,
    )  # fmt: skip
    assert found.clock_period_ns == 2.78
    assert found.met
    assert not parse_timing(timing(wns="-0.250")).met


@pytest.mark.parametrize(
    "name", ["Worst-caseLatency", "LUT", "DSP", "Part", "EstimatedClockPeriod"]
)
def test_a_missing_number_of_the_xml_is_an_error(name):
    lines = [line for line in csynth_xml().splitlines() if f"<{name}>" not in line]
    with pytest.raises(ReportError, match=name):
        parse_csynth_xml("\n".join(lines))


@pytest.mark.parametrize(
    ("parse", "text", "gone", "message"),
    [
        (parse_csynth_rpt, CSYNTH_RPT, "|ap_clk", "the clock"),
        (parse_csynth_rpt, CSYNTH_RPT, "|Total ", "'Total'"),
        (parse_csynth_rpt, CSYNTH_RPT, "* Version:", "'Version'"),
        (parse_csynth_rpt, CSYNTH_RPT, "|      217|", "no latency table"),
        (parse_csynth_rpt, CSYNTH_RPT, "== Vitis HLS Report", "no C-synthesis report"),
        (parse_utilization, utilization(), "| CLB LUTs", "CLB LUTs"),
        (parse_utilization, utilization(), "| URAM", "URAM"),
        (parse_utilization, utilization(), "| Design State", "Design State"),
        (parse_utilization, utilization(), "Utilization Design", "no utilization report"),
        (parse_timing, timing(), "    WNS(ns)", "no timing summary"),
        (parse_timing, timing(), "ap_clk", "no clock with a period"),
    ],
)
def test_a_missing_line_of_the_text_is_an_error(parse, text, gone, message):
    kept = [line for line in text.splitlines() if gone not in line]
    assert len(kept) < len(text.splitlines())
    with pytest.raises(ReportError, match=message):
        parse("\n".join(kept))


def test_undefined_latency_is_an_error():
    with pytest.raises(ReportError, match=r"'undef'; a loop without a fixed number of turns"):
        parse_csynth_xml(csynth_xml(latency="undef"))
    with pytest.raises(ReportError, match="WNS as 'NA'"):
        parse_timing(timing(wns="NA"))
    with pytest.raises(ReportError, match="not XML"):
        parse_csynth_xml("ERROR: [HLS 200-70] Compilation failed")
    with pytest.raises(ReportError, match="unknown design state 'Dreamt'"):
        parse_utilization(utilization("Dreamt"))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("inside", [True, False])
def test_a_project_made_elsewhere_is_found(inside, tmp_path):
    run, config = RunFolder.create(tmp_path / "run"), HlsConfig()
    vivado = config.model_copy(update={"backend": Backend.VIVADO})
    project = tmp_path / "run" / "hls_vivado" if inside else tmp_path / "elsewhere"
    assert hls_figures(run, config) is None
    record_project(run, project, vivado)
    assert hls_figures(run, config) is None, "there is a project, but no tool was run"
    write(csynth_report(project, config), csynth_xml())
    figures = hls_figures(run, config)
    assert (figures["backend"], figures["lut"], figures["bram"]) == ("Vivado", 43200, 2)
    moved = RunFolder.open(run.root.rename(tmp_path / "moved"))
    assert hls_figures(moved, config) == figures
    record_project(moved, moved.hls, config)
    assert hls_figures(moved, config) is None, "the earlier project is no longer the run's"
    moved.hls_project.write_text('{"folder": "hls"}')
    with pytest.raises(RunFolderError, match="does not say where the HLS project is"):
        hls_figures(moved, config)


def test_figures_are_those_of_the_latest_stage(tmp_path):
    config = HlsConfig()
    with pytest.raises(ReportError, match="no C-synthesis report"):
        collect_vendor(tmp_path, config)
    write(csynth_report(tmp_path, config), csynth_xml())
    found = collect_vendor(tmp_path, config)
    assert (found["stage"], found["tool"], found["lut"]) == ("C synthesis", "Vitis HLS", 43200)
    assert (found["latency_cycles"], found["ii_cycles"], found["bram"]) == (217, 43, 2)
    stage = found["stages"][0]
    assert stage["percent_of_part"]["lut"] == pytest.approx(2.5)
    assert stage["percent_of_slr"]["lut"] == pytest.approx(10.0)
    write(tmp_path / "vivado_synth.rpt", utilization())
    write(tmp_path / "timing.rpt", timing())
    found = collect_vendor(tmp_path, config)
    assert (found["stage"], found["tool"], found["lut"]) == ("post-synthesis", "Vivado", 18011)
    assert found["latency_cycles"] == 217
    kinds = [s["kind"] for s in found["stages"]]
    assert kinds == ["C synthesis", "post-synthesis", "post-route timing"]
