"""Cells and nets of a flat netlist that Yosys wrote, as the static timing needs them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from l1met_fpga.errors import ReportError
from l1met_fpga.firmware.rtl.cells import CLOCKS, IGNORED, KINDS, OUTPUTS, Cell

__all__ = ["Netlist", "Pin", "read_netlist"]


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin of a cell."""

    cell: Cell
    name: str


@dataclass(frozen=True)
class Netlist:
    """A flat netlist.

    Attributes:
        cells: All cells with delays.
        in_order: Combinational outputs, each after those that it depends on.
        fan_out: Net -> loads.
        registers: Net -> data inputs of registers among them.
        input_nets: Nets of input ports, without clocks.
        output_nets: Nets of output ports.
        names: Net -> its most telling name.
    """

    cells: list[Cell]
    in_order: list[tuple[Cell, str]]
    fan_out: Mapping[int, int]
    registers: Mapping[int, int]
    input_nets: list[int]
    output_nets: list[int]
    names: Mapping[int, str]

    def name_of(self, net: int) -> str:
        """Name of a net."""
        return self.names.get(net, f"net {net}")

    def name_of_sink(self, pin: Pin) -> str:
        """Name of what a cell stores, with the pin unless it is the plain data input."""
        stored = next(iter(pin.cell.outputs.values()), None)
        what = pin.cell.kind if stored is None else self.name_of(stored)
        if pin.cell.kind == "FF" and pin.name == "D":
            return what
        return f"{what} ({pin.cell.kind} {pin.name})"


def read_netlist(written: Mapping[str, Any]) -> Netlist:
    """Read the output of Yosys' ``write_json`` for a flat design.

    Args:
        written: The parsed JSON.

    Raises:
        ReportError: If it holds more than one module, or a cell without known delays.
    """
    modules = {
        name: module
        for name, module in written.get("modules", {}).items()
        if not int(module.get("attributes", {}).get("blackbox", "0"), 2)
        and not int(module.get("attributes", {}).get("whitebox", "0"), 2)
    }
    if len(modules) != 1:
        raise ReportError(
            f"the timing needs a netlist of one module, this one holds {sorted(modules)}; "
            "flatten it before write_json"
        )
    module = next(iter(modules.values()))
    cells = list(_cells(module["cells"]))
    cells = _join_carries(cells)
    fan_out = Counter(net for cell in cells for net in cell.inputs.values())
    ports = module["ports"].values()
    input_nets = [n for p in ports if p["direction"] == "input" for n in _nets(p["bits"])]
    output_nets = [n for p in ports if p["direction"] == "output" for n in _nets(p["bits"])]
    fan_out.update(output_nets)
    registers = Counter(c.inputs["D"] for c in cells if c.kind == "FF" and "D" in c.inputs)
    _absorb(cells, fan_out)
    return Netlist(
        cells, _ordered(cells), fan_out, registers, input_nets, output_nets,
        _names(module["netnames"]),
    )  # fmt: skip


def _nets(bits: list[Any]) -> list[int]:
    return [bit for bit in bits if isinstance(bit, int)]


def _cells(written: Mapping[str, Any]) -> Iterator[Cell]:
    for name, cell in written.items():
        type_name = cell["type"]
        if type_name in IGNORED:
            continue
        if type_name not in KINDS:
            raise ReportError(f"cell {name} is a {type_name}, whose delays are not known here")
        kind = KINDS[type_name]
        made = Cell(kind, size=int(type_name[3]) if type_name.startswith("LUT") else 1)
        if type_name == "LUT6_2":
            made.two_outputs = _two_outputs(cell["parameters"]["INIT"])
        for pin, bits in cell["connections"].items():
            if pin in CLOCKS:
                continue
            into = made.outputs if _is_output(kind, pin) else made.inputs
            single = len(bits) == 1
            for i, bit in enumerate(bits):
                if isinstance(bit, int):
                    into[pin if single and kind != "CARRY" else _pin(pin, i, kind)] = bit
        yield made


def _two_outputs(init: str) -> dict[str, tuple[str, ...]]:
    """Find the inputs that matter: O5 is the lower half of the table, O6 the upper (I5 is high)."""
    table = [bit == "1" for bit in reversed(init.rjust(64, "0"))]

    def matters(values: list[bool], i: int) -> bool:
        return any(values[k] != values[k ^ (1 << i)] for k in range(len(values)))

    return {
        "O5": tuple(f"I{i}" for i in range(5) if matters(table[:32], i)),
        "O6": tuple(f"I{i}" for i in range(5) if matters(table[32:], i)),
    }


def _is_output(kind: str, pin: str) -> bool:
    if kind == "CARRY":
        return pin in ("O", "CO")
    if kind == "BRAM":
        return pin.startswith("DOUT")
    if kind == "DSP":
        return pin == "P"
    return pin in OUTPUTS[kind]


def _pin(pin: str, i: int, kind: str) -> str:
    return pin if kind == "CARRY" and pin in ("CI", "CYINIT", "CI_TOP") else f"{pin}{i}"


def _join_carries(cells: list[Cell]) -> list[Cell]:
    """Join pairs of CARRY4 that follow each other into the CARRY8 that the device has."""
    by_source = {cell.inputs["CI"]: cell for cell in cells if cell.is_carry and "CI" in cell.inputs}
    driven = {net for cell in cells if cell.is_carry for net in cell.outputs.values()}
    gone: set[int] = set()
    for cell in cells:
        if not cell.is_carry:
            continue
        if "CYINIT" in cell.inputs:
            cell.inputs.setdefault("CI", cell.inputs.pop("CYINIT"))
        if cell.inputs.get("CI") in driven or any(pin[-1] in "4567" for pin in cell.inputs):
            continue  # not the first of its chain, or a whole CARRY8
        low: Cell | None = cell
        while low is not None:
            high = by_source.get(low.outputs.get("CO3", -1))
            if high is None or any(pin[-1] in "4567" for pin in high.inputs):
                break
            gone.add(id(high))
            for pins, upper in ((low.inputs, high.inputs), (low.outputs, high.outputs)):
                pins |= {f"{p[:-1]}{int(p[-1]) + 4}": net for p, net in upper.items() if p != "CI"}
            low = by_source.get(low.outputs.get("CO7", -1))
    return [cell for cell in cells if id(cell) not in gone]


def _absorb(cells: list[Cell], fan_out: Mapping[int, int]) -> None:
    """Mark the registers that a DSP slice or a block memory has inside.

    A register without reset is the product or output register of what alone drives it, and the
    operand register of the DSP slices that are its only loads.
    """
    driver = {net: cell for cell in cells for net in cell.outputs.values()}
    registers = [c for c in cells if c.kind == "FF" and not {"R", "S"} & c.inputs.keys()]
    sources = [c for c in cells if c.kind in ("DSP", "BRAM")]
    for depth in (1, 2):  # product register, then output register
        ahead = {id(c): c for c in sources}
        sources = []
        for ff in registers:
            before = driver.get(ff.inputs.get("D", -1))
            if before is None or id(before) not in ahead or fan_out[ff.inputs["D"]] != 1:
                continue
            ff.absorbed = before.kind if depth == 1 else before.absorbed
            before.registered = True
            if ff.absorbed == "DSP":
                sources.append(ff)
    operands = Counter(net for c in cells if c.kind == "DSP" for net in c.operands.values())
    for ff in registers:
        q = ff.outputs.get("Q", -1)
        ff.feeds_dsp = 0 < fan_out[q] == operands[q]
    for dsp in (c for c in cells if c.kind == "DSP"):
        inside = {p: n for p, n in dsp.operands.items() if driver[n].feeds_dsp}
        if len(inside) == len(dsp.operands):
            dsp.inputs = {p: n for p, n in dsp.inputs.items() if p not in inside}


def _ordered(cells: list[Cell]) -> list[tuple[Cell, str]]:
    """Sort combinational outputs by what they depend on."""
    made_by = {
        net: (cell, pin)
        for cell in cells
        for pin, net in cell.outputs.items()
        if cell.clock_to_out(pin) is None
    }
    order: list[tuple[Cell, str]] = []
    state: dict[int, bool] = {}  # net -> finished
    for start in made_by:
        stack = [start]
        while stack:
            net = stack[-1]
            if net not in made_by or state.get(net):
                stack.pop()
                continue
            cell, pin = made_by[net]
            if net in state:
                state[net] = True
                order.append((cell, pin))
                stack.pop()
                continue
            state[net] = False
            needed = [cell.inputs[p] for p in cell.ways(pin) if p in cell.inputs]
            for source in needed:
                if source in made_by and state.get(source) is False:
                    raise ReportError(f"the netlist has a loop of logic through net {source}")
            stack.extend(n for n in needed if n in made_by and n not in state)
    return order


def _names(netnames: Mapping[str, Any]) -> dict[int, str]:
    """Choose the name that says most: not made up by the synthesis, then the shortest."""
    best: dict[int, tuple[bool, int, str]] = {}
    for name, entry in netnames.items():
        hidden, bits = bool(entry["hide_name"]), entry["bits"]
        for i, bit in enumerate(bits):
            if not isinstance(bit, int):
                continue
            full = name if len(bits) == 1 else f"{name}[{i + entry.get('offset', 0)}]"
            candidate = (hidden, len(full), full)
            if bit not in best or candidate < best[bit]:
                best[bit] = candidate
    return {bit: name for bit, (_, _, name) in best.items()}
