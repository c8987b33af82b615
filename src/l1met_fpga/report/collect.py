"""``report.json``: the stable keys that other programs read, from whatever a run folder holds.

A stage that was not run is ``null``, never 0; so is one whose files cannot be used, which the
report names.
"""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConversionError, ReportError
from l1met_fpga.identity import require_same
from l1met_fpga.models.network import Network
from l1met_fpga.models.nodes import Dense
from l1met_fpga.report.budget import check_budget
from l1met_fpga.report.findings import Findings
from l1met_fpga.report.firmware import (
    bit_exactness,
    hls_figures,
    hls_words_figures,
    rtl_figures,
    saturation,
)
from l1met_fpga.report.physics import evaluated_samples, physics_figures
from l1met_fpga.results.base import read_result
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_file import load_metrics
from l1met_fpga.results.report import Figures, Pruning, Report
from l1met_fpga.results.run import Environment, TrainingSummary
from l1met_fpga.run_folder import RunFolder

__all__ = ["Collected", "build_report", "collect"]

logger = logging.getLogger(__name__)

Content = TypeVar("Content", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Collected:
    """A report and what its tables need besides.

    Attributes:
        report: Content of ``report.json``.
        metrics: Content of ``metrics.json``, if there is a usable one.
        commit: Git commit of the training, where it was recorded.
    """

    report: Report
    metrics: Metrics | None
    commit: str | None


def build_report(run: RunFolder) -> Report:
    """Collect the content of ``report.json``, see :func:`collect`."""
    return collect(run).report


def collect(run: RunFolder) -> Collected:
    """Collect what a run folder holds; a file that cannot be used becomes a finding.

    Raises:
        ConfigError: If the run's configuration is not allowed.
        RunFolderError: If the run was not trained.
    """
    config = load_run(run.need(run.config, made_by="l1met train"))
    findings = Findings(run.root)
    about = findings.read("software", run.environment, _reader(Environment))
    training = findings.read("training_events", run.training, _reader(TrainingSummary))
    labels = [] if training is None else [sample.label for sample in training.samples]
    network = findings.read("pruning", run.network, Network.load)
    digest = network.digest if network is not None else None
    metrics = findings.read("physics", run.metrics, lambda path: _metrics_of(path, digest))
    evaluated = None if metrics is None else evaluated_samples(metrics)
    rtl = rtl_figures(run, findings, parallel=False)
    figures = Figures(
        model=config.model.name,
        sample=", ".join(evaluated or labels) or None,
        training_samples=labels,
        training_events=None if training is None else training.training_events,
        seed=None if about is None else about.seed,
        software=None if about is None else about.software,
        network=digest,
        evaluated=evaluated,
        physics=None if metrics is None else physics_figures(metrics),
        pruning=None if network is None else _pruning(network),
        bit_exactness=bit_exactness(run, digest, findings),
        saturation=saturation(run, digest, findings),
        lut_estimate=_luts(network, config.rtl) if rtl is None else rtl.lut_estimate,
        rtl=rtl,
        rtl_parallel=rtl_figures(run, findings, parallel=True),
        hls=hls_figures(run, config.hls, findings),
        hls_words=hls_words_figures(run, config.hls, findings),
        findings=findings.found,
    )
    report = Report(**dict(figures), budget=check_budget(figures.model_dump(), config.budget))
    return Collected(report, metrics, about.git.commit if about and about.git else None)


def _reader(model: type[Content]) -> Callable[[Path], Content]:
    return functools.partial(read_result, model, made_by="l1met train")


def _metrics_of(path: Path, digest: str | None) -> Metrics:
    """Read the figures of this network; those of another one are refused."""
    metrics = load_metrics(path)
    evaluated = None if metrics.primary is None else metrics.estimates[metrics.primary].network
    if evaluated is not None and digest is not None:
        require_same(
            {"network": evaluated},
            {"network": digest},
            what=str(path),
            next_step="Evaluate this network with `l1met evaluate`",
            error=ReportError,
        )
    return metrics


def _luts(network: Network | None, config: RtlConfig) -> int | None:
    """Count the LUTs of the streaming firmware from its design, which takes a second."""
    from l1met_fpga.firmware.rtl.design import build_design
    from l1met_fpga.firmware.rtl.estimate import luts_by_node

    if network is None:
        return None
    try:
        return round(sum(luts_by_node(build_design(network, config)).values()))
    except ConversionError as err:
        logger.info("LUTs are not counted: %s", err)
        return None


def _pruning(network: Network) -> Pruning:
    """Return fractions of zero codes in the quantized kernels (biases do not count)."""
    kernels = {
        node.name: [code for row in node.kernel for code in row]
        for node in network
        if isinstance(node, Dense)
    }
    every = [code for codes in kernels.values() for code in codes]
    return Pruning(
        zero_weight_fraction=every.count(0) / max(len(every), 1),
        weights=len(every),
        per_layer={name: c.count(0) / max(len(c), 1) for name, c in kernels.items()},
    )
