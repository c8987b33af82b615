"""What the evaluation of MET says about made-up samples: every figure of ``metrics.json``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation_samples import ESTIMATES, background, signal

from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.evaluation.evaluation import evaluate
from l1met_fpga.evaluation.metrics_content import to_metrics
from l1met_fpga.tasks.met.task import TASK as MET

GOLDEN_FIGURES = Path(__file__).with_name("figures.json")
CONFIG = EvaluationConfig(bootstrap_samples=20, rates_khz=(18.0, 310.0))


def measure_figures() -> dict[str, Any]:
    """Return resolution, rates and trigger figures, as the file holds them."""
    samples = [signal(2000), background(4000)]
    found = to_metrics(evaluate(samples, MET, ESTIMATES, CONFIG, primary="net")).model_dump()
    return {part: found[part] for part in ("resolution", "rates", "trigger", "notes")}


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with the place where it stands."""
    if isinstance(content, dict):
        for key, inner in content.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, content
