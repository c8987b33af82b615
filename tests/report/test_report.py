"""report.json, its budget, its Markdown twin, and what it does with damaged or missing files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, signal
from networks import NETWORKS
from vendor_reports import csynth_xml, timing, utilization

from l1met_fpga.config.budget import BudgetConfig
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.errors import ConfigError, ReportError
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_file import save_metrics, to_metrics
from l1met_fpga.files import write_json
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.models.network import Dense
from l1met_fpga.report.budget import check_budget, value_at
from l1met_fpga.report.collect import build_report
from l1met_fpga.report.write import write_report
from l1met_fpga.run_folder import RunFolder

MODELS = Path(__file__).parents[2] / "models"
AGREEMENT = {"events": 10, "outputs": 20, "differing": 0, "largest_lsb": 0}


@pytest.fixture(scope="module")
def metrics() -> dict:
    config = EvaluationConfig(bootstrap_samples=5, rates_khz=(18.0, 310.0))
    return to_metrics(evaluate([signal(3000), background(2000)], ESTIMATES, config, primary="net"))


def make_run(root: Path, metrics: dict | None = None) -> RunFolder:
    run = RunFolder.create(root)
    save_run(load_run(MODELS / "deepset.yaml"), run.config)
    write_json(
        run.environment, {"seed": 7, "software": {"numpy": "2"}, "git": {"commit": "a" * 40}}
    )
    write_json(run.training, {"training_events": 123, "samples": {"ttbar": {}, "pileup": {}}})
    NETWORKS["deepset"]().save(run.network)
    if metrics is not None:
        save_metrics(metrics, run.metrics)
    return run


def test_stages_that_were_not_run_are_null(tmp_path):
    report = build_report(make_run(tmp_path / "run"))
    for stage in ("physics", "bit_exactness", "rtl", "rtl_parallel", "hls"):
        assert report[stage] is None
    assert report["model"] == "deepset"
    assert report["sample"] == "ttbar, pileup"
    assert (report["training_events"], report["seed"]) == (123, 7)
    assert report["budget"]["passed"]
    assert "rtl.ii_cycles" in report["budget"]["not_checked"]


def test_stable_keys_of_physics(tmp_path, metrics):
    physics = build_report(make_run(tmp_path / "run", metrics))["physics"]
    gains = metrics["resolution"]["ttbar"]["gain"]["net"]
    assert physics["gain_vs_puppi"] == gains["puppi"]
    assert physics["gain_vs_scaled_puppi"] == gains["scaled_puppi"]
    assert physics["loss_vs_float"]["u_par"]["value"] == -gains["net_float"]["u_par"]["value"]
    assert set(physics["trigger"]) == {"ttbar", "znunu", "vbf_hinv"}
    assert physics["trigger"]["znunu"] is None
    ttbar = physics["trigger"]["ttbar"]
    assert ttbar["18kHz"] is None  # 2000 pile-up-only events do not support it
    cell = ttbar["310kHz"]["100_150"]
    assert cell["efficiency"] > cell["puppi"] > 0
    assert cell["error"] > 0
    assert cell["threshold_gev"] == metrics["rates"]["thresholds"]["net"][1]["threshold_gev"]
    assert cell["table"] is None  # was not evaluated
    assert ttbar["lowest"]["above_150"]["rate_khz"] == pytest.approx(155.2, abs=0.1)
    assert physics["response_80_200"] == pytest.approx(0.8, abs=0.02)


def test_zero_weights_are_counted_in_the_integer_network(tmp_path):
    run = make_run(tmp_path / "run")
    from l1met_fpga.models.network import Network

    kernels = [
        np.array(node.kernel) for node in Network.load(run.network) if isinstance(node, Dense)
    ]
    found = build_report(run)["pruning"]
    zeros, total = sum((k == 0).sum() for k in kernels), sum(k.size for k in kernels)
    assert found["zero_weight_fraction"] == pytest.approx(zeros / total)
    assert found["weights"] == total
    assert len(found["per_layer"]) == len(kernels)


def test_bit_exactness_of_every_form(tmp_path):
    run = make_run(tmp_path / "run")
    write_json(run.bit_exactness, {"int64": AGREEMENT, "hls_csim": {**AGREEMENT, "differing": 3}})
    report = build_report(run)
    assert report["bit_exactness"]["int64"] == AGREEMENT
    assert report["bit_exactness"]["cmssw"] is None
    assert not report["budget"]["passed"]
    assert report["budget"]["violations"][0]["key"] == "bit_exactness.hls_csim.differing"


def test_damaged_files_wrong(tmp_path):
    run = make_run(tmp_path / "run")
    run.bit_exactness.write_text("{")
    with pytest.raises(ReportError, match="is not JSON"):
        build_report(run)
    write_json(run.bit_exactness, {"int64": {"events": 1}})
    with pytest.raises(ReportError, match="'int64' lacks outputs, differing"):
        build_report(run)


def test_budget_limits():
    report = {"rtl": {"lut": 100, "ff": None}, "hls": None, "bit_exactness": None}
    budget = BudgetConfig(at_most={"rtl.lut": 99, "hls.lut": 5}, at_least={"rtl.lut": 101})
    found = check_budget(report, budget)
    assert [(v["key"], v["kind"]) for v in found["violations"]] == [
        ("rtl.lut", "at_most"), ("rtl.lut", "at_least"),
    ]  # fmt: skip
    assert found["not_checked"] == ["hls.lut"]
    assert value_at(report, "rtl.ff") is None
    assert check_budget(report, BudgetConfig(at_most={"rtl.lut": 100}))["passed"]


def test_budget_key_wrong(tmp_path):
    with pytest.raises(ConfigError, match=r"'rtll\.lut' is no key of report\.json"):
        load_run(MODELS / "deepset.yaml", {"budget.at_most": {"rtll.lut": 1}})


def test_markdown_has_the_same_numbers(tmp_path, metrics):
    run = make_run(tmp_path / "run", metrics)
    write_report(run)
    text = run.report("md").read_text()
    cell = json.loads(run.report("json").read_text())["physics"]["trigger"]["ttbar"]["310kHz"]
    assert f"{cell['100_150']['efficiency']:.3f} [" in text
    assert "18 kHz not supported by 2000 pile-up-only events" in text
    assert "No firmware was built." in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 50


def test_every_markdown_table_is_rectangular(tmp_path, metrics):
    run = make_run(tmp_path / "run", metrics)
    write_report(run)
    width = 0
    for line in run.report("md").read_text().splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.replace("\\|", "").rstrip().count("|")
        assert width in (0, cells), line
        width = cells


STREAMING = {
    "lanes": 3, "ii_cycles": 43, "latency_first_word_cycles": 75, "latency_last_word_cycles": 33,
    "clock_period_ns": 2.78, "lut": 12000, "ff": 9000, "dsp": 6, "bram": 0.0, "lut_estimate": 11000,
    "tool": "yosys", "tool_version": "0.50", "part": "xcvu13p", "kind": "open synthesis", "more": 1,
}  # fmt: skip


def test_rtl_figures_and_their_budget(tmp_path):
    run = make_run(tmp_path / "run")
    run.rtl.mkdir()
    write_json(run.rtl / "resources.json", {"streaming": STREAMING, "parallel": None})
    report = write_report(run)
    assert report["rtl"] == {key: value for key, value in STREAMING.items() if key != "more"}
    assert report["rtl_parallel"] is None
    assert "rtl.ii_cycles" not in report["budget"]["not_checked"]
    before = report["budget"]["violations"]
    text = run.report("md").read_text()
    assert "| latency last word [ns] | 91.7 |" in text
    write_json(run.rtl / "resources.json", {"streaming": {**STREAMING, "ii_cycles": 60}})
    over = build_report(run)["budget"]["violations"]
    new = [violation for violation in over if violation not in before]
    assert new == [{"key": "rtl.ii_cycles", "value": 60.0, "limit": 54.0, "kind": "at_most"}]


def test_rtl_figures_wrong(tmp_path):
    run = make_run(tmp_path / "run")
    run.rtl.mkdir()
    (run.rtl / "resources.json").write_text("{")
    with pytest.raises(ReportError, match="is not JSON"):
        build_report(run)
    lacking = {key: value for key, value in STREAMING.items() if key != "lut"}
    write_json(run.rtl / "resources.json", {"streaming": lacking})
    with pytest.raises(ReportError, match="lacks lut"):
        build_report(run)


def test_every_vendor_stage_is_shown_with_its_shares(tmp_path):
    run = make_run(tmp_path / "run")
    target = csynth_report(run.hls, load_run(run.config).hls)
    target.parent.mkdir(parents=True)
    target.write_text(csynth_xml())
    (run.hls / "vivado_synth.rpt").write_text(utilization())
    (run.hls / "timing.rpt").write_text(timing())
    report = write_report(run)
    kinds = [stage["kind"] for stage in report["hls"]["stages"]]
    assert kinds == ["C synthesis", "post-synthesis", "post-route timing"]
    rows = [line for line in run.report("md").read_text().splitlines() if line.startswith("| ")]
    row = {kind: next(r for r in rows if r.startswith(f"| {kind} ")) for kind in kinds}
    assert "43200 (2.5 %, 10.0 %)" in row["C synthesis"]
    assert "Vitis HLS" in row["C synthesis"]
    assert "18011 (1.0 %, 4.2 %)" in row["post-synthesis"]
    assert "xcvu13p" in row["post-route timing"]
    assert "HLS stages" in run.report("html").read_text()


def test_vendor_report_of_a_real_project(reference_data, tmp_path):
    run = make_run(tmp_path / "run")
    config = load_run(run.config).hls
    reports = reference_data / "vendor_reports" / "vivado_hls"
    (source,) = reports.rglob("*_csynth.xml")
    target = csynth_report(run.hls, config)
    target.parent.mkdir(parents=True)
    target.write_text(source.read_text())
    found = build_report(run)["hls"]
    text = source.read_text()
    assert found["lut"] == int(re.search(r"<Resources>.*?<LUT>(\d+)</LUT>", text, re.DOTALL)[1])
    assert found["latency_cycles"] == int(
        re.search(r"<Worst-caseLatency>(\d+)</Worst-caseLatency>", text)[1]
    )
    assert found["stage"] == "C synthesis"
    (synthesis,) = [p for p in reports.rglob("*.rpt") if "Site Type" in p.read_text()]
    (run.hls / "vivado_synth.rpt").write_text(synthesis.read_text())
    assert build_report(run)["hls"]["stage"] == "post-synthesis"
