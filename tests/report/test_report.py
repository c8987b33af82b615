"""report.json, its budget, its Markdown twin, and what it does with damaged or missing files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from evaluation_samples import ESTIMATES, background, signal
from networks import NETWORKS
from run_records import ENVIRONMENT, write_training
from vendor_reports import csynth_xml, timing, utilization

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.errors import ReportError
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.files import write_json
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Dense
from l1met_fpga.report.collect import build_report
from l1met_fpga.report.findings import require_usable
from l1met_fpga.report.write import write_report
from l1met_fpga.results.exactness import FORMS
from l1met_fpga.results.metrics import Metrics, Settings
from l1met_fpga.results.metrics_file import save_metrics
from l1met_fpga.results.report import Gain
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import TASK as MET

MODELS = Path(__file__).parents[2] / "models"
AGREEMENT = {"events": 10, "outputs": 20, "differing": 0, "largest_lsb": 0}


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    config = EvaluationConfig(bootstrap_samples=5, rates_khz=(18.0, 310.0))
    return to_metrics(
        evaluate([signal(3000), background(2000)], MET, ESTIMATES, config, primary="net")
    )


STREAMING = {
    "lanes": 3, "ii_cycles": 43, "latency_first_word_cycles": 75, "latency_last_word_cycles": 33,
    "clock_period_ns": 2.78, "lut": 12000, "ff": 9000, "dsp": 6, "bram": 0.0, "lut_estimate": 11000,
    "tool": "yosys", "tool_version": "0.50", "part": "xcvu13p", "kind": "open synthesis", "more": 1,
}  # fmt: skip


def make_run(root: Path, metrics: Metrics | None = None) -> RunFolder:
    run = RunFolder.create(root)
    save_run(load_run(MODELS / "deepset.yaml"), run.config)
    write_json(run.environment, ENVIRONMENT)
    write_training(run.training, {"ttbar": {}, "pileup": {}})
    NETWORKS["deepset"]().save(run.network)
    if metrics is not None:
        save_metrics(metrics, run.metrics)
    return run


def test_stages_that_were_not_run_are_null(tmp_path):
    report = build_report(make_run(tmp_path / "run"))
    for stage in ("physics", "bit_exactness", "rtl", "rtl_parallel", "hls"):
        assert getattr(report, stage) is None
    assert report.model == "deepset"
    assert report.sample == "ttbar, pileup"
    assert (report.training_events, report.seed) == (123, 7)
    assert report.network == Network.load(tmp_path / "run" / "network.json").digest
    assert report.findings == []


def test_samples_of_a_training_that_lists_them(tmp_path):
    run = make_run(tmp_path / "run")
    samples = [{"label": label, "share": 0.5, "identity": {}} for label in ("wlnu", "pileup")]
    write_training(run.training, samples)
    report = build_report(run)
    assert report.training_samples == ["wlnu", "pileup"]
    assert report.sample == "wlnu, pileup"


def test_stable_keys_of_physics(tmp_path, metrics):
    physics = build_report(make_run(tmp_path / "run", metrics)).physics
    gains = metrics.resolution["ttbar"].gain["net"]
    assert physics.gain_vs_puppi == Gain(**gains["puppi"])
    assert physics.gain_vs_scaled_puppi == Gain(**gains["scaled_puppi"])
    assert physics.loss_vs_float.u_par.value == -gains["net_float"]["u_par"].value
    assert set(physics.trigger) == {"ttbar", "znunu", "vbf_hinv"}
    assert physics.trigger["znunu"] is None
    ttbar = physics.trigger["ttbar"]
    assert ttbar["18kHz"] is None  # 2000 pile-up-only events do not support it
    cell = ttbar["310kHz"]["100_150"]
    assert cell.efficiency > cell.puppi > 0
    assert cell.error > 0
    assert cell.threshold_gev == metrics.rates.thresholds["net"][1].threshold_gev
    assert cell.table is None  # was not evaluated
    assert ttbar["lowest"]["above_150"].rate_khz == pytest.approx(155.2, abs=0.1)
    assert physics.response_80_200 == pytest.approx(0.8, abs=0.02)


def test_response_of_another_range_does_not_get_the_key_of_80_to_200(tmp_path, metrics):
    config = Settings({**metrics.config.root, "response_range_gev": [100.0, 200.0]})
    run = make_run(tmp_path / "run", metrics.model_copy(update={"config": config}))
    physics = build_report(run).physics
    assert physics.response_80_200 is None
    assert "response_range_gev 100 to 200" in physics.reasons["response_80_200"]


def test_samples_are_called_as_what_was_evaluated(tmp_path, metrics):
    run = make_run(tmp_path / "run", renamed(metrics, "ttbar", "ttbar_v2"))
    report = build_report(run)
    assert report.sample == "ttbar_v2, pileup"
    assert report.training_samples == ["ttbar", "pileup"]
    assert report.evaluated["ttbar_v2"].events == 3000
    assert report.physics.trigger["ttbar"] is None
    assert report.physics.gain_vs_puppi is None
    (row,) = [row for row in report.budget.unchecked if "gain_vs_puppi.u_par" in row.key]
    assert row.reason == "no sample 'ttbar' was evaluated (there are ttbar_v2, pileup)"
    write_report(run)
    assert "| ttbar_v2 | 3000 |" in run.report("md").read_text()


def renamed(metrics: Metrics, old: str, new: str) -> Metrics:
    def swap(found: dict) -> dict:
        return {new if label == old else label: value for label, value in found.items()}

    parts = ("samples", "resolution", "trigger")
    return metrics.model_copy(update={part: swap(getattr(metrics, part)) for part in parts})


def test_zero_weights_are_counted_in_the_integer_network(tmp_path):
    run = make_run(tmp_path / "run")
    kernels = [
        np.array(node.kernel) for node in Network.load(run.network) if isinstance(node, Dense)
    ]
    found = build_report(run).pruning
    zeros, total = sum((k == 0).sum() for k in kernels), sum(k.size for k in kernels)
    assert found.zero_weight_fraction == pytest.approx(zeros / total)
    assert found.weights == total
    assert len(found.per_layer) == len(kernels)


def test_bit_exactness_of_every_form(tmp_path):
    run = make_run(tmp_path / "run")
    write_json(run.bit_exactness, {"int64": AGREEMENT, "hls_csim": {**AGREEMENT, "differing": 3}})
    report = build_report(run)
    assert report.bit_exactness["int64"].model_dump() == AGREEMENT
    assert list(report.bit_exactness) == list(FORMS)
    assert report.bit_exactness["rtl_verilator"] is None
    assert report.budget.passed is False
    assert report.budget.violations[0].key == "bit_exactness.hls_csim.differing"


@pytest.mark.parametrize(
    ("name", "content", "stage", "reason"),
    [
        ("bit_exactness.json", "{", "bit_exactness", "is not JSON"),
        ("bit_exactness.json", '{"int64": {"events": 1}}', "bit_exactness", "int64.outputs: "),
        ("rtl/resources.json", "{", "rtl", "it is not JSON"),
        ("rtl/resources.json", "[]", "rtl", "it holds no JSON object"),
        ("rtl/resources.json", '{"streaming": {"lut": 1}}', "rtl", "it lacks lanes, ii_cycles"),
        ("rtl/resources.json", '{"streaming": 5}', "rtl", "are no JSON object"),
        (
            "rtl/resources.json",
            json.dumps({"streaming": STREAMING | {"clock_period_ns": 0}}),
            "rtl",
            "greater than 0",
        ),
        ("metrics.json", "{", "physics", "make it again with `l1met evaluate`"),
        ("metrics.json", '{"schema_version": 3}', "physics", "words: Field required"),
        ("network.json", "{}", "pruning", "name"),
        (
            "training.json",
            '{"model": 5}',
            "training_events",
            "model: Input should be a valid string",
        ),
        ("environment.json", "\x00", "software", "is not JSON"),
        ("environment.json", '{"command": "", "seed": 1, "python": "3"}', "software", "software: "),
        ("hls_project.json", "{}", "hls", "does not say where the HLS project is"),
    ],
)
def test_a_damaged_file_is_named_and_costs_only_its_own_figures(
    tmp_path, name, content, stage, reason
):
    run = make_run(tmp_path / "run")
    run.rtl.mkdir()
    (run.root / name).write_text(content)
    report = write_report(run).report
    found = next(found for found in report.findings if found.stage == stage)
    assert found.path == name
    assert reason in found.reason
    assert getattr(report, stage, None) is None
    assert json.loads(run.report("json").read_text()) == report.model_dump()
    for suffix in ("md", "html"):
        assert name in run.report(suffix).read_text()
    with pytest.raises(ReportError, match=f"could not be used: {stage}: {name}"):
        require_usable(report.findings)


def test_figures_of_another_network_are_refused(tmp_path, metrics):
    run = make_run(tmp_path / "run")
    mine = Network.load(run.network).digest
    check = {**AGREEMENT, "differing": 4, "network": "0" * 16}
    write_json(run.bit_exactness, {"int64": {**AGREEMENT, "network": mine}, "hls_csim": check})
    estimates = dict(metrics.estimates)
    estimates["net"] = estimates["net"].model_copy(update={"network": "f" * 16})
    save_metrics(metrics.model_copy(update={"estimates": estimates}), run.metrics)
    csynth = csynth_report(run.hls, load_run(run.config).hls)
    csynth.parent.mkdir(parents=True)
    csynth.write_text(csynth_xml())
    NETWORKS["garnet"]().save(run.hls / "network.json")
    report = build_report(run)
    assert report.bit_exactness["int64"].events == 10
    assert report.bit_exactness["hls_csim"] is None
    assert report.physics is None
    assert report.hls is None
    reasons = {found.stage: found.reason for found in report.findings}
    assert set(reasons) == {"bit_exactness", "physics", "hls"}
    assert all(f"is '{mine}'" in reason for reason in reasons.values())
    estimates["net"] = estimates["net"].model_copy(update={"network": mine})
    save_metrics(metrics.model_copy(update={"estimates": estimates}), run.metrics)
    assert build_report(run).physics is not None


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


def test_rtl_figures_and_their_budget(tmp_path):
    run = make_run(tmp_path / "run")
    run.rtl.mkdir()
    write_json(run.rtl / "resources.json", {"streaming": STREAMING, "parallel": None})
    report = write_report(run).report
    kept = {key: value for key, value in STREAMING.items() if key != "more"}
    assert report.rtl.model_dump(exclude_none=True) == kept
    assert report.rtl_parallel is None
    assert "rtl.ii_cycles" not in [row.key for row in report.budget.unchecked]
    before = report.budget.violations
    text = run.report("md").read_text()
    assert "| latency last word (ns) | 91.7 |" in text
    write_json(run.rtl / "resources.json", {"streaming": {**STREAMING, "ii_cycles": 60}})
    over = build_report(run).budget.violations
    new = [violation.model_dump() for violation in over if violation not in before]
    assert new == [{"key": "rtl.ii_cycles", "value": 60, "limit": 54.0, "kind": "at_most"}]


def test_every_vendor_stage_is_shown_with_its_shares(tmp_path):
    run = make_run(tmp_path / "run")
    target = csynth_report(run.hls, load_run(run.config).hls)
    target.parent.mkdir(parents=True)
    target.write_text(csynth_xml())
    (run.hls / "vivado_synth.rpt").write_text(utilization())
    (run.hls / "timing.rpt").write_text(timing())
    report = write_report(run).report
    kinds = [stage.kind for stage in report.hls.stages]
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
    found = build_report(run).hls
    text = source.read_text()
    assert found.lut == int(re.search(r"<Resources>.*?<LUT>(\d+)</LUT>", text, re.DOTALL)[1])
    assert found.latency_cycles == int(
        re.search(r"<Worst-caseLatency>(\d+)</Worst-caseLatency>", text)[1]
    )
    assert found.stage == "C synthesis"
    (synthesis,) = [p for p in reports.rglob("*.rpt") if "Site Type" in p.read_text()]
    (run.hls / "vivado_synth.rpt").write_text(synthesis.read_text())
    assert build_report(run).hls.stage == "post-synthesis"
