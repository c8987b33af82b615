"""``report.json``: the stable keys that other programs read, from whatever a run folder holds.

A stage that was not run is ``null``, never 0.
"""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import jsonschema

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ReportError
from l1met_fpga.evaluation.metrics_file import load_metrics
from l1met_fpga.models.network import Dense, Network
from l1met_fpga.report.budget import check_budget
from l1met_fpga.report.firmware import bit_exactness, hls_figures, rtl_figures
from l1met_fpga.run_folder import RunFolder

__all__ = ["build_report", "check_report", "load_json", "report_schema"]

SIGNALS: Final = ("ttbar", "znunu", "vbf_hinv")
RATES: Final = ("18kHz", "62kHz", "310kHz")
REFERENCES: Final = ("puppi", "per_type", "table")
COMPONENTS: Final = ("u_par", "u_perp")


def build_report(run: RunFolder) -> dict[str, Any]:
    """Collect the content of ``report.json``.

    Raises:
        ReportError: If a file of the run is damaged or lacks a number.
    """
    config = load_run(run.need(run.config, made_by="l1met train"))
    about = load_json(run.environment) or {}
    training = load_json(run.training) or {}
    metrics = load_metrics(run.metrics) if run.metrics.is_file() else None
    report: dict[str, Any] = {
        "model": config.model.name,
        "sample": ", ".join(_sample_labels(training, metrics)) or None,
        "training_events": training.get("training_events"),
        "seed": about.get("seed"),
        "software": about.get("software"),
        "physics": None if metrics is None else _physics(metrics),
        "pruning": _pruning(run.network),
        "bit_exactness": bit_exactness(load_json(run.bit_exactness)),
        "rtl": rtl_figures(run, parallel=False),
        "rtl_parallel": rtl_figures(run, parallel=True),
        "hls": hls_figures(run, config.hls),
    }
    report["budget"] = check_budget(report, config.budget)
    check_report(report, run.report("json"))
    return report


def report_schema() -> dict[str, Any]:
    """Return the JSON schema of ``report.json``."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_report(report: Mapping[str, Any], path: Path) -> None:
    """Check a report against its schema.

    Raises:
        ReportError: Says which key has a value that is not allowed.
    """
    try:
        jsonschema.validate(report, report_schema())
    except jsonschema.ValidationError as err:
        raise ReportError(
            f"{path}: {err.json_path}: {err.message[:200]}; make it again with `l1met report`"
        ) from None


def load_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file; ``None`` when the stage that writes it has not run.

    Raises:
        ReportError: If the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise ReportError(f"{path} is not JSON ({err}); run the stage that made it again") from err
    if not isinstance(content, dict):
        raise ReportError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def _sample_labels(training: Mapping[str, Any], metrics: Mapping[str, Any] | None) -> list[str]:
    trained = training.get("samples") or (metrics or {}).get("samples") or {}
    return [s["label"] if isinstance(s, dict) else s for s in trained]


def _physics(metrics: dict[str, Any]) -> dict[str, Any] | None:
    primary = metrics["primary"]
    if primary is None:
        return None
    ttbar = metrics["resolution"].get("ttbar")
    gains = {} if ttbar is None else ttbar["gain"][primary]
    signals = dict.fromkeys((*SIGNALS, *metrics["trigger"]))
    response = None
    if ttbar is not None:
        response = ttbar["response"][primary]["value"]
    return {
        **{f"gain_vs_{ref}": gains.get(ref) for ref in ("puppi", "scaled_puppi", *REFERENCES[1:])},
        "loss_vs_float": _loss(gains.get(f"{primary}_float")),
        "trigger": {
            label: _trigger(metrics, metrics["trigger"].get(label), primary) for label in signals
        },
        "response_80_200": response,
    }


def _loss(gain: dict[str, Any] | None) -> dict[str, Any] | None:
    """Turn a gain over the float network into a loss: positive means worse."""
    if gain is None:
        return None
    return {
        component: {
            "value": None if gain[component]["value"] is None else -gain[component]["value"],
            "error": gain[component]["error"],
        }
        for component in COMPONENTS
    }


def _trigger(
    metrics: dict[str, Any], found: dict[str, Any] | None, primary: str
) -> dict[str, Any] | None:
    """Return efficiencies of one sample by rate and bin; ``null`` for unsupported rates."""
    if found is None:
        return None
    rates = dict.fromkeys(RATES)
    result: dict[str, Any] = dict(rates)
    khz = {p["key"]: p["rate_khz"] for p in metrics["rates"]["working_points"]}
    for rate, bins in found["efficiency"].items():
        result[rate] = {
            key: {
                "rate_khz": khz[rate],
                **{name: row[primary][name] for name in ("efficiency", "error", "threshold_gev")},
                **{ref: row[ref]["efficiency"] if ref in row else None for ref in REFERENCES},
                "difference": row[primary]["difference"],
            }
            for key, row in bins.items()
        }
    return result


def _pruning(path: Path) -> dict[str, Any] | None:
    """Return fractions of zero codes in the quantized kernels (biases do not count)."""
    if not path.is_file():
        return None
    kernels = {
        node.name: [code for row in node.kernel for code in row]
        for node in Network.load(path)
        if isinstance(node, Dense)
    }
    every = [code for codes in kernels.values() for code in codes]
    zero = {name: codes.count(0) / max(len(codes), 1) for name, codes in kernels.items()}
    return {
        "zero_weight_fraction": every.count(0) / max(len(every), 1),
        "weights": len(every),
        "per_layer": zero,
    }
