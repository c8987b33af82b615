"""The lines that end a command: what a reader would say of the same numbers."""

from pathlib import Path

import pytest
from networks import NETWORKS

from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.report.collect import build_report
from l1met_fpga.report.headline import answers
from l1met_fpga.report.headline_physics import physics_answers
from l1met_fpga.report.side_by_side import difference_lines, luts_side_by_side
from l1met_fpga.results.base import Measured
from l1met_fpga.results.exactness import FormAgreement
from l1met_fpga.results.firmware import HlsFigures, HlsStage, RtlFigures
from l1met_fpga.results.metrics import (
    Efficiency,
    EstimateInfo,
    Metrics,
    Rates,
    Settings,
    Trigger,
    WorkingPointInfo,
)
from l1met_fpga.results.report import Violation
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import TASK as MET

MODELS = Path(__file__).parents[2] / "models"


def cell(efficiency, **differences):
    return Efficiency(
        efficiency=efficiency, low=efficiency, high=efficiency, error=0.02, passed=5, events=10,
        difference={k: Measured(value=v, error=0.0371) for k, v in differences.items()},
    )  # fmt: skip


def figures(row, *, primary="deepset", points=("310kHz", "lowest")):
    """Metrics of one sample at two rates, the same numbers at both."""
    khz = {"310kHz": 310.0, "lowest": 25.83}
    titles = {"310kHz": "310 kHz", "lowest": "25.8 kHz (lowest supported)"}
    info = [
        WorkingPointInfo(key=key, rate_khz=khz[key], replaces_khz=[], title=titles[key])
        for key in points
    ]
    other = {"100_150": dict.fromkeys(row, cell(0.5)), "above_150": dict.fromkeys(row, cell(0.5))}
    lowest = {"100_150": row, "above_150": dict.fromkeys(row, cell(0.5))}
    found = {"310kHz": other, "lowest": lowest}
    return Metrics(
        schema_version=3, words=MET.words, primary=primary, samples={}, notes=[], resolution={}, baselines={},
        estimates={name: EstimateInfo(kind="network", title=name, form=None) for name in row},
        config=Settings({"gain_range_gev": [20.0, 150.0], "response_range_gev": [80.0, 200.0]}),
        rates=Rates(sample="pileup", events=12000, lowest_supported_khz=25.83, thresholds={},
                    working_points=info),
        trigger={"ttbar": Trigger(efficiency={k: found[k] for k in points}, turn_on={}, roc_area={})},
        network_weights=None,
    )  # fmt: skip


def physics_lines(metrics, network=None):
    return [answer.line for answer in physics_answers(metrics, network)]


def test_the_gain_at_the_lowest_rate():
    row = {
        "puppi": cell(0.233),
        "table": cell(0.481),
        "deepset": cell(0.669, puppi=0.4366, table=0.188, deepset_float=-0.0204),
        "deepset_float": cell(0.689, puppi=-0.1),
    }
    line, worst = physics_lines(figures(row))
    assert worst.startswith("worst against the table: +5.1 sigma; +0.188 ± 0.037 in ttbar at ")
    assert line == (
        "ttbar at 25.8 kHz: 0.669; efficiency 2.9 times puppi's 0.233; +0.437 ± 0.037 to PUPPI; "
        "genMET 100-150 GeV; +0.188 ± 0.037 to the weight table; -0.020 ± 0.037 to its float twin"
    )
    assert physics_lines(figures(row), "deepset_float")[0].startswith("ttbar at 25.8 kHz: 0.689; ")


@pytest.mark.parametrize(("gain", "verdict"), [(0.04, "good"), (-0.04, "bad"), (0.03, "open")])
def test_a_gain_within_its_error_is_not_called_good(gain, verdict):
    (answer,) = physics_answers(figures({"puppi": cell(0.2), "deepset": cell(0.3, puppi=gain)}))
    assert answer.verdict == verdict


def test_what_was_not_measured_is_not_made_up():
    empty = cell(0.1).model_copy(update={"efficiency": None, "passed": None})
    (line,) = physics_lines(figures({"puppi": cell(0.0), "deepset": empty}))
    assert line == "ttbar at 25.8 kHz: no threshold; genMET 100-150 GeV"
    (line,) = physics_lines(figures({"puppi": cell(0.0), "deepset": cell(0.5)}))
    assert line == "ttbar at 25.8 kHz: 0.500; genMET 100-150 GeV"
    assert physics_lines(figures({"puppi": cell(0.2)}, primary=None)) == []
    assert physics_lines(figures({"deepset": cell(0.2)}, points=())) == []


@pytest.fixture
def report(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    save_run(load_run(MODELS / "deepset.yaml"), run.config)
    NETWORKS["deepset"]().save(run.network)
    return build_report(run)


def rtl(**changes):
    keys = {name: None for name, field in RtlFigures.model_fields.items() if field.is_required()}
    known = {
        "lut": 14134, "dsp": 39, "ii_cycles": 43, "latency_last_word_cycles": 26,
        "clock_period_ns": 2.78, "part": "xcvu13p-flga2577-2-e", "lut_percent": 0.818,
    }  # fmt: skip
    return RtlFigures(**(keys | known | changes))


def told(report):
    return {answer.topic: answer for answer in answers(report, None)}


def test_firmware_at_a_glance(report):
    agreement = FormAgreement(events=10, outputs=20, differing=0, largest_lsb=0)
    agreements = {"int64": agreement, "cmssw": None, "rtl_verilator": agreement}
    full = report.model_copy(update={"rtl": rtl(), "bit_exactness": agreements})
    found = told(full)
    assert [answer.line for answer in found.values()] == [
        "bit-exact: 2 of 2 forms; 0 of 40 outputs differ: int64, rtl_verilator",
        "efficiency: not evaluated; `l1met evaluate` does it",
        "streaming RTL: 14,134 LUT; 0.8 % of xcvu13p; 39 DSP",
        "latency: 72 ns; 26 clocks from the last word to the result; an event every 43 clocks",
        "clock: 360 MHz; not routed",
        (
            "budget: 1 of 11 checked, none broken; not checked: 6 of rtl, 1 of hls, 1 of saturation, "
            "2 of physics"
        ),
    ]
    assert found["clock"].verdict == "open"
    assert found["streaming RTL"].verdict == found["bit-exact"].verdict == "good"
    wrong = agreements | {"cpp": agreement.model_copy(update={"differing": 3})}
    exact = told(full.model_copy(update={"bit_exactness": wrong}))["bit-exact"]
    assert (exact.value, exact.verdict) == ("NO: cpp", "bad")


def test_what_is_not_there_is_said_with_the_command_that_makes_it(report):
    counted = told(report.model_copy(update={"lut_estimate": 10_119}))["LUTs, clocks, MHz"]
    assert (counted.value, counted.verdict) == ("about 10,100 LUT", "open")
    assert "counted from the design" in counted.note
    unknown = told(report.model_copy(update={"lut_estimate": None}))["LUTs, clocks, MHz"]
    assert (unknown.value, unknown.verdict) == ("not known yet", "open")
    assert unknown.note.startswith("`make rtl`")
    assert report.lut_estimate == round(sum(LoadedNetwork(NETWORKS["deepset"]()).luts.values()))
    found = told(report.model_copy(update={"rtl": rtl(lut=None, lut_percent=None)}))
    assert found["streaming RTL"].line == "streaming RTL: LUTs not known; the synthesis did not run"
    routed = told(report.model_copy(update={"rtl": rtl(worst_slack_ns=0.012)}))["clock"]
    assert (routed.note, routed.verdict) == ("routed, worst slack +0.012 ns", "good")


def test_what_a_change_costs_and_saves_is_one_line(report):
    found = figures({"wide": cell(0.6), "narrow": cell(0.55, wide=-0.05)}, primary="wide")
    counted = {
        name: report.model_copy(update={"lut_estimate": lut})
        for name, lut in (("wide", 10_000), ("narrow", 5_500))
    }
    assert difference_lines(found, counted) == [
        "narrow minus wide: ttbar -0.050 ± 0.037; LUT -45 %"
    ]
    assert luts_side_by_side({**counted, "wide": report.model_copy(update={"rtl": rtl()})}) == {
        "wide": report.lut_estimate, "narrow": 5_500,
    }  # fmt: skip
    unknown = {**counted, "narrow": report.model_copy(update={"lut_estimate": None})}
    assert difference_lines(found, unknown) == ["narrow minus wide: ttbar -0.050 ± 0.037"]


def test_a_broken_limit_marks_the_answer_that_it_is_about(report):
    broken = Violation(key="rtl.lut", value=20_000, limit=15_000, kind="at_most")
    budget = report.budget.model_copy(update={"violations": [broken], "passed": False})
    found = told(report.model_copy(update={"rtl": rtl(), "budget": budget}))
    assert found["streaming RTL"].verdict == found["budget"].verdict == "bad"
    assert found["latency"].verdict == "good"


def test_without_rtl_the_vendor_answers(report):
    stage = HlsStage(
        kind="post-route", tool="Vivado", tool_version="2024.1", part="xcvu13p-flga", lut=9000,
        percent_of_part={"lut": 0.52},
    )  # fmt: skip
    names = {name: None for name, field in HlsFigures.model_fields.items() if field.is_required()}
    hls = HlsFigures(**names | {
        "stage": "post-route", "lut": 9000, "dsp": 3, "latency_cycles": 40, "ii_cycles": 54,
        "clock_period_ns": 2.5, "worst_slack_ns": -0.1, "stages": [stage], "part": "xcvu13p-flga",
    })  # fmt: skip
    found = told(report.model_copy(update={"hls": hls}))
    assert found["HLS post-route"].line == "HLS post-route: 9,000 LUT; 0.5 % of xcvu13p; 3 DSP"
    assert found["latency"].line == "latency: 100 ns; 40 clocks; an event every 54 clocks"
    assert found["clock"].value == "400 MHz"
