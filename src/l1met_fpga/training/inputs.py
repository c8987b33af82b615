"""What a training is made from: an interrupted one goes on from nothing else."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from l1met_fpga.config.run import RunConfig
from l1met_fpga.data.samples import LoadedSample
from l1met_fpga.identity import content_digest
from l1met_fpga.training.teacher import run_identity
from l1met_fpga.training.workers import place

__all__ = ["samples_identity", "training_identity"]

_PACKAGES: Final = (
    "l1met_fpga", "numpy", "qkeras", "tensorflow", "tensorflow-model-optimization", "tf_keras",
)  # fmt: skip
"""Packages whose version may change a weight."""


def training_identity(config: RunConfig, samples: Sequence[LoadedSample]) -> dict[str, Any]:
    """Return the named parts of what a training is made from (see :mod:`l1met_fpga.identity`).

    The number of epochs is one of them too: schedules depend on it.

    Args:
        config: The run.
        samples: What it is trained on; their content counts, not where they lie.
    """
    # teachers count by content, not by where they lie
    training = config.training.model_dump(mode="json", exclude={"teacher": {"runs"}})
    parts: dict[str, Any] = {
        "section model": content_digest(config.model.model_dump(mode="json")),
        "task": config.task,
        "section evaluation": content_digest(config.evaluation.model_dump_json()),
        "section training": content_digest(training),
        "machines that train together": place().count,
    }
    if config.training.teacher.weight:
        parts |= run_identity(config.training.teacher.runs)
    parts |= {f"version of {name}": version(name) for name in _PACKAGES}
    return parts | samples_identity(samples)


def samples_identity(samples: Sequence[LoadedSample]) -> dict[str, Any]:
    """Return the parts of :func:`training_identity` that come from the samples."""
    parts: dict[str, Any] = {}
    for sample in samples:
        used = {
            "share": sample.share,
            "training_events": len(sample.train),
            "validation_events": len(sample.validation),
        }
        for name, value in (sample.identity | used).items():
            parts[f"{name} of sample {sample.label}"] = value
    return parts
