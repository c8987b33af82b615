"""A network's operations as C++11 for synthesis: L candidates per clock, exact ``ap_int`` widths.

The statements are those of the C++ header (:mod:`l1met_fpga.firmware.export.cpp_nodes`) in another
dialect: a lane is a candidate of a beat, sums over candidates are static accumulators, and a matrix
product is written out term by term, so that a weight of zero is not there.
"""

from collections.abc import Iterable
from math import prod

from l1met_fpga.firmware.export.cpp_nodes import CppCode, Generator, conversion
from l1met_fpga.fixed_point import FixedType
from l1met_fpga.models import nodes as net
from l1met_fpga.models.network import Network
from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["ap_int", "generate_words", "partition"]


def ap_int(kind: FixedType) -> str:
    """Return the signed ``ap_int`` that holds every code of a type."""
    return f"ap_int<{kind.width + (not kind.signed)}>"


def generate_words(network: Network) -> tuple[CppCode, tuple[str, ...]]:
    """Translate a network.

    Returns:
        The pieces of the source, and the names of its constant arrays, which become ROMs.

    Raises:
        ConversionError: As :func:`l1met_fpga.firmware.export.cpp_nodes.generate`.
    """
    generator = _WordsGenerator(network)
    return generator.code, tuple(generator.tables)


class _WordsGenerator(Generator):
    block = "in_"

    def __init__(self, network: Network) -> None:
        self.tables: list[str] = []
        super().__init__(network)

    def _int(self, kind: FixedType) -> str:
        return ap_int(kind)

    def _declared(self, node: net.Node) -> str:
        return f"{super()._declared(node)}\n{partition(self.names[node.name])}"

    def _constant(self, name: str, kind: str, values: Iterable[int]) -> str:
        numbers = ", ".join(_literal(value) for value in values)
        self.code.constants.append(f"static const {kind} {name}[] = {{{numbers}}};")
        self.tables.append(name)
        return name

    def _input(self, node: net.InputColumn) -> list[str]:
        kind = ap_int(COLUMNS[node.column].type)
        return [f"const {kind} (&{self.names[node.name]})[1][kLanes] = {self.block}{node.column};"]

    def _momentum(self, node: net.Momentum, pt: net.Node, phi: net.Node) -> list[str]:
        name, table = self.names[node.name], node.table_type
        quarter = self._constant(f"{name}quarter", ap_int(table), node.quadrant_cos)
        bits = COLUMNS["pt"].type.width + table.width + (not table.signed)
        cast = conversion(bits, 2 + table.frac_bits, node.type, node.name)
        arguments = f"{self.names[pt.name]}, {self.names[phi.name]}, {name}, {quarter}"
        return [self._declared(node), f"project<{cast}>({arguments});"]

    def _dense(self, node: net.Dense, x: net.Node) -> list[str]:
        wide = node.type.width + (not node.type.signed) > 32
        sized = "Plain<true>" if wide else "Plain<false>"
        source, out, frac_bits = self.names[x.name], self.names[node.name], node.type.frac_bits
        kernel_shift = frac_bits - x.type.frac_bits - node.kernel_type.frac_bits
        bias_shift = frac_bits - node.bias_type.frac_bits
        lines = [self._declared(node)]
        loop = f"for (std::size_t i = 0; i < {self._lanes(node)}; ++i) {{"
        used = sorted({i for i, row in enumerate(node.kernel) if any(row)})
        values = [
            f"        const {sized}::Unsigned x{i} = static_cast<{sized}::Unsigned>"
            f"(plain({source}[{i}][i]));"
            for i in used
        ]
        sums = [
            f"        {out}[{j}][i] = {ap_int(node.type)}(static_cast<{sized}::Int>("
            + " + ".join(
                [
                    f"static_cast<{sized}::Unsigned>({_literal(int(bias) << bias_shift)})",
                    *(
                        f"static_cast<{sized}::Unsigned>({_literal(int(row[j]) << kernel_shift)})"
                        f" * x{i}"
                        for i, row in enumerate(node.kernel)
                        if row[j]
                    ),
                ]
            )
            + "));"
            for j, bias in enumerate(node.bias)
        ]
        lines.append("\n".join([loop, "#pragma HLS UNROLL", *values, *sums, "    }"]))
        return lines

    def _pool(self, node: net.Node, a: str, b: str, *, sign: int, left: int) -> list[str]:
        name = f"{self.names[node.name]}sum"
        self.code.sums.append(
            f"static {ap_int(node.type)} {name}[{prod(node.shape)}];\n{partition(name)}"
        )
        self.code.per_candidate.append(f"add_products({a}, {b}, first, {name});")
        return [self._declared(node), f"take_sum<{sign}, {left}>({name}, {self.names[node.name]});"]


def partition(name: str) -> str:
    """Return the pragma that makes every element of an array a register of its own."""
    return f"#pragma HLS ARRAY_PARTITION variable={name} complete dim=0"


def _literal(value: int) -> str:
    number = int(value)
    return str(number) if -(2**31) < number < 2**31 else f"{number}LL"
