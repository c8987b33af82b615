"""Vendor reports: real ones where they are at hand, and texts of our own of the same shape."""

import pytest
from vendor_reports import csynth_xml, family_utilization, timing, utilization

from l1met_fpga.config.firmware import Backend, HlsConfig
from l1met_fpga.errors import ReportError
from l1met_fpga.firmware.hls.location import record_project
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.findings import Findings
from l1met_fpga.report.firmware import hls_figures
from l1met_fpga.report.vendor import collect_vendor, same_part, write_vendor
from l1met_fpga.report.vendor_csynth import Resources, parse_csynth_xml
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
    assert parse_csynth_xml(real("vitis_hls/csynth.xml")) == found


def test_real_vivado_reports(real):
    found = parse_csynth_xml(real("vivado_hls/myproject_csynth.xml"))
    assert (found.tool, found.tool_version) == ("Vivado HLS", "2020.1")
    assert (found.latency_max_cycles, found.ii_max_cycles, found.target_clock_ns) == (10, 8, 5.0)
    assert found.used == Resources(lut=2532, ff=7969, dsp=73, bram18=0, uram=0)
    synthesized = parse_utilization(real("vivado_hls/vivado_synth.rpt"))
    assert (synthesized.stage, synthesized.tool_version) == ("post-synthesis", "2020.1")
    assert synthesized.used == Resources(lut=1526, ff=2428, dsp=66, bram18=0, uram=0)
    assert same_part(found.part, synthesized.part)


def test_both_tools_write_the_same_figures():
    found = parse_csynth_xml(csynth_xml())
    assert found.latency_max_ns == pytest.approx(603.26)
    assert found.used == Resources(lut=43200, ff=65432, dsp=210, bram18=4, uram=0)
    vivado = parse_csynth_xml(csynth_xml(vitis=False, version="2020.1"))
    assert (vivado.tool, vivado.tool_version, vivado.used) == ("Vivado HLS", "2020.1", found.used)


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("Synthesized", "post-synthesis"),
        ("Optimized", "post-synthesis"),
        ("Placed", "post-place"),
        ("Fully Placed", "post-place"),
        ("Physopt postPlace", "post-place"),
        ("Routed", "post-route"),
        ("FULLY ROUTED", "post-route"),
        ("Physopt postRoute", "post-route"),
        ("physopt postroute", "post-route"),
    ],
)
def test_utilization_of_ultrascale_in_every_stage(state, stage):
    found = parse_utilization(utilization(state))
    assert found.stage == stage
    assert found.used == Resources(lut=18011, ff=40222, dsp=205, bram18=5, uram=3)
    assert parse_timing(timing(state)).stage == stage


@pytest.mark.parametrize("state", ["Dreamt", "Partially Routed", "Unplaced", "Not synthesized"])
def test_unfinished_stage_wrong(state):
    with pytest.raises(ReportError, match=f"design state '{state}' is no finished stage"):
        parse_utilization(utilization(state))


FAMILIES = {
    "artix 2019.2": {"part": "7a100tcsg324-1", "version": "2019.2", "state": "Synthesized",
                     "lut": "Slice LUTs*", "ff": "Slice Registers", "prohibited": False},
    "kintex ultrascale 2018.1": {"part": "xcku115-flvb2104-2-i", "version": "2018.1",
                                 "state": "Fully Placed", "prohibited": False},
    "zynq ultrascale+ 2022.1": {"part": "xczu3eg-sbva484-1-e", "version": "2022.1",
                                "state": "Synthesized", "lut": "CLB LUTs*"},
    "virtex ultrascale+ 2024.1": {"part": "xcvu9p-flgb2104-2-e", "version": "2024.1",
                                  "state": "Physopt postRoute", "uram": "4"},
    "versal 2025.1": {"part": "xcvc1902-vsva2197-2MP-e-S", "version": "2025.1", "state": "Routed",
                      "ff": "Registers", "dsp": "DSP Slices", "uram": "4"},
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_utilization_of_every_family(family):
    about = FAMILIES[family]
    found = parse_utilization(family_utilization(**about))
    uram = int(about.get("uram", 0))
    assert found.used == Resources(lut=5012, ff=7300, dsp=21, bram18=13, uram=uram)
    assert (found.part, found.tool_version) == (about["part"], about["version"])


def test_used_is_read_by_the_name_of_its_column():
    text = utilization().replace("|  Used | Fixed |", "| Fixed |  Used |", 1)
    assert parse_utilization(text).used.lut == 0, "the second column is the one called Used"


def test_timing_met_and_missed():
    found = parse_timing(timing())
    assert (found.stage, found.worst_slack_ns, found.worst_hold_slack_ns) == (
        "post-route", 0.112, 0.021,
    )  # fmt: skip
    assert found.clock_period_ns == 2.78
    assert parse_timing(timing(wns="-0.250")).worst_slack_ns == -0.25
    older = "\n".join(line for line in timing().splitlines() if "Design State" not in line)
    assert parse_timing(older).stage is None


@pytest.mark.parametrize(
    "name", ["Worst-caseLatency", "LUT", "DSP", "Part", "EstimatedClockPeriod"]
)
def test_a_missing_number_of_the_xml_is_an_error(name):
    lines = [line for line in csynth_xml().splitlines() if f"<{name}>" not in line]
    with pytest.raises(ReportError, match=name):
        parse_csynth_xml("\n".join(lines))


def test_a_family_without_ultra_ram_uses_none_of_it():
    text = "\n".join(line for line in csynth_xml().splitlines() if "URAM" not in line)
    assert parse_csynth_xml(text).used.uram == 0


@pytest.mark.parametrize(
    ("parse", "text", "gone", "message"),
    [
        (parse_utilization, utilization(), "| CLB LUTs", "CLB LUTs"),
        (parse_utilization, utilization(), "| Block RAM Tile", "Block RAM Tile"),
        (parse_utilization, utilization(), "| DSPs", "DSPs"),
        (parse_utilization, utilization(), "| Design State", "Design State"),
        (parse_utilization, utilization(), "|", "no utilization report"),
        (parse_timing, timing(), "    WNS(ns)", "no timing summary"),
        (parse_timing, timing(), "ap_clk", "no clock with a period"),
    ],
)
def test_a_missing_line_of_the_text_is_an_error(parse, text, gone, message):
    kept = [line for line in text.splitlines() if gone not in line]
    assert len(kept) < len(text.splitlines())
    with pytest.raises(ReportError, match=message):
        parse("\n".join(kept))


@pytest.mark.parametrize("word", ["undef", "?"])
def test_undefined_latency_is_none_with_its_reason(word):
    found = parse_csynth_xml(csynth_xml(latency=word))
    assert (found.latency_max_cycles, found.latency_max_ns, found.ii_max_cycles) == (None, None, 43)
    reason = f"Worst-caseLatency as '{word}': a loop without a fixed number of turns"
    assert reason in found.reasons["latency_cycles"]


def test_other_texts_are_errors():
    with pytest.raises(ReportError, match="WNS as 'NA'"):
        parse_timing(timing(wns="NA"))
    with pytest.raises(ReportError, match="not XML"):
        parse_csynth_xml("ERROR: [HLS 200-70] Compilation failed")
    with pytest.raises(ReportError, match="LUT as 'many', which is no number"):
        parse_csynth_xml(csynth_xml().replace("<LUT>43200", "<LUT>many", 1))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("inside", [True, False])
def test_a_project_made_elsewhere_is_found(inside, tmp_path):
    run, config = RunFolder.create(tmp_path / "run"), HlsConfig()
    findings = Findings(run.root)
    vivado = config.model_copy(update={"backend": Backend.VIVADO})
    project = tmp_path / "run" / "hls_vivado" if inside else tmp_path / "elsewhere"
    assert hls_figures(run, config, findings) is None
    record_project(run, project, vivado)
    assert hls_figures(run, config, findings) is None, "there is a project, but no tool was run"
    write(csynth_report(project, config), csynth_xml())
    figures = hls_figures(run, config, findings)
    assert (figures.backend, figures.lut, figures.bram) == ("Vivado", 43200, 2)
    moved = RunFolder.open(run.root.rename(tmp_path / "moved"))
    assert hls_figures(moved, config, findings) == figures
    record_project(moved, moved.hls, config)
    assert hls_figures(moved, config, findings) is None, "the earlier project is not the run's now"
    assert findings.found == []
    moved.hls_project.write_text('{"folder": "hls"}')
    assert hls_figures(moved, config, findings) is None
    assert "does not say where the HLS project is" in findings.found[0].reason


def test_figures_are_those_of_the_latest_stage(tmp_path):
    config, findings = HlsConfig(), Findings(tmp_path)
    assert collect_vendor(tmp_path, config, findings) is None
    with pytest.raises(ReportError, match="no C-synthesis report"):
        write_vendor(tmp_path, config)
    write(csynth_report(tmp_path, config), csynth_xml())
    found = collect_vendor(tmp_path, config, findings)
    assert (found.stage, found.tool, found.lut) == ("C synthesis", "Vitis HLS", 43200)
    assert (found.latency_cycles, found.ii_cycles, found.bram) == (217, 43, 2)
    stage = found.stages[0]
    assert stage.percent_of_part["lut"] == pytest.approx(2.5)
    assert stage.percent_of_slr["lut"] == pytest.approx(10.0)
    write(tmp_path / "vivado_synth.rpt", utilization("Physopt postRoute"))
    write(tmp_path / "util.rpt", utilization())
    write(tmp_path / "timing.rpt", timing())
    found = collect_vendor(tmp_path, config, findings)
    assert (found.stage, found.tool, found.lut) == ("post-route", "Vivado", 18011)
    assert (found.latency_cycles, found.worst_slack_ns) == (217, 0.112)
    kinds = [s.kind for s in found.stages]
    assert kinds == ["C synthesis", "post-route", "post-synthesis", "post-route timing"]
    assert findings.found == []
    assert write_vendor(tmp_path, config)["lut"] == 18011


@pytest.mark.parametrize(
    ("reports", "slack", "hold"),
    [
        ({"vivado_impl_timing": ("Routed", "-0.5")}, -0.5, 0.021),
        ({"vivado_impl_timing": ("Routed", "-0.5"), "timing": ("Synthesized", "0.3")}, -0.5, 0.021),
        ({"vivado_synth_timing": ("Synthesized", "-0.3")}, -0.3, None),
        ({"vivado_impl_timing": ("Routed", "0.5"), "timing": ("Routed", "-0.1")}, -0.1, 0.021),
        ({"vivado_impl_timing": ("Routed", "0.5"), "timing": (None, "-0.2")}, -0.2, 0.021),
    ],
)
def test_the_slack_is_the_worst_of_the_latest_stage(tmp_path, reports, slack, hold):
    config, findings = HlsConfig(), Findings(tmp_path)
    write(csynth_report(tmp_path, config), csynth_xml())
    for name, (state, wns) in reports.items():
        lines = timing(state or "Routed", wns=wns).splitlines()
        kept = [line for line in lines if state or "Design State" not in line]
        write(tmp_path / f"{name}.rpt", "\n".join(kept))
    found = collect_vendor(tmp_path, config, findings)
    assert (found.worst_slack_ns, found.worst_hold_slack_ns) == (slack, hold)
    assert findings.found == []


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("vivado_synth.rpt", "killed", "no utilization report"),
        (
            "vivado_synth.rpt",
            utilization().replace("xcvu13p", "xcku115"),
            "it is about part xcku115",
        ),
        ("vivado_synth.rpt", utilization("Partially Placed"), "no finished stage"),
        ("timing.rpt", timing(wns="NA"), "WNS as 'NA'"),
        ("timing.rpt", timing(period="5.000"), "its clock has 5 ns, that of C synthesis 2.78 ns"),
    ],
)
def test_a_report_that_cannot_be_used_is_named_and_costs_nothing_else(tmp_path, name, text, reason):
    config, findings = HlsConfig(), Findings(tmp_path)
    write(csynth_report(tmp_path, config), csynth_xml())
    write(tmp_path / name, text)
    found = collect_vendor(tmp_path, config, findings)
    assert (found.stage, found.lut, found.worst_slack_ns) == ("C synthesis", 43200, None)
    (finding,) = findings.found
    assert (finding.stage, finding.path) == ("hls", name)
    assert reason in finding.reason


def test_text_in_another_encoding_is_read(tmp_path):
    config, findings = HlsConfig(), Findings(tmp_path)
    write(csynth_report(tmp_path, config), csynth_xml())
    text = utilization().replace("builder", "b\xfcro")
    (tmp_path / "vivado_synth.rpt").write_bytes(text.encode("latin-1"))
    assert collect_vendor(tmp_path, config, findings).stage == "post-synthesis"
