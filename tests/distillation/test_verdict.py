import re

import pytest

from l1met_fpga.distillation.verdict import verdict
from l1met_fpga.results.distillation import ArmResult, Effect
from l1met_fpga.results.metrics import WorkingPointInfo

POINT = WorkingPointInfo(key="lowest", title="26 kHz", rate_khz=26, replaces_khz=[])


def arm(value=None, error=0.01, *, control=False, luts=1000.0):
    effect = Effect(value=value, error=error, error_seeds=error, error_events=0.0)
    return ArmResult(
        teachers=(), control=control, seeds=(1, 2), luts=luts, zero_fraction=0.6, efficiency={},
        by_sample={}, difference=None if value is None else {"lowest": effect},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        (
            {"taught": arm(0.05), "shuffled": arm(0.0, control=True)},
            r"Teachers help at 26 kHz: taught is better .* \+0\.050 ± 0\.010; no control .*\(shuffled\)",
        ),
        (
            {"taught": arm(0.05), "shuffled": arm(0.045, control=True)},
            r"No gain by what teachers know .* but so is the control shuffled by \+0\.045",
        ),
        (
            {"taught": arm(0.015), "shuffled": arm(0.0, control=True)},
            r"No arm .* more than two errors.*differs by \+0\.015 ± 0\.010, so a gain above 0\.035",
        ),
        ({"taught": arm(-0.05)}, r"two errors at 26 kHz, worse by more than that: taught"),
        ({"taught": arm(0.001, luts=700.0)}, r"taught needs 30% fewer LUTs at equal efficiency"),
        ({"shuffled": arm(0.2, control=True)}, r"No arm with teachers could be measured"),
    ],
)
def test_what_is_said(arms, sentence):
    assert re.search(sentence, verdict({"plain": arm()} | arms, "plain", POINT))
