"""Pairs of adders that become one adder of three operands.

A carry chain takes two operands; a LUT in front of every bit can turn three into two (majority and
parity), so ``(a + b) + c`` needs one LUT per bit instead of two. Adders are paired where the inner
sum has no other use.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from da4ml.types import CombLogic, Op, minimal_kif

__all__ = [
    "IN_LUTS",
    "Term",
    "chain_begins",
    "live_bits",
    "lowest_bit",
    "operands",
    "sources",
    "three_operand",
    "width_of",
]

ADD: Final = 0
SUBTRACT: Final = 1
ADD_CONSTANT: Final = 4
IN_LUTS: Final = (2, 6, 8)
"""Masks, multiplexers, tables."""
_ADDERS: Final = (ADD, SUBTRACT, ADD_CONSTANT)
_INPUT: Final = -1
_CONSTANT: Final = 5
_MUX: Final = 6


@dataclass(frozen=True, slots=True)
class Term:
    """One operand of a sum.

    Attributes:
        value: Index of the operation that makes it; -1 for a constant.
        shift: Places to the left, relative to the sum's last bit.
        negative: Whether it is subtracted.
        constant: Its codes, when ``value`` is -1.
    """

    value: int
    shift: int
    negative: bool
    constant: int = 0


def width_of(op: Op) -> int:
    """Return the bits of an operation's result."""
    return int(sum(minimal_kif(op.qint)))


def sources(op: Op) -> tuple[int, ...]:
    """Return the operations whose results an operation reads."""
    if op.opcode in (_INPUT, _CONSTANT):
        return ()
    if abs(op.opcode) == _MUX:
        return (op.id0, op.id1, op.data & 0xFFFFFFFF)
    return (op.id0,) if op.id1 < 0 else (op.id0, op.id1)


def three_operand(comb: CombLogic) -> dict[int, int]:
    """Choose which adder takes in which other.

    Users come first, and each takes the inner sum that saves most LUTs. That rule sees only direct
    neighbours, so it chooses the same pairs in a whole block and in each of its stages, as long
    as a pair lies in one stage.

    Returns:
        Index of the outer adder -> index of the inner one, which then has no adder of its own.
    """
    ops = comb.ops
    uses = Counter(source for op in ops for source in sources(op))
    uses.update(i for i in comb.out_idxs if i >= 0)
    pairs: dict[int, int] = {}
    inner: set[int] = set()
    for i in range(len(ops) - 1, -1, -1):
        if i in inner or ops[i].opcode not in _ADDERS or not width_of(ops[i]):
            continue
        gains = {
            j: _gain(comb, uses, i, j)
            for j in dict.fromkeys(sources(ops[i]))
            if uses[j] == 1 and ops[j].opcode in _ADDERS and width_of(ops[j])
        }
        best = max(gains, key=lambda j: (gains[j], -j), default=None)
        if best is not None and gains[best] > 0:
            pairs[i] = best
            inner.add(best)
    return pairs


def _gain(comb: CombLogic, uses: Counter[int], outer: int, inner: int) -> int:
    """LUTs that one adder of three operands saves.

    A mask, multiplexer or small table with no other use is part of the LUTs of a plain adder; in
    front of one of three operands it needs its own.
    """
    width = width_of(comb.ops[outer])
    together = operands(comb, outer, inner)
    saved = chain_luts(comb, operands(comb, outer, None), width)
    saved += chain_luts(comb, operands(comb, inner, None), width_of(comb.ops[inner]))
    saved -= chain_luts(comb, together, width)
    own = [t.value for t in together if t.value >= 0]
    return saved - sum(
        width_of(comb.ops[j]) for j in own if uses[j] == 1 and abs(comb.ops[j].opcode) in IN_LUTS
    )


def chain_luts(comb: CombLogic, terms: Sequence[Term], width: int) -> int:
    """LUTs in front of a carry chain, as a synthesis counts them.

    A bit that only one operand has goes into the chain without a LUT, unless it is inverted.
    """
    masks = [live_bits(comb, t, width) for t in terms]
    below, count = False, 0
    for k in range(width):
        live = [t.negative for m, t in zip(masks, terms, strict=True) if m >> k & 1]
        live += [False] * below
        if len(terms) == 3 and (len(live) > 2 or sum(live) > 1):
            below, count = True, count + 1
            continue
        below = False
        count += len(live) == 2 or sum(live) > 0
    return count


def live_bits(comb: CombLogic, term: Term, width: int) -> int:
    """Return the bits of a sum in which an operand can differ from zero, as a mask.

    A subtracted operand is inverted: its upper zeros become ones.
    """
    everywhere = (1 << width) - 1
    if term.value < 0:
        return (term.constant << term.shift) & everywhere
    op = comb.ops[term.value]
    from_lowest = everywhere >> term.shift << term.shift
    if op.qint.min < 0 or term.negative:
        return from_lowest
    return from_lowest & ((1 << (term.shift + width_of(op))) - 1)


def operands(comb: CombLogic, index: int, inner: int | None) -> tuple[Term, ...]:
    """Return the two or three operands of an adder, lowest first.

    Args:
        comb: The logic.
        index: The adder.
        inner: The adder that it takes in, if any.
    """
    found: list[Term] = []
    for term in _pair(comb, index):
        if inner is not None and term.value == inner:
            found += [_inside(t, term) for t in _pair(comb, inner)]
        else:
            found.append(term)
    return tuple(sorted(found, key=lambda t: (lowest_bit(t), t.negative)))


def lowest_bit(term: Term) -> int:
    """Lowest bit of a sum that an operand can set."""
    if term.value < 0 and term.constant:
        return term.shift + (term.constant & -term.constant).bit_length() - 1
    return term.shift


def chain_begins(terms: Sequence[Term]) -> int:
    """Lowest bit of the carry chain; the bits below belong to the first operand alone."""
    return 0 if terms[0].negative else lowest_bit(terms[1])


def _pair(comb: CombLogic, index: int) -> tuple[Term, Term]:
    """Operands of one adder by itself."""
    op = comb.ops[index]
    out = _frac_bits(op)
    first = Term(op.id0, out - _frac_bits(comb.ops[op.id0]), negative=False)
    if op.opcode == ADD_CONSTANT:
        return first, Term(-1, 0, negative=False, constant=op.data)
    shift = out - _frac_bits(comb.ops[op.id1]) + op.data
    return first, Term(op.id1, shift, op.opcode == SUBTRACT)


def _inside(term: Term, outer: Term) -> Term:
    """An operand of an inner sum as one of the outer; constants take the sign into themselves."""
    if term.value < 0:
        sign = -1 if outer.negative else 1
        return Term(-1, term.shift + outer.shift, negative=False, constant=sign * term.constant)
    return Term(term.value, term.shift + outer.shift, term.negative ^ outer.negative)


def _frac_bits(op: Op) -> int:
    return int(minimal_kif(op.qint).fractional)
