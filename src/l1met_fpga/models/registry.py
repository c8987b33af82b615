"""Builders by the name of their architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.factory import LayerFactory

__all__ = ["BUILDERS", "Builder", "CandidateTensors", "builder", "register"]


@dataclass(frozen=True, slots=True)
class CandidateTensors:
    """What a builder starts from.

    Attributes:
        columns: Input tensor of each candidate column.
        features: Perceptron inputs, last axis features.
        momentum: px, py in GeV, last axis 2.
        row_splits: Event borders when the candidates are packed, else None.
    """

    columns: dict[str, Any]
    features: Any
    momentum: Any
    row_splits: Any | None

    def pool(self, layer: Any, *inputs: Any) -> Any:
        """Apply a pool, adding the row splits when the candidates are packed."""
        splits = [] if self.row_splits is None else [self.row_splits]
        return layer([*inputs, *splits])


Builder = Callable[[Any, LayerFactory, CandidateTensors], Any]
"""(configuration, factory, candidates) -> MET tensor, shape (events, 2)."""

BUILDERS: Final[dict[str, Builder]] = {}


def register(architecture: str) -> Callable[[Builder], Builder]:
    """Register a builder under the architecture of its configuration class.

    Raises:
        ConfigError: If the name is taken or no configuration class declares it.
    """

    def add(build: Builder) -> Builder:
        if architecture in BUILDERS:
            raise ConfigError(f"a builder for architecture {architecture!r} is registered already")
        if architecture not in ModelConfig.known:
            raise ConfigError(
                f"no configuration class declares architecture {architecture!r}; "
                f"known: {sorted(ModelConfig.known)}"
            )
        BUILDERS[architecture] = build
        return build

    return add


def builder(architecture: str) -> Builder:
    """Return the builder of an architecture.

    Raises:
        ConfigError: If there is none.
    """
    try:
        return BUILDERS[architecture]
    except KeyError:
        raise ConfigError(
            f"unknown architecture {architecture!r}; choose from {sorted(BUILDERS)}"
        ) from None
