"""Which node of the network an operation of traced logic belongs to."""

from collections.abc import Iterable, Mapping, Sequence

from da4ml.trace import FixedVariable, comb_trace
from da4ml.types import CombLogic

from l1met_fpga.firmware.rtl.fusion import sources
from l1met_fpga.firmware.rtl.primitives import constant

__all__ = ["Marks", "owners_of"]

Marks = Mapping[str, Sequence[FixedVariable]]
"""Node -> its numbers, every node after those that it reads."""


def owners_of(
    comb: CombLogic,
    inputs: Sequence[FixedVariable],
    outputs: Sequence[FixedVariable],
    marks: Marks,
) -> tuple[str, ...]:
    """Return the first node whose numbers need an operation, for each operation of a block.

    Args:
        comb: The block as it was traced.
        inputs: Its inputs.
        outputs: Its outputs.
        marks: The nodes; an operation that none of them needs belongs to "".
    """
    numbers = [v if v.high > v.low else constant(v.low) for vs in marks.values() for v in vs]
    # with the nodes' numbers given out, too, the same operations stand in the same order
    marked = comb_trace(list(inputs), [*outputs, *numbers])
    kept = sorted(_cone(marked, marked.out_idxs[: len(outputs)], set()))
    if [marked.ops[i].opcode for i in kept] != [op.opcode for op in comb.ops]:
        raise AssertionError("da4ml traced a block in another order when its nodes were given out")
    owner: dict[int, str] = {}
    ends = iter(marked.out_idxs[len(outputs) :])
    for name, variables in marks.items():
        new = _cone(marked, [next(ends) for _ in variables], set(owner))
        owner |= dict.fromkeys(new, name)
    return tuple(owner.get(i, "") for i in kept)


def _cone(comb: CombLogic, ends: Iterable[int], without: set[int]) -> set[int]:
    """Return the operations that some results need, as far as the known ones."""
    found, waiting = set[int](), [i for i in ends if i >= 0]
    while waiting:
        i = waiting.pop()
        if i not in found and i not in without:
            found.add(i)
            waiting.extend(j for j in sources(comb.ops[i]) if j >= 0)
    return found
