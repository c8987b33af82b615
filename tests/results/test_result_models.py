"""Models of the result files: stable keys, schemas, and what is refused."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from l1met_fpga.errors import ReportError
from l1met_fpga.metrics.resolution import FIGURES
from l1met_fpga.results.base import Measured, json_schema, read_result
from l1met_fpga.results.exactness import FORMS, BitExactness
from l1met_fpga.results.keys import look_up
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import Report
from l1met_fpga.tasks.met.task import TASK as MET

DOCS = Path(__file__).parents[2] / "docs"

STABLE = """
model sample training_events seed software
physics.gain_vs_puppi.u_par.value physics.gain_vs_puppi.u_par.error
physics.gain_vs_puppi.u_perp.value physics.gain_vs_puppi.u_perp.error
physics.gain_vs_scaled_puppi.u_par.value physics.gain_vs_scaled_puppi.u_perp.error
physics.loss_vs_float.u_par.value physics.loss_vs_float.u_perp.error
physics.trigger.*.*.*.efficiency physics.trigger.*.*.*.error physics.trigger.*.*.*.puppi
physics.trigger.*.*.*.per_type physics.trigger.*.*.*.table physics.trigger.*.*.*.threshold_gev
physics.trigger.*.*.*.difference.*.value physics.trigger.*.*.*.difference.*.error
physics.faults.*.rate_khz.network physics.faults.*.rate_khz.puppi physics.faults.*.rate_khz.table
physics.faults.*.rate_growth.network physics.faults.*.efficiency.table
physics.pileup_dependence physics.regions physics.tails physics.response_80_200
pruning.zero_weight_fraction pruning.per_layer lut_estimate
bit_exactness.*.events bit_exactness.*.outputs bit_exactness.*.differing
bit_exactness.*.largest_lsb
saturation.*.outputs saturation.*.saturated saturation.*.share
rtl.lanes rtl.ii_cycles rtl.latency_first_word_cycles rtl.latency_last_word_cycles
rtl.clock_period_ns rtl.lut rtl.ff rtl.dsp rtl.bram rtl.lut_estimate rtl.tool rtl.tool_version
rtl.part rtl.timing.tight_mhz rtl.timing.typical_mhz rtl.timing.congested_mhz
rtl.timing.worst_paths rtl_parallel.lut rtl_parallel.timing.typical_mhz
hls.backend hls.tool hls.tool_version hls.part hls.clock_period_ns hls.latency_cycles hls.ii_cycles
hls.lut hls.ff hls.dsp hls.bram hls.uram hls.stage
budget.passed budget.violations
"""


def places(schema: dict, root: dict) -> list[dict]:
    """Follow references and alternatives to the objects that a schema allows."""
    if "$ref" in schema:
        return places(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    options = schema.get("anyOf", ())
    return [place for option in options for place in places(option, root)] or [schema]


def below(schema: dict, name: str, root: dict) -> list[dict]:
    found = []
    for place in places(schema, root):
        if name == "*":
            more = place.get("additionalProperties")
            found += [more] if isinstance(more, dict) else []
            found += list(place.get("patternProperties", {}).values())
        elif name in place.get("properties", {}):
            found.append(place["properties"][name])
    return found


@pytest.mark.parametrize("key", STABLE.split())
def test_every_stable_key_is_in_the_schema_of_the_report(key):
    root = json_schema(Report)
    here = [root]
    for name in key.split("."):
        here = [inner for place in here for inner in below(place, name, root)]
        assert here, f"{name} of {key} is gone"


def test_every_key_named_in_the_docs_exists():
    root = json_schema(Report)
    text = (DOCS / "report.md").read_text()
    table = text[text.index("## Keys of report.json") : text.index("## Budgets")]
    names = [
        re.sub(r"\b[A-Z]+\b", "*", k) for k in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    ]
    assert len(names) > 10
    for key in (one for name in names for one in expand(name)):
        here = [root]
        for part in key.split("."):
            here = [inner for place in here for inner in below(place, part, root)]
            assert here, f"{part} of {key} is gone"


def expand(key: str) -> list[str]:
    """Write braces out: ``a.{b,c}`` is ``a.b`` and ``a.c``."""
    braces = re.search(r"\{([^{}]*)\}", key)
    if braces is None:
        return [key]
    start, end = key[: braces.start()], key[braces.end() :]
    return [one for word in braces[1].split(",") for one in expand(f"{start}{word}{end}")]


def test_the_file_has_every_figure_of_the_metrics_room():
    assert tuple(figure.name for figure in MET.figures) == FIGURES


@pytest.mark.parametrize("model", [Report, Metrics, BitExactness])
def test_schemas_are_schemas(model):
    jsonschema.Draft202012Validator.check_schema(json_schema(model))


@pytest.mark.parametrize("value", ["0.5", True, float("nan"), float("inf"), [0.5]])
def test_a_figure_is_a_number(value):
    with pytest.raises(ValueError, match="value"):
        Measured(value=value, error=None)


def test_reading_wrong(tmp_path):
    path = tmp_path / "bit_exactness.json"
    with pytest.raises(ReportError, match=r"no .*bit_exactness\.json; make it with `l1met check`"):
        read_result(BitExactness, path, made_by="l1met check")
    for text, message in (
        ("{", "is not JSON"),
        ("[]", "top level: Input should be an object"),
        ('{"int64": {"events": 1.5, "outputs": 2, "differing": 0, "largest_lsb": 0}}', "events"),
        ('{"int64": {"events": 1, "outputs": 2, "differing": -1, "largest_lsb": 0}}', "differing"),
    ):
        path.write_text(text)
        with pytest.raises(ReportError, match=message) as caught:
            read_result(BitExactness, path, made_by="l1met check")
        assert str(path) in str(caught.value)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ReportError, match="is not JSON"):
        read_result(BitExactness, path, made_by="l1met check")


def test_counts_stay_counts_in_the_file():
    check = {"events": 1, "outputs": 2, "differing": 0, "largest_lsb": 0, "events_per_second": 1.5}
    found = BitExactness.model_validate(dict.fromkeys(FORMS, check))
    kept = json.loads(json.dumps(found.root["int64"].agreement.model_dump()))
    assert kept == {"events": 1, "outputs": 2, "differing": 0, "largest_lsb": 0}


def test_look_up_finds_names_with_points():
    content = {"a": {"62.5kHz": {"b": 1}, "62": {"5kHz": 2}}, "none": None}
    assert look_up(content, "a.62.5kHz.b") == 1
    assert look_up(content, "a.62.5kHz") == {"b": 1}
    assert look_up(content, "a.x.y") is None
    assert look_up(content, "none.b") is None
