"""Section ``model`` of networks on pairs of candidates, which are float and no firmware."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from l1met_fpga.config.model import LayerTypes, ModelConfig

__all__ = ["AttentionConfig", "EdgeConvConfig", "PairsConfig"]


class PairsConfig(ModelConfig, architecture=None):
    """What networks on pairs share: candidates -> hidden numbers, and each head from those.

    Attributes:
        units: Hidden numbers of each candidate.
        encode: Hidden layers of each candidate by itself, before it sees others.
        layers: Steps in which candidates see others.
        context: Numbers of the whole event that every candidate sees at the end; 0 leaves them out.
        decode: Numbers of the last hidden layer of each candidate.
        bounded: Weights of a vector from 0 to 1 (sigmoid) as in L1DeepMETv2, which then starts
            from PUPPI's sum times 0.73; any number otherwise.
    """

    geometry: ClassVar[bool] = True

    units: int = Field(default=32, ge=1, le=512)
    encode: int = Field(default=2, ge=1, le=8)
    layers: int = Field(default=2, ge=1, le=8)
    context: int = Field(default=8, ge=0, le=512)
    decode: int = Field(default=16, ge=1, le=512)
    bounded: bool = False

    @property
    def hidden(self) -> LayerTypes:
        """Of hidden layers: ReLU."""
        return LayerTypes()

    @property
    def plain(self) -> LayerTypes:
        """Of layers without activation."""
        return LayerTypes(output="fixed<8,2>")


class EdgeConvConfig(PairsConfig, architecture="edgeconv"):
    """MET = -sum_i w_i p_i, w_i from messages h_i + max_j ReLU(U h_i + V h_j + W e_ij).

    Edges e_ij hold the distances in eta and phi. Float only.

    Attributes:
        graph: ``radius`` joins candidates that are close in eta and phi; ``nearest`` joins each with
            those whose hidden numbers are nearest, anew in each layer (a dynamic graph).
        radius: Largest distance of joined candidates, sqrt(eta^2 + phi^2).
        neighbours: Candidates that each is joined with in the graph ``nearest``.
    """

    no_firmware: ClassVar[str] = (
        "messages between candidates take 0.1 to 0.3 ms per event on an FPGA (arXiv:2603.20364), "
        "and Level 1 decides everything in 0.0125 ms"
    )

    architecture: Literal["edgeconv"]
    graph: Literal["radius", "nearest"] = "radius"
    radius: float = Field(default=0.4, gt=0, le=4)
    neighbours: int = Field(default=8, ge=1, le=127)


class AttentionConfig(PairsConfig, architecture="attention"):
    """Each head is a sum over candidates that attended to the hardest ones of their event.

    h_i + ReLU(sum_j softmax_j(q_i k_j + b_ij) v_j), where the bias b_ij of each attention head is
    made of the distances in eta and phi and of ln(1 + kT). Float only.

    Attributes:
        objects: Hardest candidates of an event that attend to one another; the others are seen by
            nobody and see the event only.
        attention_heads: Attention heads, which share ``units``.
    """

    no_firmware: ClassVar[str] = (
        "attention needs every pair of candidates and a softmax over them, and the firmware sees "
        "each candidate once"
    )

    architecture: Literal["attention"]
    objects: int = Field(default=32, ge=1, le=128)
    attention_heads: int = Field(default=4, ge=1, le=32)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.units % self.attention_heads:
            raise ValueError(
                f"units must be a multiple of attention_heads, got {self.units} and "
                f"{self.attention_heads}"
            )
        return self
