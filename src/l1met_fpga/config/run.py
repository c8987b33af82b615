"""The whole configuration of a run: what a model's YAML file holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from l1met_fpga.config import graph_models  # noqa: F401  (makes its architectures known)
from l1met_fpga.config.base import StrictModel, load_yaml, override, parse
from l1met_fpga.config.budget import BudgetConfig
from l1met_fpga.config.evaluation import EvaluationConfig
from l1met_fpga.config.faults import FaultsConfig
from l1met_fpga.config.firmware import HlsConfig
from l1met_fpga.config.model import ModelConfig, select_model
from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.config.scan import ScanConfig
from l1met_fpga.config.training import TrainingConfig, TrainingSample
from l1met_fpga.config.yaml_text import write_yaml
from l1met_fpga.files import atomic_path

__all__ = ["RunConfig", "load_run", "save_run"]


class RunConfig(StrictModel):
    """Sections of a model's YAML file; all defaults live in the sections' own classes.

    Attributes:
        task: What the network is to give: met, or another task of :mod:`l1met_fpga.tasks`.
    """

    task: str = "met"
    model: Annotated[SerializeAsAny[ModelConfig], BeforeValidator(select_model)]
    samples: tuple[TrainingSample, ...] = ()
    training: TrainingConfig = TrainingConfig()
    scan: ScanConfig = ScanConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    faults: FaultsConfig = FaultsConfig()
    hls: HlsConfig = HlsConfig()
    rtl: RtlConfig = RtlConfig()
    budget: BudgetConfig = BudgetConfig()


def load_run(path: Path, overrides: Mapping[str, Any] | None = None) -> RunConfig:
    """Read a run's configuration.

    Args:
        path: YAML file (``models/deepset.yaml``, or ``config.yaml`` of a run folder).
        overrides: Dotted keys and their values, for example ``{"training.epochs": 3}``.

    Raises:
        ConfigError: If anything in it is not allowed; says where, and the nearest known key.
    """
    raw = override(load_yaml(path), overrides or {})
    model = raw.get("model")
    if isinstance(model, dict) and model.get("architecture") in ModelConfig.known:
        # its own class knows the keys of this architecture, for a hint on a misspelt one
        kind = ModelConfig.known[model["architecture"]]
        raw["model"] = parse(kind, model, where=f"{path}: model")
    return parse(RunConfig, raw, where=str(path))


def save_run(config: RunConfig, path: Path) -> None:
    """Write the resolved configuration, every default spelled out."""
    with atomic_path(path) as temporary:
        temporary.write_text(write_yaml(config.model_dump(mode="json")), encoding="utf-8")
