"""Attention between the hardest candidates of an event, then each candidate gets a weight.

The type of a candidate is embedded by the first dense layer, which reads a flag per type. Idea:
Vaswani et al., "Attention is all you need" (arXiv:1706.03762), with a bias of each pair as in Qu, Li,
Qian, "Particle transformer for jet tagging" (arXiv:2202.03772).
"""

from collections.abc import Sequence
from typing import Any

from l1met_fpga.config.graph_models import AttentionConfig
from l1met_fpga.models.factory import LayerFactory
from l1met_fpga.models.heads import Head
from l1met_fpga.models.keras import keras
from l1met_fpga.models.pair_layers import HardestRows, PairAttention, PairGeometry
from l1met_fpga.models.pairs import PairsBuilder
from l1met_fpga.models.registry import CandidateTensors, register

__all__ = ["build_attention"]


@register("attention", kinds=("vector", "scalar", "classes"))
def build_attention(
    config: AttentionConfig, make: LayerFactory, candidates: CandidateTensors, heads: Sequence[Head]
) -> list[Any]:
    """Build each head, see :class:`~l1met_fpga.config.graph_models.AttentionConfig`."""
    parts = _Attention(config, make, candidates)
    return [parts.head(head) for head in heads]


class _Attention(PairsBuilder[AttentionConfig]):
    def seen(self, hidden: Any) -> Any:
        """Add to each candidate what it attends to, as often as there are layers."""
        config, make = self.config, self.make
        columns = [self.candidates.columns["pt"], *self.angles]
        slots = HardestRows(config.objects, name="hardest")([*columns, self.splits])
        pairs = PairGeometry(name="pairs")([*columns, slots])
        for depth in range(config.layers):
            name = f"attention_{depth}"
            q, k, v = (
                make.dense(hidden, config.plain, config.units, f"{name}_{part}") for part in "qkv"
            )
            bias = make.dense(pairs, config.plain, config.attention_heads, f"{name}_bias")
            seen = PairAttention(name=name)([q, k, v, bias, slots])
            message = make.dense(seen, config.hidden, config.units, f"{name}_message")
            hidden = keras.layers.Add(name=f"hidden_{depth}")([hidden, message])
        return hidden
