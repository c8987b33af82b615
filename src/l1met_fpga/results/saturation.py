"""``saturation.json``: how many outputs of a network left the range of their type in test events."""

from pydantic import Field

from l1met_fpga.results.base import Result

__all__ = ["HeadSaturation", "Saturation"]


class HeadSaturation(Result):
    """One head of a network.

    Attributes:
        outputs: Numbers that it gave.
        saturated: Those whose exact value was outside of the type, so that it was clipped to the
            end of the range (or wrapped, where the type says so).
        share: Their share.
    """

    outputs: int = Field(ge=0)
    saturated: int = Field(ge=0)
    share: float = Field(ge=0, le=1)


class Saturation(Result):
    """Content of ``saturation.json``.

    Attributes:
        network: Digest of the network.
        events: Test events.
        heads: Figures by head.
    """

    network: str
    events: int = Field(ge=0)
    heads: dict[str, HeadSaturation]
