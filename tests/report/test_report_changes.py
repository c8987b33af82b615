"""Comparison of two reports: directions, errors, thresholds."""

import copy

import pytest

from l1met_fpga.errors import ConfigError, ReportError
from l1met_fpga.report.changes import changes, load_report, parse_thresholds

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
        ("rtl__lut", None, ("gone", True)),
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
    with pytest.raises(ReportError, match="'model' is a required property"):
        load_report(tmp_path)
