"""Static timing of a netlist that Yosys mapped to UltraScale+ cells.

Arrival times travel from registers (and ports) through LUTs and carry chains to the next ones,
once per setting of the net delays (:data:`delays.NETS`). No place and route: differences between
paths are more certain than the clock itself.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.firmware.rtl import delays
from l1met_fpga.firmware.rtl.cells import Cell
from l1met_fpga.firmware.rtl.delays import NETS, NetDelay
from l1met_fpga.firmware.rtl.netlist import Netlist, Pin, read_netlist

__all__ = ["WorstPath", "analyse", "timing_figures"]

WORST_PATHS: Final = 5


@dataclass(frozen=True, slots=True)
class WorstPath:
    """The longest way into one register, in words.

    Attributes:
        start: Register or port where it begins.
        through: Cells on the way, for example ``2 LUT, carry 14 bits``.
        end: Register or port where it ends.
        levels: LUTs, carry chains and wide multiplexers passed.
        fan_out: Loads of the net with most of them.
        delay_ps: From clock edge to clock edge, setup and uncertainty included.
    """

    start: str
    through: str
    end: str
    levels: int
    fan_out: int
    delay_ps: int


@dataclass(frozen=True, slots=True)
class _Arrival:
    """When a net has its value, and through what it came."""

    ps: float
    cell: Cell | None
    pin: str
    source: int | None


class _Analysis:
    """Arrival times of one netlist under one setting."""

    def __init__(self, netlist: Netlist, net: NetDelay):
        self.netlist = netlist
        self.net = net
        self.arrival: dict[int, _Arrival] = {}
        for port_net in netlist.input_nets:
            self.arrival[port_net] = _Arrival(delays.EXTERNAL, None, "", None)
        for cell in netlist.cells:
            for pin, driven in cell.outputs.items():
                ps = cell.clock_to_out(pin)
                if ps is not None:
                    self.arrival[driven] = _Arrival(ps, cell, pin, None)
        for cell, pin in netlist.in_order:
            self._pass(cell, pin)

    def at_pin(self, cell: Cell, pin: str) -> float:
        """When an input pin of a cell has its value (0 for a constant)."""
        source = cell.inputs[pin]
        found = self.arrival.get(source)
        if found is None:
            return 0.0
        return found.ps + self._wire(found, source, cell, pin)

    def _wire(self, found: _Arrival, source: int, cell: Cell, pin: str) -> float:
        driver, fan_out = found.cell, self.netlist.fan_out[source]
        to_register = cell.kind == "FF" and pin == "D"
        to_select = cell.is_carry and pin.startswith("S")
        if driver is not None:
            if driver.is_carry and cell.is_carry and pin == "CI":
                return delays.CARRY_TO_CARRY
            if driver.is_lut and to_select:
                return delays.LUT_TO_CARRY
            if to_register and self.netlist.registers[source] <= delays.FFS_PER_LUT:
                if driver.is_lut:  # registers of the same site
                    return delays.LUT_TO_FF
                if driver.is_carry:
                    return delays.CARRY_TO_FF
        leave = _leaving(found)
        enter = delays.PIN_TO_FF if to_register else 0
        if to_select:  # a LUT that only passes the value on
            enter = delays.LUT_PINS[3] + delays.LUT_TO_CARRY
        return leave + self.net(fan_out) + enter

    def _pass(self, cell: Cell, pin: str) -> None:
        driven = cell.outputs[pin]
        times = {p: self.at_pin(cell, p) for p in cell.ways(pin) if p in cell.inputs}
        late = max(times, key=lambda p: times[p], default=None)
        if late is None or self.arrival.get(cell.inputs[late]) is None:
            return
        if cell.is_lut:
            ps = delays.lut_delay(cell.size, list(times.values()), second_output=pin == "O5")
        else:
            arcs = {p: t + cell.arc(p, pin) for p, t in times.items()}
            late = max(arcs, key=lambda p: arcs[p])
            ps = arcs[late]
        self.arrival[driven] = _Arrival(ps, cell, pin, cell.inputs[late])

    def ends(self) -> list[tuple[float, Pin | None, int]]:
        """Delay, pin (None for a port) and net of every end of a path, longest first."""
        found: list[tuple[float, Pin | None, int]] = []
        for cell in self.netlist.cells:
            for pin, setup in cell.setups():
                source = cell.inputs.get(pin)
                if source in self.arrival:
                    ps = self.at_pin(cell, pin) + setup + delays.CLOCK_UNCERTAINTY
                    found.append((ps, Pin(cell, pin), source))
        for port_net in self.netlist.output_nets:
            if port_net in self.arrival:
                late = self.arrival[port_net].ps + self.net(self.netlist.fan_out[port_net])
                found.append((late + delays.EXTERNAL + delays.CLOCK_UNCERTAINTY, None, port_net))
        return sorted(found, key=lambda end: -end[0])

    def describe(self, ps: float, end: Pin | None, source: int) -> WorstPath:
        """Say one path in words."""
        parts: list[str] = []
        levels, widest, walk = 0, 0, source
        while True:
            arrival = self.arrival[walk]
            widest = max(widest, self.netlist.fan_out[walk])
            if arrival.cell is None or arrival.source is None:
                start = self.netlist.name_of(walk)
                break
            step = arrival.cell.in_words
            if not (step == "carry" and parts and parts[-1] == "carry"):
                parts.append(step)
                levels += 1
            walk = arrival.source
        finish = self.netlist.name_of(source) if end is None else self.netlist.name_of_sink(end)
        return WorstPath(start, _joined(parts[::-1]), finish, levels, widest, round(ps))


def _leaving(found: _Arrival) -> int:
    """From the output of a cell to the pin of its site."""
    if found.cell is not None and found.cell.is_carry:
        return delays.CARRY_TO_PIN
    return delays.LUT_TO_MUX_PIN if found.pin == "O5" else 0


def _joined(parts: list[str]) -> str:
    """Run-length words: ``2 LUT, carry, LUT``."""
    runs: list[tuple[str, int]] = []
    for part in parts:
        if runs and runs[-1][0] == part:
            runs[-1] = (part, runs[-1][1] + 1)
        else:
            runs.append((part, 1))
    return ", ".join(name if n == 1 else f"{n} {name}" for name, n in runs) or "no logic"


def analyse(netlist: Netlist, net: NetDelay) -> tuple[float, list[WorstPath], list[float]]:
    """Time a netlist.

    Args:
        netlist: Mapped cells.
        net: Delay of a net by its fan-out.

    Returns:
        The highest clock in MHz, the worst paths (each into another register), and the delay of
        every end of a path in ps, longest first.
    """
    analysis = _Analysis(netlist, net)
    ends = analysis.ends()
    worst: list[WorstPath] = []
    seen: set[tuple[str, str]] = set()
    for end in ends:
        path = analysis.describe(*end)
        key = (_bus(path.start), _bus(path.end))
        if key not in seen:
            seen.add(key)
            worst.append(path)
        if len(worst) == WORST_PATHS:
            break
    longest = ends[0][0] if ends else float("inf")
    return 1e6 / longest, worst, [ps for ps, _, _ in ends]


def _bus(name: str) -> str:
    """Name without the bit and the number of a lane, which repeat the same path."""
    return "".join(c for c in name if not c.isdigit())


def timing_figures(path: Path, clock_period_ns: float) -> dict[str, Any]:
    """Return the ``timing`` part of the report's figures.

    Args:
        path: Flat netlist of Yosys (``write_json``).
        clock_period_ns: Wanted clock, for the number of late ends.

    Raises:
        ReportError: If the netlist holds a cell without known delays.
    """
    netlist = read_netlist(json.loads(path.read_text(encoding="utf-8")))
    figures: dict[str, Any] = {}
    for name, net in NETS.items():
        mhz, worst, ends = analyse(netlist, net)
        figures[f"{name}_mhz"] = round(mhz, 1)
        if name == "typical":
            figures["late_ends"] = sum(ps > 1000 * clock_period_ns for ps in ends)
            figures["worst_paths"] = [_keys(asdict(p)) for p in worst]
    return figures


def _keys(path: Mapping[str, Any]) -> dict[str, Any]:
    """Use the words of a timing report."""
    renamed = {"start": "from", "end": "to"}
    return {renamed.get(key, key): value for key, value in path.items()}
