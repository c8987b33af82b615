"""Verilog of one stage of traced logic: every operation as an expression, adders as few as possible.

Bits of a sum below all operands but one are wires, and two adders in a row are one of three
operands where :mod:`fusion` says so.
"""

from collections.abc import Callable
from typing import Final

from da4ml.types import CombLogic, Op, QInterval, minimal_kif

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.rtl import fusion
from l1met_fpga.firmware.rtl.fusion import Term, lowest_bit, width_of

__all__ = ["TIMESCALE", "stage_module"]

TIMESCALE: Final = "`timescale 1ns / 1ps"
_REDUCTIONS: Final = {0: "~", 1: "|", 2: "&"}


class _Stage:
    """Lines of one stage."""

    def __init__(self, comb: CombLogic, prefix: str, table_module: Callable[[CombLogic, Op], str]):
        self.comb = comb
        self.prefix = prefix
        self.table_module = table_module
        self.pairs = fusion.three_operand(comb)
        self.lines: list[str] = []
        self.negated: set[int] = set()

    # -- values ----------------------------------------------------------------------------------

    def width(self, i: int) -> int:
        return width_of(self.comb.ops[i])

    def signed(self, i: int) -> bool:
        return bool(self.comb.ops[i].qint.min < 0)

    def slice(self, name: str, width: int, signed: bool, low: int, high: int) -> str:
        """Bits ``low`` to ``high - 1`` of a value with zeros below and its sign above."""
        parts = []
        above = high - max(low, width)
        if above > 0:
            bit = f"{name}[{width - 1}]" if signed and width else "1'b0"
            parts.append(bit if above == 1 else f"{{{above}{{{bit}}}}}")
        top, bottom = min(high, width), max(low, 0)
        if top > bottom:
            parts.append(f"{name}[{top - 1}:{bottom}]")
        below = min(0, high) - low
        if below > 0:
            parts.append(f"{below}'d0")
        return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"

    def operand(self, term: Term, low: int, high: int) -> str:
        """Bits of an operand of a sum, ``low`` and ``high`` counted in the sum."""
        if term.value < 0:
            bits = (term.constant << term.shift >> low) & ((1 << (high - low)) - 1)
            return f"{high - low}'d{bits}"
        i = term.value
        return self.slice(
            f"v{i}", self.width(i), self.signed(i), low - term.shift, high - term.shift
        )

    def negative_of(self, i: int) -> str:
        """Name of the negated value, made once."""
        name, width = f"v{i}_neg", self.negative_width(i)
        if i not in self.negated:
            self.negated.add(i)
            value = self.slice(f"v{i}", self.width(i), self.signed(i), 0, width)
            self.lines.append(f"wire [{width - 1}:0] {name} = -{value};")
        return name

    def negative_width(self, i: int) -> int:
        low, high, step = self.comb.ops[i].qint
        return int(sum(minimal_kif(QInterval(-high, -low, step))))

    # -- operations ------------------------------------------------------------------------------

    def add(self, i: int) -> None:
        terms = sorted(
            fusion.operands(self.comb, i, self.pairs.get(i)),
            key=lambda t: (lowest_bit(t), t.negative),
        )
        width, first = self.width(i), terms[0]
        if any(lowest_bit(t) < 0 for t in terms):
            raise ConversionError(f"an operand of sum {i} has bits below the sum's")
        low = min(fusion.chain_begins(terms), width)
        self.lines.append(f"wire [{width - 1}:0] v{i};")
        if low:
            self.lines.append(f"assign v{i}[{low - 1}:0] = {self.operand(first, 0, low)};")
        if low == width:
            return
        target = f"v{i}[{width - 1}:{low}]"
        texts = [self.operand(t, low, width) for t in terms]
        if len(terms) == 2:
            if first.negative or (self.in_luts(first) and not terms[1].negative):
                texts, terms = texts[::-1], terms[::-1]
            if terms[0].negative:
                raise ConversionError(f"sum {i} has two negative operands")
            sign = "-" if terms[1].negative else "+"
            self.lines.append(f"assign {target} = {texts[0]} {sign} {texts[1]};")
            return
        self._three(i, terms, texts, low, target)

    def in_luts(self, term: Term) -> bool:
        """Whether an operand comes from LUTs, which the LUTs of an adder's second operand take in."""
        return term.value >= 0 and abs(self.comb.ops[term.value].opcode) in fusion.IN_LUTS

    def _three(self, i: int, terms: list[Term], texts: list[str], low: int, target: str) -> None:
        """Place the module; its first operand is a positive one if there is any."""
        if terms[0].negative:
            order = (1, 0, 2)
            terms, texts = [terms[k] for k in order], [texts[k] for k in order]
        width = self.width(i)
        negative = "".join("1" if t.negative else "0" for t in reversed(terms))
        begins = max(0, lowest_bit(terms[2]) - low) if sum(t.negative for t in terms[:2]) < 2 else 0
        live = [
            f".LIVE_{name}({width - low}'h{fusion.live_bits(self.comb, t, width) >> low:x})"
            for name, t in zip("ABC", terms, strict=True)
        ]
        self.lines.append(
            f"{self.prefix}_adder3 #(.WIDTH({width - low}), .NEGATIVE(3'b{negative}), "
            f".C_BEGINS({min(begins, width - low)}), {', '.join(live)}) op_{i} "
            f"(.a({texts[0]}), .b({texts[1]}), .c({texts[2]}), .sum({target}));"
        )

    def select(self, i: int, op: Op) -> None:
        key = op.data & 0xFFFFFFFF
        shift = (op.data >> 32) & 0xFFFFFFFF
        shift = shift if shift < 0x80000000 else shift - 0x100000000
        out, width = minimal_kif(op.qint).fractional, self.width(i)

        def bits(source: int, up: int, negative: bool) -> str:
            up += out - minimal_kif(self.comb.ops[source].qint).fractional
            if not self.width(source):
                return f"{width}'d0"
            name, n, signed = f"v{source}", self.width(source), self.signed(source)
            if negative:
                signed = bool(self.comb.ops[source].qint.max > 0)
                name, n = self.negative_of(source), self.negative_width(source)
            return self.slice(name, n, signed, -up, width - up)

        one, zero = bits(op.id0, 0, negative=False), bits(op.id1, shift, negative=op.opcode < 0)
        self.lines.append(
            f"wire [{width - 1}:0] v{i} = v{key}[{self.width(key) - 1}] ? {one} : {zero};"
        )

    def cut(self, i: int, op: Op) -> None:
        """Keep some bits of a value (wrap), or those of its positive part (relu)."""
        source, width = op.id0, self.width(i)
        low, high, _ = self.comb.ops[source].qint
        drop = minimal_kif(self.comb.ops[source].qint).fractional - minimal_kif(op.qint).fractional
        name, n, signed = f"v{source}", self.width(source), bool(low < 0)
        if op.opcode < 0:
            signed = bool(high > 0)
            name, n = self.negative_of(source), self.negative_width(source)
        text = self.slice(name, n, signed, drop, drop + width)
        if abs(op.opcode) == 2 and signed:
            text = f"{text} & {{{width}{{~{name}[{n - 1}]}}}}"
        self.lines.append(f"wire [{width - 1}:0] v{i} = {text};")

    def unary(self, i: int, op: Op) -> None:
        name = f"v{op.id0}"
        if op.opcode < 0 and op.data != 1:
            name = self.negative_of(op.id0)
        self.lines.append(f"wire [{self.width(i) - 1}:0] v{i} = {_REDUCTIONS[op.data]}{name};")

    def operation(self, i: int, op: Op, inputs: list[int]) -> None:
        width = self.width(i)
        match op.opcode:
            case -1:
                low = inputs[op.id0]
                self.lines.append(
                    f"wire [{width - 1}:0] v{i} = model_inp[{low + width - 1}:{low}];"
                )
            case 0 | 1 | 4:
                self.add(i)
            case 2 | -2 | 3 | -3:
                self.cut(i, op)
            case 5:
                code = op.data & ((1 << width) - 1)
                self.lines.append(f"wire [{width - 1}:0] v{i} = {width}'d{code};")
            case 6 | -6:
                self.select(i, op)
            case 8:
                module = self.table_module(self.comb, op)
                self.lines.append(f"wire [{width - 1}:0] v{i};")
                self.lines.append(f"{module} op_{i} (.in(v{op.id0}), .out(v{i}));")
            case 9 | -9:
                self.unary(i, op)
            case _:
                raise ConversionError(
                    f"operation {op.opcode} of the traced logic has no Verilog here"
                )

    def text(self, name: str) -> str:
        comb = self.comb
        inputs, lowest = [], 0
        for qint in comb.inp_qint:
            inputs.append(lowest)
            lowest += int(sum(minimal_kif(qint)))
        inner, uses = set(self.pairs.values()), comb.ref_count
        for i, op in enumerate(comb.ops):
            if uses[i] and self.width(i) and i not in inner:
                self.operation(i, op, inputs)
        outputs, total = [], 0
        for index, negative, qint in zip(comb.out_idxs, comb.out_negs, comb.out_qint, strict=True):
            width = int(sum(minimal_kif(qint)))
            if index < 0 or not width:
                continue
            source = self.negative_of(index) if negative else f"v{index}"
            outputs.append(
                f"assign model_out[{total + width - 1}:{total}] = {source}[{width - 1}:0];"
            )
            total += width
        body = "\n    ".join([*self.lines, "", *outputs])
        return f"""{TIMESCALE}
module {name} (
    input wire [{max(1, lowest) - 1}:0] model_inp,
    output wire [{max(1, total) - 1}:0] model_out
);
    // verilator lint_off UNUSEDSIGNAL
    {body}
    // verilator lint_on UNUSEDSIGNAL
endmodule
"""


def stage_module(
    comb: CombLogic, name: str, prefix: str, table_module: Callable[[CombLogic, Op], str]
) -> str:
    """Return the text of a stage.

    Args:
        comb: Its logic.
        name: Module name.
        prefix: Start of the names of all modules of the design.
        table_module: Gives the module name of a look-up operation's table.

    Raises:
        ConversionError: If the logic holds an operation that no network of this package makes.
    """
    return _Stage(comb, prefix, table_module).text(name)
