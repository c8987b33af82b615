"""Comparison of two reports: directions, errors, thresholds, and what is not of one kind."""

import copy

import pytest

from l1met_fpga.cli.app import main
from l1met_fpga.errors import BudgetError, ConfigError, NotComparableError, ReportError
from l1met_fpga.files import write_json
from l1met_fpga.report.changes import (
    changes,
    compare,
    load_report,
    parse_thresholds,
    require_judged,
)
from l1met_fpga.report.comparison_text import comparison_lines, shortened
from l1met_fpga.report.side_by_side import training_notes
from l1met_fpga.results.report import Report

OLD = {
    "physics": {
        "gain_vs_puppi": {"u_par": {"value": 0.10, "error": 0.01}},
        "loss_vs_float": {"u_par": {"value": 0.01, "error": 0.002}},
        "trigger": {"ttbar": {"18kHz": {"100_150": {"efficiency": 0.5, "error": 0.03}}}},
    },
    "rtl": {"lut": 10_000, "ii_cycles": 43},
    "budget": {"passed": True},
}


def changed(**values: float | None) -> dict[str, str]:
    new = copy.deepcopy(OLD)
    for key, value in values.items():
        here = new
        *path, leaf = key.split("__")
        for part in path:
            here = here[part]
        here[leaf] = value
    return {row.key: (row.verdict, row.too_much) for row in changes(OLD, new)}


def test_same_report_has_no_change():
    assert set(changed().values()) == {("same", False)}


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        ("rtl__lut", 9_000, ("better", False)),
        ("rtl__lut", 10_400, ("worse (allowed)", False)),
        ("rtl__lut", 10_600, ("worse", True)),
        ("rtl__lut", None, ("not run", False)),
        ("rtl__ii_cycles", 44, ("worse", True)),
        ("physics__gain_vs_puppi__u_par__value", 0.07, ("worse (allowed)", False)),
        ("physics__gain_vs_puppi__u_par__value", 0.05, ("worse", True)),
        ("physics__gain_vs_puppi__u_par__value", 0.2, ("better", False)),
        ("physics__loss_vs_float__u_par__value", 0.03, ("worse", True)),
        ("physics__trigger__ttbar__18kHz__100_150__efficiency", 0.3, ("worse", True)),
        ("physics__trigger__ttbar__18kHz__100_150__efficiency", 0.45, ("worse (allowed)", False)),
    ],
)
def test_verdicts(key, value, verdict):
    assert changed(**{key: value})[key.replace("__", ".")] == verdict


def test_thresholds_can_be_typed():
    new = copy.deepcopy(OLD)
    new["rtl"]["lut"] = 10_400
    (row,) = [
        r for r in changes(OLD, new, parse_thresholds(["rtl.lut=0.02"])) if r.key == "rtl.lut"
    ]
    assert row.too_much
    assert row.change_text == "+400 (+4.0%)"


@pytest.mark.parametrize("text", ["rtl.lut", "rtl.lut=-1", "rtl.colour=0.1", "rtl.lut=much"])
def test_threshold_wrong(text):
    with pytest.raises(ConfigError, match="KEY=FRACTION"):
        parse_thresholds([text])


def test_missing_report_wrong(tmp_path):
    with pytest.raises(ReportError, match="make it with `l1met report`"):
        load_report(tmp_path)
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(ReportError, match=r"report\.json: model: Field required; make it again"):
        load_report(tmp_path)


def test_a_figure_that_is_not_measured_any_more_is_worse_only_in_a_check():
    new = copy.deepcopy(OLD)
    new["rtl"]["lut"] = None
    for check in (False, True):
        (row,) = [r for r in changes(OLD, new, missing_is_worse=check) if r.key == "rtl.lut"]
        assert (row.verdict, row.too_much) == ("not run", check)


HLS = {
    "backend": "Vitis", "tool": "Vitis HLS", "tool_version": "2024.1",
    "part": "xcvu13p-flga2577-2-e", "clock_period_ns": 2.78, "latency_cycles": 60, "ii_cycles": 33,
    "lut": 90000, "ff": 40000, "dsp": 50, "bram": 4, "uram": 0, "stage": "C synthesis",
}  # fmt: skip
RTL = {
    "lanes": 3, "ii_cycles": 43, "latency_first_word_cycles": 60, "latency_last_word_cycles": 16,
    "clock_period_ns": 2.78, "lut": 14000, "ff": 9000, "dsp": 39, "bram": 2, "lut_estimate": 12000,
    "tool": "yosys", "tool_version": "0.50", "part": "xcvu13p-flga2577-2-e", "kind": "open",
}  # fmt: skip
GAIN = {part: {"value": 0.1, "error": 0.01} for part in ("u_par", "u_perp")}
IDENTITY = {"sources": "0" * 32, "split_seed": 1, "part": "test"}
EVALUATED = {
    "ttbar": {"events": 500, "background": False, "identity": IDENTITY},
    "pileup": {"events": 900, "background": True, "identity": IDENTITY},
}
EXACT = {"events": 300, "outputs": 600, "differing": 0, "largest_lsb": 0}


def report(**parts) -> Report:
    gains = ("gain_vs_puppi", "gain_vs_scaled_puppi", "gain_vs_per_type", "gain_vs_table")
    physics = {**dict.fromkeys((*gains, "loss_vs_float")), "trigger": {}, "response_80_200": 0.8}
    lists = {"violations": [], "unchecked": []}
    content = {
        "model": "m", "sample": "ttbar, pileup", "training_samples": ["ttbar", "pileup"],
        "training_events": 1000, "seed": 1, "software": None, "evaluated": EVALUATED,
        "physics": {**physics, "gain_vs_puppi": GAIN}, "pruning": None,
        "bit_exactness": {"hls_csim": EXACT}, "rtl": RTL, "rtl_parallel": None, "hls": HLS,
        "budget": {"passed": True, "limits": 1, "checked": 1, "summary": "", **lists},
    }  # fmt: skip
    return Report.model_validate(content | parts)


def evaluated(label: str, **about) -> dict:
    return {**EVALUATED, label: {**EVALUATED[label], **about}}


UNLIKE = {
    "stage": (
        {"hls": {**HLS, "stage": "post-route", "tool": "Vivado", "lut": 45000}},
        "stage: C synthesis (estimate) against post-route (measured)",
        {"hls.lut", "hls.ff", "hls.dsp", "hls.bram", "hls.uram"},
    ),
    "part": (
        {"hls": {**HLS, "part": "xcku115-flvb2104-2-i", "clock_period_ns": 5.0}},
        "part: xcvu13p-flga2577-2-e against xcku115-flvb2104-2-i",
        {"hls.lut", "hls.ff", "hls.dsp", "hls.bram", "hls.uram", "hls.ii_cycles",
         "hls.latency_cycles"},
    ),
    "clock": (
        {"rtl": {**RTL, "clock_period_ns": 4.0, "lut": 12000}},
        "clock period ns: 2.78 against 4",
        {"rtl.ii_cycles", "rtl.latency_first_word_cycles", "rtl.latency_last_word_cycles",
         "rtl.lut", "rtl.ff", "rtl.dsp", "rtl.bram"},
    ),
    "tool": (
        {"rtl": {**RTL, "tool": "vivado", "kind": "post-route", "lut": 9000}},
        "kind: open (estimate) against post-route (measured)",
        {"rtl.lut", "rtl.ff", "rtl.dsp", "rtl.bram"},
    ),
    "training events": (
        {"training_events": 839_375},
        "training events: 1000 against 839375",
        {"physics.gain_vs_puppi.u_par.value", "physics.gain_vs_puppi.u_perp.value"},
    ),
    "events of the sample": (
        {"evaluated": evaluated("ttbar", identity={**IDENTITY, "split_seed": 2})},
        "split_seed 1, part test against",
        {"physics.gain_vs_puppi.u_par.value", "physics.gain_vs_puppi.u_perp.value"},
    ),
    "pile-up": (
        {"evaluated": evaluated("pileup", events=100)},
        "events: 900 against 100",
        {"physics.gain_vs_puppi.u_par.value", "physics.gain_vs_puppi.u_perp.value"},
    ),
    "only one says it": (
        {"evaluated": None},
        "sample",
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNLIKE)
def test_unlike_figures_are_shown_and_not_judged(case):
    parts, reason, keys = UNLIKE[case]
    for old, new in ((report(), report(**parts)), (report(**parts), report())):
        found = compare(old, new)
        unjudged = {row.key for row in found.changes if row.verdict == "not comparable"}
        assert keys <= unjudged
        assert not [row for row in found.changes if row.verdict in ("better", "worse")]
        if case == "only one says it":
            continue
        assert unjudged == keys
        assert {row.verdict for row in found.contexts} >= {"differs"}
        with pytest.raises(NotComparableError, match="were not judged: not comparable"):
            require_judged(found)
    assert reason in " ".join(compare(report(), report(**parts)).reasons) or not keys


def test_like_figures_are_judged():
    found = compare(report(), report(seed=2, hls={**HLS, "tool_version": "2025.1", "lut": 80000}))
    verdicts = {row.key: row.verdict for row in found.changes}
    assert verdicts["hls.lut"] == "better"
    assert found.reasons == []
    require_judged(found)
    differing = [row.key for row in found.contexts if not row.same]
    assert differing == ["seed", "hls.tool_version"]


def test_another_sample_beside_the_same_ones_changes_nothing():
    more = EVALUATED | {"wlnu": {"events": 10, "background": False, "identity": IDENTITY}}
    found = compare(report(), report(sample="ttbar, pileup, wlnu", evaluated=more))
    assert found.reasons == []


@pytest.mark.parametrize(("differing", "verdict"), [(0, "new"), (17, "worse")])
def test_a_form_that_only_the_new_report_has_is_judged_against_zero(differing, verdict):
    both = {"hls_csim": EXACT, "rtl_verilator": {**EXACT, "differing": differing}}
    found = compare(report(), report(bit_exactness=both))
    key = "bit_exactness.rtl_verilator.differing"
    assert {row.key: row.verdict for row in found.changes}[key] == verdict
    if differing:
        with pytest.raises(BudgetError, match=key):
            require_judged(found)


def run_compare(tmp_path, old: Report, new: Report, *options: str) -> int:
    write_json(tmp_path / "old.json", old.model_dump())
    write_json(tmp_path / "new.json", new.model_dump())
    paths = [str(tmp_path / name) for name in ("old.json", "new.json")]
    with pytest.raises(SystemExit) as stop:
        main(["report", "--compare", *paths, *options])
    return int(stop.value.code or 0)


def test_exit_codes_of_a_comparison(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    estimate, routed = report(), report(hls={**HLS, "stage": "post-route", "lut": 45000})
    assert run_compare(tmp_path, estimate, estimate) == 0
    assert run_compare(tmp_path, estimate, routed) == 14
    said = capsys.readouterr()
    assert "not comparable: stage: C synthesis (estimate) against post-route (measured)" in said.out
    assert "figures were not judged" in said.err
    assert said.out.index("made with") < said.out.index("\nhls\n") < said.out.index("  lut  ")
    worse = report(hls={**HLS, "stage": "post-route"}, rtl={**RTL, "lut": 20000})
    assert run_compare(tmp_path, estimate, worse) == 13
    gone = report(rtl=None)
    assert run_compare(tmp_path, estimate, gone) == 0
    assert run_compare(tmp_path, estimate, gone, "--check") == 13


def test_long_keys_stay_apart():
    start = "physics.trigger.ttbar"
    keys = [f"{start}.{rate}.100_150.efficiency" for rate in ("18kHz", "62kHz")]
    other = f"{start}.18kHz.above_150.difference.puppi.value"
    for width in range(8, 60):
        names = shortened([*keys, other, "rtl.lut"], width)
        assert len(set(names)) == 4
        assert names[3] == "rtl.lut"
        assert all(len(name) <= width or name in (*keys, other) for name in names)
    (name,) = shortened([other], 30)
    assert (len(name), name[:10], name[-11:]) == (30, "physics.tr", "puppi.value")


def test_runs_that_were_not_trained_alike_are_named():
    other = evaluated("ttbar", identity={**IDENTITY, "split_seed": 2})
    assert training_notes({"a": report(), "b": report(seed=2)}) == []
    notes = training_notes({"a": report(), "b": report(training_events=5, evaluated=other)})
    assert "a was trained on 1000 events of ttbar, pileup, b on 5 of ttbar, pileup" in notes[0]
    assert "split_seed 1 and 2): b may have been trained on events compared here" in notes[1]


def test_figures_fit_80_columns_and_stay_apart():
    cell = {"rate_khz": 62.0, "error": 0.01, "puppi": 0.2, "per_type": None, "table": 0.3}
    cell |= {"threshold_gev": 100.123456}

    def with_efficiency(value):
        measured = {name: {"value": value - 0.2, "error": 0.01} for name in ("puppi", "table")}
        one = {**cell, "efficiency": value, "difference": measured}
        bins = {"100_150": one, "above_150": one}
        physics = report().physics.model_dump()
        rates = {"18kHz": bins, "62kHz": bins}
        return report(physics={**physics, "trigger": {"ttbar": rates, "znunu": rates}})

    found = compare(with_efficiency(0.5123456), with_efficiency(0.4987654))
    lines = list(comparison_lines(found, width=80))
    figures = lines[1 + len(found.contexts) :]
    assert max(map(len, figures)) <= 80
    assert len(set(figures)) == 8 + 3 + 1, "eight groups of three rows that are alike, and the rest"
    assert "physics.trigger.znunu.62kHz.above_150" in figures
    assert not any("…" in line for line in figures)
