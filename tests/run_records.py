"""What a run folder records of its training, with the samples that a test cares about."""

import json
from pathlib import Path
from typing import Any

NETWORK = {"epochs": 1, "seconds": 1.0, "parameters": 9, "zero_fractions": {}, "validation": {}}


def training_record(samples: Any, **changes: Any) -> dict[str, Any]:
    """Return the content of ``training.json``; samples as a list, or by label as they once stood."""
    return {
        "model": "deepset",
        "architecture": "deepset",
        "primary": "pruned",
        "seed": 1,
        "training_events": 123,
        "steps_per_epoch": 1,
        "samples": samples,
        "puppi": {},
        "networks": {"pruned": NETWORK},
    } | changes


def write_training(path: Path, samples: Any, **changes: Any) -> None:
    """Write ``training.json``."""
    path.write_text(json.dumps(training_record(samples, **changes)))


ENVIRONMENT = {
    "command": "l1met train",
    "seed": 7,
    "python": "3.11",
    "software": {"numpy": "2"},
    "git": {"commit": "a" * 40, "changed": False},
    "platform": "a machine",
}
"""Content of ``environment.json``."""
