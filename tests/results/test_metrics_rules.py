"""Parts of ``metrics.json`` that do not fit together are named."""

import json

import pytest
from evaluation_samples import ESTIMATES, background, signal

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_rules import require_agreement
from l1met_fpga.tasks.met.task import TASK as MET


@pytest.fixture
def content():
    settings = EvaluationConfig(bootstrap_samples=2, rates_khz=(310.0,))
    found = evaluate([signal(600), background(600)], MET, ESTIMATES, settings, primary="net")
    return to_metrics(found).model_dump(mode="json")


def parsed(content):
    return Metrics.model_validate_json(json.dumps(content))


@pytest.mark.parametrize("kind", ["binned", "inclusive"])
def test_an_estimate_without_a_width_is_named(content, kind):
    require_agreement(parsed(content))
    (sample,) = content["resolution"]
    del content["resolution"][sample][kind]["estimates"]["net"]["parallel_over_slope_gev"]
    with pytest.raises(ValueError, match="does not agree") as caught:
        require_agreement(parsed(content))
    assert (
        f"resolution.{sample}.{kind}.net does not agree with the rest of the file on "
        "['parallel_over_slope_gev']"
    ) in str(caught.value)
