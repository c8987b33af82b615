"""UltraScale+ cells as the static timing needs them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from l1met_fpga.firmware.rtl import delays

__all__ = ["CLOCKS", "IGNORED", "KINDS", "OUTPUTS", "Cell"]

KINDS: Final = {
    **{f"LUT{n}": "LUT" for n in range(1, 7)},
    "INV": "LUT",
    "LUT6_2": "LUT",
    "CARRY4": "CARRY",
    "CARRY8": "CARRY",
    **dict.fromkeys(("MUXF7", "MUXF8", "MUXF9"), "MUX"),
    **dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), "FF"),
    **dict.fromkeys(("SRL16E", "SRLC16E", "SRLC32E"), "SRL"),
    **dict.fromkeys(("RAMB18E2", "RAMB36E2"), "BRAM"),
    "DSP48E2": "DSP",
}
IGNORED: Final = ("$scopeinfo", "BUFG")
_WORDS: Final = {"LUT": "LUT", "CARRY": "carry", "MUX": "wide mux", "DSP": "DSP"}
OUTPUTS: Final = {
    "LUT": ("O", "O5", "O6"), "MUX": ("O",), "FF": ("Q",), "SRL": ("Q", "Q15", "Q31"),
}  # fmt: skip
CLOCKS: Final = ("C", "CLK", "CLKARDCLK", "CLKBWRCLK")
_FF_CONTROLS: Final = ("CE", "R", "S", "CLR", "PRE")


@dataclass(eq=False, slots=True)
class Cell:
    """One cell.

    Attributes:
        kind: LUT, CARRY, MUX, FF, SRL, BRAM or DSP.
        size: Inputs of a LUT.
        inputs: Pin -> net; constants and clocks left out.
        outputs: Pin -> net.
        absorbed: Whether a register lies inside the DSP or memory before it.
        feeds_dsp: Whether a register is the operand register of a DSP.
        registered: Whether a DSP's or memory's output goes into absorbed registers only.
        two_outputs: Inputs that each output of a LUT6_2 depends on; empty for other cells.
    """

    kind: str
    size: int = 0
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    absorbed: str = ""
    feeds_dsp: bool = False
    registered: bool = False
    two_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_lut(self) -> bool:
        """Whether it is a look-up table."""
        return self.kind == "LUT"

    @property
    def is_carry(self) -> bool:
        """Whether it is a block of carry bits."""
        return self.kind == "CARRY"

    @property
    def operands(self) -> dict[str, int]:
        """Pins of a DSP's two factors that are not constant."""
        return {pin: net for pin, net in self.inputs.items() if pin[0] in "AB"}

    @property
    def in_words(self) -> str:
        """What a path calls it."""
        return _WORDS[self.kind]

    def clock_to_out(self, pin: str) -> float | None:
        """Delay from the clock edge to an output pin, None for a pin that has none."""
        del pin
        match self.kind:
            case "FF" if self.absorbed == "DSP":
                return delays.DSP_REGISTER_TO_OUT
            case "FF" if self.absorbed == "BRAM":
                return delays.BRAM_REGISTER_TO_OUT
            case "FF":
                return delays.FF_CLOCK_TO_OUT
            case "SRL":
                return delays.SRL_CLOCK_TO_OUT
            case "BRAM" if not self.registered:
                return delays.BRAM_CLOCK_TO_OUT
            case _:
                return None

    def ways(self, output: str) -> Iterator[str]:
        """Input pins that an output pin depends on without a clock."""
        match self.kind:
            case "LUT" if self.two_outputs:
                yield from (pin for pin in self.two_outputs[output] if pin in self.inputs)
            case "LUT" | "MUX":
                yield from self.inputs
            case "CARRY":
                yield from (pin for pin in self.inputs if (pin, output) in delays.CARRY8)
            case "DSP" if not self.registered:
                yield from self.operands

    def arc(self, source: str, output: str) -> float:
        """Delay from an input pin to an output pin."""
        if self.is_carry:
            return delays.CARRY8[source, output]
        return delays.WIDE_MUX if self.kind == "MUX" else delays.DSP_THROUGH

    def setups(self) -> Iterator[tuple[str, float]]:
        """Input pins that a clock samples, and how long before it they must be there."""
        match self.kind:
            case "FF" if not self.absorbed:
                d = delays.DSP_SETUP - delays.PIN_TO_FF if self.feeds_dsp else delays.FF_SETUP
                yield "D", d
                yield from ((pin, delays.FF_CONTROL_SETUP) for pin in _FF_CONTROLS)
            case "SRL":
                yield "D", delays.SRL_SETUP
                yield "CE", delays.FF_CONTROL_SETUP
            case "BRAM":
                yield from ((pin, delays.BRAM_SETUP) for pin in self.inputs)
            case "DSP" if self.registered:
                yield from ((pin, delays.DSP_MULTIPLY) for pin in self.operands)
