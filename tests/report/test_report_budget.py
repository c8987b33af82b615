"""Budgets: what was checked, what was not and why, and what `--check` and `--require` do with it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from require import require
from vendor_reports import csynth_xml, timing

from l1met_fpga.cli.app import main
from l1met_fpga.config.budget import BudgetConfig
from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.errors import ConfigError
from l1met_fpga.files import write_json
from l1met_fpga.firmware.hls.vendor import csynth_report
from l1met_fpga.report.budget import check_budget
from l1met_fpga.results.report import Figures
from l1met_fpga.run_folder import RunFolder

MODELS = Path(__file__).parents[2] / "models"
STAGES = ("physics", "pruning", "bit_exactness", "saturation", "rtl", "rtl_parallel", "hls")
RTL = {
    "lanes": 3, "ii_cycles": 43, "latency_first_word_cycles": 60, "latency_last_word_cycles": 17,
    "clock_period_ns": 2.78, "lut": 100, "ff": 90, "dsp": 6, "bram": 0.0, "lut_estimate": 110,
    "tool": "yosys", "tool_version": "0.50", "part": "xcvu13p-flga2577-2-e",
}  # fmt: skip


def content(**stages) -> dict:
    about = dict.fromkeys(("sample", "training_events", "seed", "software", *STAGES))
    return Figures.model_validate({"model": "m", **about, **stages}).model_dump()


def budget_of(found: dict, **settings):
    limits = {"at_most": {}, "at_least": {}, **settings}
    return check_budget(found, BudgetConfig(**limits))


def test_limits_in_both_directions():
    found = budget_of(
        content(rtl=RTL),
        at_most={"rtl.lut": 99, "rtl.ff": 90, "hls.lut": 5},
        at_least={"rtl.lut": 101},
    )
    assert [str(row) for row in found.violations] == [
        "rtl.lut = 100 (at most 99)", "rtl.lut = 100 (at least 101)",
    ]  # fmt: skip
    assert (found.limits, found.checked, found.passed) == (4, 3, False)
    assert found.summary == (
        "3 of 4 checked, 2 broken (rtl.lut = 100 (at most 99); rtl.lut = 100 (at least "
        "101)); not checked: hls.lut"
    )


def test_passed_is_said_only_when_everything_was_checked():
    limits = {"rtl.lut": 100, "rtl.ff": 100}
    assert budget_of(content(rtl=RTL), at_most=limits).passed is True
    found = budget_of(content(rtl=RTL), at_most={**limits, "hls.lut": 100})
    assert found.passed is None
    assert found.summary == "2 of 3 checked, none broken; not checked: hls.lut"
    assert budget_of(content()).summary == "no limits"


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("rtl.lut", "it was not built"),
        ("hls.lut", "no vendor tool was run"),
        ("physics.response_80_200", "it was not evaluated"),
        ("bit_exactness.hls_csim.events", "it was not checked"),
    ],
)
def test_every_stage_says_why_it_has_no_figures(key, reason):
    (row,) = budget_of(content(), at_least={key: 1}).unchecked
    assert row.key == key
    assert row.reason.startswith(reason)


def test_a_key_with_a_name_that_nothing_has_says_what_there_is():
    pruning = {"zero_weight_fraction": 0.5, "weights": 10, "per_layer": {"phi_0": 0.4}}
    (row,) = budget_of(content(pruning=pruning), at_least={"pruning.per_layer.phi_9": 1}).unchecked
    assert row.reason == "there is no 'phi_9' in pruning.per_layer (there are phi_0)"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("rtl.lutt", "did you mean 'rtl.lut'?"),
        ("rtll.lut", "did you mean 'rtl.lut'?"),
        ("hls.luts", "did you mean 'hls.lut'?"),
        ("physics.gain", "did you mean 'physics.gain_vs_puppi'?"),
        ("bit_exactness.hls_cism.differing", "did you mean 'bit_exactness.hls_csim.differing'?"),
        ("physics.gain_vs_puppi.u_par", "there are physics.gain_vs_puppi.u_par.value"),
        ("physics.trigger.ttbar.18Khz.100_150.efficiency", "'18Khz' is no name"),
        ("rtl.tool", "'rtl.tool' holds no number"),
        ("rtl.lut.most", "'rtl.lut' is a single value"),
        ("rtl", "'rtl' holds no number; there are rtl.lanes"),
    ],
)
def test_budget_key_wrong(key, near):
    with pytest.raises(ConfigError) as caught:
        load_run(MODELS / "deepset.yaml", {"budget.at_most": {key: 1}})
    assert f"{key!r} is no figure of report.json" in str(caught.value)
    assert near in str(caught.value)


def test_every_limit_of_the_shipped_models_is_a_key():
    for path in MODELS.glob("*.yaml"):
        load_run(path)


def test_a_rate_with_a_point_in_its_name():
    cell = dict.fromkeys(("error", "threshold_gev", "puppi", "per_type", "table"))
    cell |= {"rate_khz": 62.5, "efficiency": 0.5, "difference": {}}
    none = dict.fromkeys(f"gain_vs_{n}" for n in ("puppi", "scaled_puppi", "per_type", "table"))
    none |= dict.fromkeys(("loss_vs_float", "response_80_200"))
    physics = {**none, "trigger": {"ttbar": {"62.5kHz": {"above_150": cell}}}}
    key = "physics.trigger.ttbar.62.5kHz.above_150.efficiency"
    assert budget_of(content(physics=physics), at_least={key: 0.6}).violations[0].value == 0.5


@pytest.mark.parametrize("slack", ["worst_slack_ns", "worst_hold_slack_ns"])
def test_a_missed_clock_is_a_violation(slack):
    met = {"worst_slack_ns": 0.1, "worst_hold_slack_ns": 0.0}
    assert budget_of(content(rtl={**RTL, **met})).passed is True
    missed = content(rtl={**RTL, **met, slack: -0.8})
    assert [str(v) for v in budget_of(missed).violations] == [f"rtl.{slack} = -0.8 (at least 0)"]
    assert budget_of(missed, timing="ignore").violations == []


def make_run(tmp_path, budget, *, estimated="2.101", slack=None) -> RunFolder:
    run = RunFolder.create(tmp_path / "run")
    config = load_run(MODELS / "deepset.yaml", {"budget": budget})
    save_run(config, run.config)
    csynth = csynth_report(run.hls, config.hls)
    csynth.parent.mkdir(parents=True)
    csynth.write_text(csynth_xml(estimated=estimated))
    if slack is not None:
        (run.hls / "timing.rpt").write_text(timing(wns=slack))
    return run


def run_report(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["report", *map(str, arguments)])
    return int(stop.value.code or 0)


NONE = {"at_most": {}, "at_least": {}}


@pytest.mark.parametrize(
    ("figures", "code", "key"),
    [
        ({}, 0, None),
        ({"estimated": "3.912"}, 13, "hls.estimated_clock_period_ns = 3.912 (at most 2.78)"),
        ({"slack": "-0.812"}, 13, "hls.worst_slack_ns = -0.812 (at least 0)"),
        ({"estimated": "3.912", "slack": "0.1"}, 0, None),  # measured goes before estimated
    ],
)
def test_check_fails_when_the_clock_is_missed(tmp_path, capsys, figures, code, key):
    run = make_run(tmp_path, NONE, **figures)
    assert run_report(run.root, "--check") == code
    if key is not None:
        assert f"budget violated: {key}" in " ".join(capsys.readouterr().err.split())
        assert key in run.report("md").read_text()
    ignored = make_run(tmp_path / "ignored", {**NONE, "timing": "ignore"}, **figures)
    assert run_report(ignored.root, "--check") == 0


def test_a_broken_budget_is_said_everywhere_and_fails_the_check(tmp_path, capsys):
    run = make_run(tmp_path, {"at_most": {"hls.lut": 100, "rtl.lut": 100}, "at_least": {}})
    assert run_report(run.root) == 0, "without --check nothing fails"
    assert run_report(run.root, "--check") == 13
    said = capsys.readouterr()
    words = "2 of 3 checked, 1 broken"
    assert words in said.out
    assert "Not checked: rtl.lut (it was not built" in said.out
    assert "budget violated: hls.lut = 43200 (at most 100)" in said.err
    for suffix in ("md", "html", "json"):
        text = run.report(suffix).read_text()
        assert words in text
        assert "it was not built" in text
    budget = json.loads(run.report("json").read_text())["budget"]
    assert set(budget) == {
        "passed",
        "limits",
        "checked",
        "summary",
        "violations",
        "unchecked",
        "held",
    }
    assert (budget["passed"], budget["limits"], budget["checked"]) == (False, 3, 2)


def test_required_stages(tmp_path, capsys):
    run = make_run(tmp_path, {"at_most": {"rtl.lut": 100}, "at_least": {}})
    assert run_report(run.root, "--require", "hls") == 0
    assert run_report(run.root, "--check", "--require", "hls, rtl,physics") == 12
    said = capsys.readouterr().err
    assert "required, but without figures: rtl: it was not built" in said
    assert "physics: it was not evaluated" in said
    assert run_report(run.root, "--require", "rlt") == 2
    assert "--require takes stages of the report, got 'rlt'" in capsys.readouterr().err
    assert run_report(run.root, "--check", "--require", "") == 2, "an empty variable in a script"
    assert "--require takes stages of the report, got ''" in capsys.readouterr().err


def test_passed_is_not_said_by_the_exit_code_of_what_was_not_checked(tmp_path, capsys):
    """C synthesis ran, and its clock is a limit too; the other two are about stages that did not."""
    limits = {"at_most": {"rtl.lut": 9, "hls.lut": 50_000}, "at_least": {"rtl_parallel.dsp": 1}}
    run = make_run(tmp_path, limits)
    assert run_report(run.root) == 0
    assert run_report(run.root, "--check") == 15
    said = capsys.readouterr()
    assert "2 of 4 checked, none broken" in said.out
    assert said.err.splitlines()[-1] == (
        "error: 2 of 4 limits not checked: rtl.lut (it was not built (l1met synthesize --build)); "
        "rtl_parallel.dsp (it was not built (rtl.parallel: true and l1met synthesize --build)). "
        "Make these figures, or say what the run goes without (--without rtl,rtl_parallel)"
    )
    assert "Not checked: rtl.lut (it was not built" in run.report("md").read_text()
    assert run_report(run.root, "--check", "--without", "rtl") == 15
    assert "1 of 4 limits not checked: rtl_parallel.dsp" in capsys.readouterr().err
    assert run_report(run.root, "--check", "--without", "rtl, rtl_parallel") == 0
    # a stage that did run is held to its limits all the same
    write_json(make_folder(run.rtl) / "resources.json", {"streaming": RTL})
    assert run_report(run.root, "--check", "--without", "rtl,rtl_parallel") == 13


def test_a_missing_figure_of_a_stage_that_ran_is_not_excused(tmp_path, capsys):
    run = make_run(tmp_path, {"at_most": {"hls.latency_cycles": 54}, "at_least": {}})
    csynth_report(run.hls, load_run(run.config).hls).write_text(csynth_xml(latency="undef"))
    assert run_report(run.root, "--check", "--without", "hls") == 15
    said = capsys.readouterr().err.splitlines()[-1]
    assert "hls.latency_cycles (C synthesis gives Worst-caseLatency as 'undef'" in said
    assert said.endswith("Make these figures")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--without", "hls"], "--without is about what --check holds; give both"),
        (["--check", "--without", ""], "--without takes stages of the report, got ''"),
        (["--check", "--without", "hls,all"], "--without takes stages of the report, got 'all'"),
        (
            ["--check", "--without", "hls", "--require", "rtl,hls"],
            "hls: given with --require and with --without",
        ),
    ],
)
def test_without_wrong(tmp_path, capsys, options, sentence):
    assert run_report(make_run(tmp_path, NONE).root, *options) == 2
    assert sentence in capsys.readouterr().err


def make_folder(path):
    path.mkdir()
    return path


def test_a_file_that_cannot_be_used_fails_at_the_end_only(tmp_path, capsys):
    run = make_run(tmp_path, NONE)
    run.rtl.mkdir()
    (run.rtl / "resources.json").write_text("{")
    assert run_report(run.root, "--require", "rtl") == 12
    assert "rtl: rtl/resources.json: it is not JSON" in capsys.readouterr().err
    assert run_report(run.root) == 12
    assert "could not be used: rtl: rtl/resources.json" in capsys.readouterr().err
    assert json.loads(run.report("json").read_text())["hls"]["lut"] == 43200


def test_undefined_latency_is_null_with_a_reason(tmp_path, capsys):
    run = make_run(tmp_path, {"at_most": {"hls.latency_cycles": 54}, "at_least": {}})
    report = csynth_report(run.hls, load_run(run.config).hls)
    report.write_text(csynth_xml(latency="undef"))
    assert run_report(run.root, "--check") == 15
    assert "Not checked: hls.latency_cycles (C synthesis gives Worst-caseLatency as 'undef'" in (
        capsys.readouterr().out
    )
    hls = json.loads(run.report("json").read_text())["hls"]
    assert (hls["latency_cycles"], hls["lut"]) == (None, 43200)
    assert "a loop without a fixed number of turns" in run.report("html").read_text()


def test_the_shipped_budget_is_broken_by_a_larger_design(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    save_run(load_run(MODELS / "deepset.yaml"), run.config)
    run.rtl.mkdir()
    timed = {"typical_mhz": 400.0, "tight_mhz": 450.0, "congested_mhz": 300.0, "worst_paths": []}
    others = ("--without", "physics,pruning,hls,saturation")
    for lut, code in ((7_999, 0), (8_001, 13)):
        row = {**RTL, "lut": lut, "timing": timed}
        write_json(run.rtl / "resources.json", {"streaming": row})
        assert run_report(run.root, "--check", "--require", "rtl", *others) == code
        assert run_report(run.root, "--check") == (code or 15)


def test_the_pipeline_checks_the_budget():
    require("make", shutil.which("make") is not None, install="the pipeline is made of its targets")
    made = ["make", "--dry-run", "ci-report"]
    root = MODELS.parent
    said = subprocess.run(made, cwd=root, capture_output=True, text=True, check=True).stdout
    gate = "l1met report build/ci-run --check"
    assert f"{gate} --require physics,pruning,bit_exactness,rtl --without hls" in said
    for pipeline in (".gitlab-ci.yml", ".github/workflows/ci.yml"):
        assert "make ci-report" in (root / pipeline).read_text()
