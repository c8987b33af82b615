"""The lines that end a command: what a reader would say of the same numbers."""

from pathlib import Path

import pytest
from networks import NETWORKS

from l1met_fpga.config.run import load_run, save_run
from l1met_fpga.report.collect import build_report
from l1met_fpga.report.headline import firmware_lines, physics_lines
from l1met_fpga.results.base import Measured
from l1met_fpga.results.exactness import FormAgreement
from l1met_fpga.results.firmware import RtlFigures
from l1met_fpga.results.metrics import (
    Efficiency,
    EstimateInfo,
    Metrics,
    Rates,
    Settings,
    Trigger,
    WorkingPointInfo,
)
from l1met_fpga.run_folder import RunFolder

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
        schema_version=2, primary=primary, samples={}, notes=[], resolution={}, baselines={},
        estimates={name: EstimateInfo(kind="network", title=name, form=None) for name in row},
        config=Settings({"gain_range_gev": [20.0, 150.0], "response_range_gev": [80.0, 200.0]}),
        rates=Rates(sample="pileup", events=12000, lowest_supported_khz=25.83, thresholds={},
                    working_points=info),
        trigger={"ttbar": Trigger(efficiency={k: found[k] for k in points}, turn_on={}, roc_area={})},
        network_weights=None,
    )  # fmt: skip


def test_the_gain_at_the_lowest_rate():
    row = {
        "puppi": cell(0.233),
        "table": cell(0.481),
        "deepset": cell(0.669, puppi=0.4366, table=0.188, deepset_float=-0.0204),
        "deepset_float": cell(0.689),
    }
    (line,) = physics_lines(figures(row))
    assert line == (
        "ttbar, genMET 100-150 GeV, 25.8 kHz (lowest supported): deepset keeps 0.669 of the events, "
        "2.9 x as many as PUPPI MET (0.233); +0.437 ± 0.037 to PUPPI, +0.188 ± 0.037 to the weight "
        "table, -0.020 ± 0.037 to its float twin"
    )


def test_what_was_not_measured_is_not_made_up():
    empty = cell(0.1).model_copy(update={"efficiency": None, "passed": None})
    (line,) = physics_lines(figures({"puppi": cell(0.0), "deepset": empty}))
    assert line.endswith("deepset: no threshold")
    (line,) = physics_lines(figures({"puppi": cell(0.0), "deepset": cell(0.5)}))
    assert line.endswith("deepset keeps 0.500 of the events")
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


def test_firmware_in_three_lines(report):
    agreement = FormAgreement(events=10, outputs=20, differing=0, largest_lsb=0)
    agreements = {"int64": agreement, "cmssw": None, "rtl_verilator": agreement}
    full = report.model_copy(update={"rtl": rtl(), "bit_exactness": agreements})
    exact, cost, budget = firmware_lines(full)
    assert exact == "bit-exact: 2 of 2 forms (int64, rtl_verilator)"
    assert cost == (
        "streaming RTL: 14,134 LUT (0.8 % of xcvu13p), 39 DSP; 26 clocks = 72 ns from the last word "
        "to px, py; an event every 43 clocks; 360 MHz, not routed"
    )
    assert budget == f"budget: {report.budget.summary}"
    wrong = agreements | {"cpp": agreement.model_copy(update={"differing": 3})}
    line = firmware_lines(full.model_copy(update={"bit_exactness": wrong}))[0]
    assert line == "NOT bit-exact: cpp of int64, rtl_verilator, cpp"


def test_what_is_not_there_is_said_with_the_command_that_makes_it(report):
    cost, _ = firmware_lines(report)
    assert cost.startswith("latency and LUTs are not known yet: `make rtl`")
    unknown = report.model_copy(update={"rtl": rtl(lut=None, lut_percent=None)})
    assert "no resources, the synthesis did not run; 26 clocks" in firmware_lines(unknown)[0]
    routed = report.model_copy(update={"rtl": rtl(worst_slack_ns=-0.012)})
    assert firmware_lines(routed)[0].endswith("360 MHz, routed, worst slack -0.012 ns")
