"""EdgeConv: candidates send messages along the edges of a graph, then each gets a weight.

The graph network of L1DeepMETv2, with distances that know the turn of phi, and distances instead of
angles as inputs, so that a turned event gives the turned MET. Idea: Wang, Sun, Liu, Sarma,
Bronstein, Solomon, "Dynamic graph CNN for learning on point clouds" (arXiv:1801.07829).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from l1met_fpga.config.graph_models import EdgeConvConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.heads import Head
from l1met_fpga.models.keras import keras
from l1met_fpga.models.pair_layers import EdgeGeometry, LargestMessage, NearestEdges, RadiusEdges
from l1met_fpga.models.pairs import PairsBuilder
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_edgeconv"]


@register("edgeconv", kinds=("vector", "scalar", "classes"))
def build_edgeconv(
    config: EdgeConvConfig, make: LayerFactory, candidates: CandidateTensors, heads: Sequence[Head]
) -> list[Any]:
    """Build each head, see :class:`~l1met_fpga.config.graph_models.EdgeConvConfig`."""
    parts = _EdgeConv(config, make, candidates)
    return [parts.head(head) for head in heads]


class _EdgeConv(PairsBuilder[EdgeConvConfig]):
    def seen(self, hidden: Any) -> Any:
        """Add the largest message to each candidate, as often as there are layers."""
        for depth in range(self.config.layers):
            message = self._message(hidden, f"message_{depth}")
            hidden = keras.layers.Add(name=f"hidden_{depth}")([hidden, message])
        return hidden

    def _message(self, hidden: Any, name: str) -> Any:
        config, plain = self.config, self.config.plain
        if config.graph == "radius":
            edges = self.near
        else:
            layer = NearestEdges(config.neighbours, name=f"{name}_edges")
            edges = layer([hidden, self.splits])
        distances = EdgeGeometry(name=f"{name}_distances")([*self.angles, edges])
        own, sent = (
            self.make.dense(hidden, plain, config.units, f"{name}_{what}")
            for what in ("own", "sent")
        )
        of_edge = self.make.dense(distances, plain, config.units, f"{name}_distance")
        return LargestMessage(name=name)([own, sent, of_edge, edges])

    @cached_property
    def near(self) -> Any:
        """Edges of the radius graph, which all layers share."""
        return RadiusEdges(self.config.radius, name="edges")([*self.angles, self.splits])
