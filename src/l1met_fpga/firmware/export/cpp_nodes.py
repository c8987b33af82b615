"""A network's operations as statements in C++, for :mod:`l1met_fpga.firmware.export.cpp`.

A tensor of candidates is ``T name[channels][kLanes]``, one of an event ``T name[channels][1]``. T
is the narrowest signed integer that holds every code of the node's type.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np

from l1met_fpga.errors import ConversionError
from l1met_fpga.fixed_point import FixedType, Overflow, Rounding
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["CppCode", "Generator", "conversion", "generate", "integer_for"]

_CANDIDATE: Final = (net.InputColumn, net.Features, net.Momentum)
_POOLS: Final = (net.VectorPool, net.ScalarPool, net.Aggregate)
_ROUNDING: Final = {mode: f"Rounding::{mode.name.lower()}" for mode in Rounding}
_OVERFLOW: Final = {
    Overflow.WRAP: "wrap",
    Overflow.SAT: "saturate",
    Overflow.SAT_SYM: "saturate",
    Overflow.SAT_ZERO: "zero",
}


@dataclass
class CppCode:
    """Pieces of the generated header.

    Attributes:
        constants: Definitions of kernels and tables.
        sums: Members of the struct of sums over candidates.
        per_candidate: Statements for a block of candidates.
        per_event: Statements that follow the last candidate.
        outputs: Head -> name of the tensor that holds its numbers.
        columns: Candidate columns that are read, ``pt`` always.
    """

    constants: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    per_candidate: list[str] = field(default_factory=list)
    per_event: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()


def integer_for(kind: FixedType) -> int:
    """Return the bits of the narrowest signed integer (16, 32 or 64) that holds a type's codes."""
    return _at_least(kind.width + (not kind.signed))


def _at_least(bits: int) -> int:
    return next(size for size in (16, 32, 64) if bits <= size)


def generate(network: Network) -> CppCode:
    """Translate a network.

    Raises:
        ConversionError: If it mixes candidates with events in one operation, or needs integers of
            more than 64 bits.
    """
    return Generator(network).code


class Generator:
    """Goes through the nodes once and collects statements.

    A subclass says the same in another dialect of C++: it overrides what stands for a type, a
    constant, or an operation.
    """

    block = "block."
    """What goes before the name of a column of candidates."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.code = CppCode()
        # the underscore at the end keeps a name from being a keyword
        self.names = {node.name: f"{node.name}_" for node in network}
        self.of_event: dict[str, bool] = {}
        for node in network:
            self.of_event[node.name] = self._is_of_event(node)
            self._add(node)
        for head in network.heads:
            if not self.of_event[head.node]:
                raise ConversionError(
                    f"head {head.name!r} has a result per candidate; generated C++ gives results "
                    "per event"
                )
            self.code.outputs[head.name] = self.names[head.node]
        used = {"pt"}.union(*(_columns(node) for node in network))
        self.code.columns = tuple(name for name in COLUMNS if name in used)

    def _is_of_event(self, node: net.Node) -> bool:
        if isinstance(node, _CANDIDATE):
            return False
        levels = {self.of_event[name] for name in node.inputs}
        if len(levels) != 1:
            raise ConversionError(
                f"node {node.name!r} ({node.op}) mixes candidates with an event: {node.inputs}"
            )
        if isinstance(node, _POOLS):
            if levels == {True}:
                raise ConversionError(f"node {node.name!r} ({node.op}) pools {node.inputs} twice")
            return True
        return levels == {True}

    def _add(self, node: net.Node) -> None:
        statements = getattr(self, f"_{node.op}")(node, *map(self.network.node, node.inputs))
        target = self.code.per_event if self.of_event[node.name] else self.code.per_candidate
        target.extend(statements)

    # -- names and types ------------------------------------------------------------------------

    def _declared(self, node: net.Node) -> str:
        of_event = self.of_event[node.name]
        channels = prod(node.shape) if of_event else prod(node.shape[1:])
        return f"{self._int(node.type)} {self.names[node.name]}[{channels}][{self._lanes(node)}];"

    def _int(self, kind: FixedType) -> str:
        """What holds a code of a type."""
        return f"std::int{integer_for(kind)}_t"

    def _lanes(self, node: net.Node) -> str:
        return "1" if self.of_event[node.name] else "kLanes"

    def _constant(self, name: str, kind: str, values: Iterable[int]) -> str:
        numbers = ", ".join(str(int(v)) for v in values) or "0"
        self.code.constants.append(f"inline constexpr {kind} {name}[] = {{{numbers}}};")
        return name

    # -- operations -------------------------------------------------------------------------------

    def _input(self, node: net.InputColumn) -> list[str]:
        return [
            f"[[maybe_unused]] const auto& {self.names[node.name]} = {self.block}{node.column};"
        ]

    def _features(self, node: net.Features, *_inputs: net.Node) -> list[str]:
        out = self.names[node.name]
        lines = [self._declared(node)]
        for channel, feature in enumerate(node.features):
            value, low, high, frac_bits = _feature_value(feature)
            cast = conversion(_int_bits(low, high), frac_bits, feature.type, node.name)
            left = node.type.frac_bits - feature.type.frac_bits
            lines.append(
                f"for (std::size_t i = 0; i < kLanes; ++i) {{  // {feature.name}\n"
                f"        const int x = {self.block}{feature.column}[0][i];\n"
                f"        {out}[{channel}][i] = shifted_left<{left}>("
                f"static_cast<{self._int(node.type)}>(converted<{cast}>({value})));\n    }}"
            )
        return lines

    def _momentum(self, node: net.Momentum, pt: net.Node, phi: net.Node) -> list[str]:
        name = self.names[node.name]
        table_bits = node.table_type.width + (not node.table_type.signed)
        integer = f"std::int{_at_least(table_bits + 1)}_t"  # holds the negative of every code too
        quarter = self._constant(f"{name}quarter", integer, node.quadrant_cos)
        self.code.constants.append(f"inline constexpr auto {name}turn = full_turn({quarter});")
        product_bits = COLUMNS["pt"].type.width + table_bits
        cast = conversion(product_bits, 2 + node.table_type.frac_bits, node.type, node.name)
        arguments = f"{self.names[pt.name]}, {self.names[phi.name]}, {name}, {name}turn"
        return [self._declared(node), f"project<{cast}>({arguments});"]

    def _dense(self, node: net.Dense, x: net.Node) -> list[str]:
        name, bits = self.names[node.name], integer_for(node.type)
        frac_bits = node.type.frac_bits
        kernel_shift = frac_bits - x.type.frac_bits - node.kernel_type.frac_bits
        bias_shift = frac_bits - node.bias_type.frac_bits
        terms = [
            [(i, row[j]) for i, row in enumerate(node.kernel) if row[j]]
            for j in range(len(node.bias))
        ]
        flat = [term for column in terms for term in column]
        first = np.cumsum([0, *map(len, terms)])
        arrays = (
            self._constant(f"{name}first", "std::uint32_t", first),
            self._constant(f"{name}input", "std::uint16_t", (i for i, _ in flat)),
            self._constant(
                f"{name}weight",
                self._int(node.type),
                _modulo((w for _, w in flat), kernel_shift, bits),
            ),
            self._constant(
                f"{name}bias", self._int(node.type), _modulo(node.bias, bias_shift, bits)
            ),
        )
        arguments = ", ".join((self.names[x.name], name, *arrays))
        return [self._declared(node), f"dense({arguments});"]

    def _quantize(self, node: net.Quantize, x: net.Node) -> list[str]:
        bits = x.type.width + (not x.type.signed)
        cast = conversion(bits, x.type.frac_bits, node.type, node.name)
        names = f"{self.names[x.name]}, {self.names[node.name]}"
        return [self._declared(node), f"quantize<{cast}>({names});"]

    def _quantize_channels(self, node: net.QuantizeChannels, x: net.Node) -> list[str]:
        bits = x.type.width + (not x.type.signed)
        source, out = self.names[x.name], self.names[node.name]
        lines = [self._declared(node)]
        for channel, kind in enumerate(node.types):
            if kind is None:
                value = "0"
            else:
                cast = conversion(bits, x.type.frac_bits, kind, node.name)
                left = node.type.frac_bits - kind.frac_bits
                own = f"static_cast<{self._int(node.type)}>(converted<{cast}>({source}[{channel}][i]))"
                value = f"shifted_left<{left}>({own})"
            loop = f"for (std::size_t i = 0; i < {self._lanes(node)}; ++i)"
            lines.append(f"{loop} {out}[{channel}][i] = {value};")
        return lines

    def _table(self, node: net.Table, x: net.Node) -> list[str]:
        name = self.names[node.name]
        table = self._constant(f"{name}table", self._int(node.type), node.table)
        arguments = f"{self.names[x.name]}, {name}, {table}, {x.type.min_code}"
        return [self._declared(node), f"look_up({arguments});"]

    def _multiply(self, node: net.Multiply, a: net.Node, b: net.Node) -> list[str]:
        left = node.type.frac_bits - a.type.frac_bits - b.type.frac_bits
        if prod(a.shape) < prod(b.shape):
            a, b = b, a
        names = ", ".join(self.names[n.name] for n in (a, b, node))
        return [self._declared(node), f"multiply<{left}>({names});"]

    def _pool(self, node: net.Node, a: str, b: str, *, sign: int, left: int) -> list[str]:
        """Sum over candidates of a product; the rest follows the last one."""
        name, unsigned = self.names[node.name], f"std::uint{integer_for(node.type)}_t"
        self.code.sums.append(f"{unsigned} {name}[{prod(node.shape)}] = {{}};")
        self.code.per_candidate.append(f"add_products({a}, {b}, sums.{name});")
        return [self._declared(node), f"take_sum<{sign}, {left}>(sums.{name}, {name});"]

    def _vector_pool(self, node: net.VectorPool, w: net.Node, p: net.Node) -> list[str]:
        left = node.type.frac_bits - w.type.frac_bits - p.type.frac_bits
        return self._pool(node, self.names[w.name], self.names[p.name], sign=-1, left=left)

    def _scalar_pool(self, node: net.ScalarPool, s: net.Node, _pt: net.Node) -> list[str]:
        left = node.type.frac_bits - s.type.frac_bits - node.shift
        return self._pool(node, f"{self.block}filled", self.names[s.name], sign=1, left=left)

    def _aggregate(self, node: net.Aggregate, w: net.Node, x: net.Node, _pt: net.Node) -> list[str]:
        left = node.type.frac_bits - w.type.frac_bits - x.type.frac_bits - node.shift
        masked = f"{self.names[node.name]}filled"
        channels = prod(w.shape[1:])
        self.code.per_candidate += [
            f"{self._int(w.type)} {masked}[{channels}][kLanes];",
            f"multiply<0>({self.names[w.name]}, {self.block}filled, {masked});",
        ]
        return self._pool(node, masked, self.names[x.name], sign=1, left=left)

    def _combine(self, node: net.Combine, c: net.Node, v: net.Node) -> list[str]:
        left = node.type.frac_bits - c.type.frac_bits - v.type.frac_bits
        names = ", ".join(self.names[n.name] for n in (c, v, node))
        return [self._declared(node), f"combine<{left}>({names});"]

    def _concatenate(self, node: net.Concatenate, *inputs: net.Node) -> list[str]:
        out, kind, first = self.names[node.name], self._int(node.type), 0
        lines = [self._declared(node)]
        for x in inputs:
            channels, left = x.shape[-1], node.type.frac_bits - x.type.frac_bits
            source = f"static_cast<{kind}>({self.names[x.name]}[c][i])"
            lines.append(
                f"for (std::size_t c = 0; c < {channels}; ++c)\n"
                f"        for (std::size_t i = 0; i < {self._lanes(node)}; ++i)"
                f" {out}[{first} + c][i] = shifted_left<{left}>({source});"
            )
            first += channels
        return lines


def _columns(node: net.Node) -> set[str]:
    if isinstance(node, net.InputColumn):
        return {node.column}
    return {f.column for f in node.features} if isinstance(node, net.Features) else set()


def _feature_value(feature: net.Feature) -> tuple[str, int, int, int]:
    """Expression of a feature in its counts x, its range, and the fraction bits."""
    kind = COLUMNS[feature.column].type
    match feature.kind:
        case "value":
            return "x", kind.min_code, kind.max_code, feature.scale_bits
        case "abs":
            largest = max(-kind.min_code, kind.max_code)
            return "x < 0 ? -x : x", 0, largest, feature.scale_bits
        case "flag":
            alternatives = " || ".join(f"x == {code}" for code in feature.codes) or "false"
            return f"static_cast<int>({alternatives})", 0, 1, 0


def _int_bits(low: int, high: int) -> int:
    kind = FixedType.for_codes(low, high, 0)
    return kind.width + (not kind.signed)


def conversion(bits: int, frac_bits: int, kind: FixedType, where: str) -> str:
    """Return template arguments that bring codes of ``bits`` bits and a sign into a type.

    Raises:
        ConversionError: If a step would need more than 64 bits.
    """
    drop = frac_bits - kind.frac_bits
    grows = -drop if kind.overflow is not Overflow.WRAP else 0  # what wraps may lose high bits
    needed = max(bits + 1 + max(grows, 0), kind.width + 1, abs(drop) + 1)
    if needed > 64:
        raise ConversionError(
            f"node {where!r}: bringing {bits} bits with {frac_bits} fraction bits into "
            f"{kind.hls_name} needs an integer of {needed} bits; 64 are there"
        )
    low, high = kind.min_code, kind.max_code
    if kind.overflow is Overflow.SAT_SYM and kind.signed:
        low = -max(high, 1)  # one bit has no symmetric limits: ap_fixed keeps -1
    modes = f"{_ROUNDING[kind.rounding]}, Overflow::{_OVERFLOW[kind.overflow]}"
    return f"std::int{_at_least(needed)}_t, {drop}, {modes}, {low}, {high}"


def _modulo(codes: Iterable[Any], shift: int, bits: int) -> Sequence[int]:
    """Shift codes left and bring them into a signed integer, modulo two to its width."""
    half = 1 << (bits - 1)
    return [((int(code) << shift) + half) % (2 * half) - half for code in codes]
