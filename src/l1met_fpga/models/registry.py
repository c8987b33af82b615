"""Builders by the name of their architecture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from l1met_fpga.config.model import ModelConfig
from l1met_fpga.errors import ConfigError
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.heads import Head

__all__ = ["ARCHITECTURES", "Architecture", "Builder", "CandidateTensors", "builder", "register"]


@dataclass(frozen=True, slots=True)
class CandidateTensors:
    """What a builder starts from.

    Attributes:
        columns: Input tensor of each candidate column.
        features: Perceptron inputs, last axis features.
        momentum: px, py in GeV, last axis 2; None where no head needs it.
        pt_gev: pt in GeV, last axis 1; None where no head needs it.
        row_splits: Event borders when the candidates are packed, else None.
    """

    columns: dict[str, Any]
    features: Any
    momentum: Any | None
    pt_gev: Any | None
    row_splits: Any | None

    def pool(self, layer: Any, *inputs: Any) -> Any:
        """Apply a pool, adding the row splits when the candidates are packed."""
        splits = [] if self.row_splits is None else [self.row_splits]
        return layer([*inputs, *splits])


Builder = Callable[[Any, LayerFactory, CandidateTensors, Sequence[Head]], list[Any]]
"""(configuration, factory, candidates, heads) -> a tensor for each head, shape (events, size)."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A registered architecture.

    Attributes:
        build: Its builder.
        kinds: Kinds of head that it can give.
    """

    build: Builder
    kinds: tuple[str, ...]


ARCHITECTURES: Final[dict[str, Architecture]] = {}


def register(name: str, *, kinds: tuple[str, ...]) -> Callable[[Builder], Builder]:
    """Register a builder under the architecture of its configuration class.

    Args:
        name: Name of the architecture.
        kinds: Kinds of head that the builder can give.

    Raises:
        ConfigError: If the name is taken or no configuration class declares it.
    """

    def add(build: Builder) -> Builder:
        if name in ARCHITECTURES:
            raise ConfigError(f"a builder for architecture {name!r} is registered already")
        if name not in ModelConfig.known:
            raise ConfigError(
                f"no configuration class declares architecture {name!r}; "
                f"known: {sorted(ModelConfig.known)}"
            )
        ARCHITECTURES[name] = Architecture(build, kinds)
        return build

    return add


def builder(architecture: str, heads: Sequence[Head]) -> Builder:
    """Return the builder of an architecture for some heads.

    Raises:
        ConfigError: If there is none, or it cannot give one of the heads.
    """
    if architecture not in ARCHITECTURES:
        raise ConfigError(
            f"unknown architecture {architecture!r}; choose from {sorted(ARCHITECTURES)}"
        )
    found = ARCHITECTURES[architecture]
    for head in heads:
        if head.kind not in found.kinds or head.per != "example":
            raise ConfigError(
                f"architecture {architecture!r} cannot give head {head.name!r}, a {head.kind} per "
                f"{head.per}; it gives {', '.join(found.kinds)} per example"
            )
    vectors = [head.name for head in heads if head.kind == "vector"]
    if len(vectors) > 1 or not heads:
        raise ConfigError(
            f"a network has at least one head and at most one vector; got {vectors or 'none'}"
        )
    return found.build
