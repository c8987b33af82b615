"""``metrics.json``, read and written without anything that measures."""

from pathlib import Path

from l1met_fpga.errors import ReportError
from l1met_fpga.files import write_json
from l1met_fpga.results.base import read_result
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.metrics_rules import require_agreement

__all__ = ["load_metrics", "save_metrics"]


def save_metrics(metrics: Metrics, path: Path) -> None:
    """Write the figures."""
    write_json(path, metrics.model_dump())


def load_metrics(path: Path) -> Metrics:
    """Read ``metrics.json``.

    Raises:
        ReportError: If it is missing, damaged, of another schema version, or if its parts do not
            agree with one another.
    """
    metrics = read_result(Metrics, path, made_by="l1met evaluate")
    try:
        require_agreement(metrics)
    except ValueError as err:
        raise ReportError(f"{path}: {err}; make it again with `l1met evaluate`") from None
    return metrics
