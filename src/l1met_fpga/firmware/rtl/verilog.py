"""Write a design as Verilog files."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.firmware.rtl.blocks import Block, Port
from l1met_fpga.firmware.rtl.cordic import Cordic
from l1met_fpga.firmware.rtl.design import INPUT_CLOCKS, PRODUCT_CLOCKS, Design, Term
from l1met_fpga.firmware.rtl.fields import Field, fields_of
from l1met_fpga.firmware.rtl.score_files import score_files
from l1met_fpga.firmware.rtl.stage_code import TIMESCALE
from l1met_fpga.firmware.rtl.stage_files import stage_files, static_files
from l1met_fpga.firmware.rtl.trees import tree_of
from l1met_fpga.firmware.score_heads import words_name
from l1met_fpga.firmware.templates import fill
from l1met_fpga.models import nodes as net
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN
from l1met_fpga.puppi.windows import MAX_WINDOWS, WINDOW_BITS
from l1met_fpga.puppi.words import LOWEST_BIT

__all__ = ["Wire", "design_files", "render_template"]

PHI_WIDTH: Final = COLUMNS["phi"].type.width
TEMPLATES: Final = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Wire:
    """A signed wire cut out of a block's output bus.

    Attributes:
        name: Wire name.
        port: Codes that it carries.
        expression: Right-hand side of its declaration.
    """

    name: str
    port: Port
    expression: str

    @property
    def signed_width(self) -> int:
        """Bits, sign always included."""
        return self.port.signed_width


@dataclass(frozen=True, slots=True)
class _BlockText:
    """What a template needs to place a block."""

    bits: int
    bits_out: int
    input_concat: str
    outputs: tuple[Wire, ...]


def design_files(design: Design, prefix: str, header: Sequence[str]) -> dict[str, str]:
    """Return file name -> text of a whole design.

    Args:
        design: The design.
        prefix: Start of every module and file name; the top module has exactly this name.
        header: Comment lines for the head of every file.
    """
    render = _Renderer(prefix, header)
    files = {
        f"{prefix}_delay.v": render("delay"),
        f"{prefix}_adder3.v": render("adder3"),
        f"{prefix}_product.v": render("product"),
        f"{prefix}_unpack.v": render(
            "unpack", fields=_fields(design), vertex=design.network.vertex, z0_bit=LOWEST_BIT["z0"]
        ),
        f"{prefix}_lane.v": _lane(design, render),
        f"{prefix}_window.v": render(
            "window", bits=WINDOW_BITS, windows=MAX_WINDOWS, place=LOWEST_BIT
        ),
        f"{prefix}.v": _top(design, render),
    }
    if (vector := design.parts.vector) is not None and design.projection is not None:
        files[f"{prefix}_momentum.v"] = render(
            "momentum",
            clocks=design.projection_clocks,
            **_momentum(vector.momentum, design.projection),
        )
    if design.cordic is not None:
        files[f"{prefix}_turn.v"] = render("turn")
        files[f"{prefix}_cordic.v"] = _cordic(design.cordic, render)
    for head, scores in design.scores.items():
        files |= score_files(head, scores, prefix, render)
    for block in design.blocks:
        name = f"{prefix}_{block.name}"
        widths = [_bus(block.inputs)]
        widths += [_bus([Port.of(q) for q in s.out_qint]) for s in block.pipeline.solutions]
        files[f"{name}.v"] = render(
            "pipeline",
            block=block,
            name=name,
            widths=[max(1, w) for w in widths],
            input_register=block.name in _REGISTERED,
            keep=block is design.phi and _masked(design),
        )
        files |= stage_files(block, name, prefix, design.config.flavor)
    return files | static_files(design.config.flavor)


_REGISTERED: Final = ("vector", "rho")
"""Blocks whose inputs have a register of their own."""


class _Renderer:
    """Fills Verilog templates with the design's prefix and header."""

    def __init__(self, prefix: str, header: Sequence[str]):
        self.prefix = prefix
        self.header = "\n".join([*(f"// {line}".rstrip() for line in header), TIMESCALE])

    def __call__(self, template: str, **values: Any) -> str:
        return fill(TEMPLATES, f"{template}.v.j2", prefix=self.prefix, header=self.header, **values)


def render_template(name: str, /, **values: Any) -> str:
    """Fill ``templates/{name}.j2``."""
    return fill(TEMPLATES, f"{name}.j2", **values)


def _bus(ports: Sequence[Port]) -> int:
    return sum(port.width for port in ports)


def _wires(block: Block, names: Sequence[str]) -> tuple[Wire, ...]:
    """Cut a block's output bus into signed wires; a port that is always zero becomes 0."""
    wires, lowest = [], 0
    for name, port in zip(names, block.outputs, strict=True):
        if port.width == 0:
            wires.append(Wire(name, port, "1'sd0"))
            continue
        part = f"{block.name}_out[{lowest + port.width - 1}:{lowest}]"
        expression = f"$signed({part})" if port.signed else f"$signed({{1'b0, {part}}})"
        wires.append(Wire(name, port, expression))
        lowest += port.width
    return tuple(wires)


def _block_text(block: Block, sources: Sequence[str], names: Sequence[str]) -> _BlockText:
    """Connect named sources (wide enough) to a block's input bus."""
    parts = [
        f"{source}[{port.width - 1}:0]"
        for source, port in zip(sources, block.inputs, strict=True)
        if port.width
    ]
    return _BlockText(
        bits=max(1, _bus(block.outputs)),
        bits_out=max(1, _bus(block.outputs)),
        input_concat=", ".join(reversed(parts)) or "1'b0",
        outputs=_wires(block, names),
    )


def _fields(design: Design) -> list[Field]:
    phi = {"phi"} if design.projection is not None else set()
    columns = frozenset({*design.columns, "pt", *phi})
    return fields_of(columns, z0_origin=design.network.z0_origin)


def _momentum(momentum: net.Momentum, projection: Block) -> dict[str, Any]:
    table_width = max(momentum.quadrant_cos).bit_length() + 1
    return {
        "momentum": momentum,
        "cosine": [value & ((1 << table_width) - 1) for value in _cosines(momentum)],
        "table_width": table_width,
        "product_width": projection.inputs[0].width,
        "out": projection.outputs[0],
        "projection": _block_text(projection, ["mx", "my"], ["px", "py"]),
    }


def _cosines(momentum: net.Momentum) -> list[int]:
    """Cosine of every code of phi, 0 to 1023, then -1024 to -1."""
    first = momentum.quadrant_cos
    quarter = PHI_COUNTS_PER_TURN // 4
    if first[quarter] != 0:
        raise ConversionError(
            f"the cosine table ends with {first[quarter]}, it must be 0 at a quarter turn: the RTL "
            "reads the sine from the same table"
        )

    def at(phi: int) -> int:
        half = min(abs(phi), PHI_COUNTS_PER_TURN - abs(phi))
        return -first[2 * quarter - half] if half > quarter else first[half]

    codes = 1 << PHI_WIDTH
    return [at(code - codes if code >= codes // 2 else code) for code in range(codes)]


@dataclass(frozen=True, slots=True)
class _TermText:
    """One output of a lane: a perceptron output or a product."""

    name: str
    kind: str
    width: int
    left: str = ""
    left_width: int = 0
    right: str = ""
    right_width: int = 0


def _masked(design: Design) -> bool:
    """Whether an empty slot would add something: px and py are zero there, other numbers not."""
    return any(term.kind != "vector" for _, term in _terms(design))


def _terms(design: Design) -> Iterator[tuple[str, Term]]:
    """Name and term of every accumulator, pruned ones left out."""
    blocks = (design.vector, design.rho)
    used = (flag for block in blocks if block is not None for flag in block.used_inputs)
    for i, (term, is_used) in enumerate(
        zip((*design.vector_terms, *design.event_terms), used, strict=True)
    ):
        if is_used:
            yield f"t{i}", term


def _lane(design: Design, render: _Renderer) -> str:
    names = [f"f{i}" for i in range(len(design.phi.outputs))]
    phi = _block_text(design.phi, [f"{c}_1" for c in design.columns], names)
    projection = None
    if design.projection is not None:
        placed = _block_text(design.projection, ["mx", "my"], ["px", "py"])
        momenta = tuple(
            Wire(w.name, w.port, w.expression.replace("projection_out", "p_xy"))
            for w in placed.outputs
        )
        projection = _BlockText(placed.bits, placed.bits_out, "", momenta)
    wires = (*phi.outputs, *(projection.outputs if projection is not None else ()))
    widths = {w.name: w.signed_width for w in wires}
    terms, weights = [], {}
    for name, term in _terms(design):
        left = names[term.outputs[0]]
        left_width = widths[left]
        if term.kind == "vector":
            weights[left] = left_width
            left, right = f"{left}_late", ("px", "py")[term.axis]
        else:
            right = names[term.outputs[1]] if term.kind == "aggregate" else ""
        terms.append(
            _TermText(
                name, term.kind, term.port.signed_width,
                left, left_width, right, widths.get(right, 0),
            )
        )  # fmt: skip
    return render(
        "lane",
        design=design,
        product_clocks=PRODUCT_CLOCKS,
        columns=_fields(design),
        phi=phi,
        projection=projection,
        terms=terms,
        weights=[{"name": n, "late": f"{n}_late", "width": w} for n, w in weights.items()],
        momentum_wait=design.momentum_ready - INPUT_CLOCKS - design.projection_clocks,
        weight_wait=design.momentum_ready - design.phi_ready,
        masked=_masked(design),
    )


def _cordic(cordic: Cordic, render: _Renderer) -> str:
    width = cordic.inverse_gain.bit_length() + 1
    product = cordic.width + width
    added = (cordic.size_offset + (1 << (cordic.size_shift - 1))) % (1 << product)
    return render(
        "cordic", xy=cordic.xy, c=cordic, gain_width=width, size_constant=f"{product}'d{added}"
    )


def _top(design: Design, render: _Renderer) -> str:
    fields, named = _fields(design), list(_terms(design))
    trees = [tree_of(design, name, term) for name, term in named]
    n_vector = len(design.vector_terms)
    sums = [f"t{i}_next" for i in range(n_vector + len(design.event_terms))]
    values: dict[str, Any] = {"vector": None, "rho": None, "output": None}
    if design.vector is not None:
        names = [f"v{i}" for i in range(len(design.vector.outputs))]
        values["vector"] = _block_text(design.vector, sums[:n_vector], names)
    if design.rho is not None:
        n = design.n_coefficients
        names = [f"c{i}" for i in range(n)]
        names += [f"h{i}" for i in range(len(design.rho.outputs) - n)]
        values["rho"] = _block_text(design.rho, sums[n_vector:], names)
    products = _products(design)
    if design.output is not None:
        sources = [product["name"] for product in products]
        values["output"] = _block_text(design.output, sources, ["sum_x", "sum_y"])
    return render(
        "top",
        **values,
        design=design,
        columns=fields,
        fields=fields,
        vertex=design.network.vertex,
        terms=[_TermText(n, t.kind, t.port.signed_width) for n, t in named],
        trees=trees,
        beat_bits=design.beats.bit_length(),
        window_bits=MAX_WINDOWS * WINDOW_BITS,
        first_depth=max([2, *(t.ready - 2 for t in trees)]),
        products=products,
        coefficients=()
        if values["rho"] is None
        else values["rho"].outputs[: design.n_coefficients],
        cordic=design.cordic,
        scores={words_name(head): (head, scores) for head, scores in design.scores.items()},
        gt=gt_head(design.network),
        heads=design.network.heads,
        numbers=list(_numbers(design, values)),
        given=_given(design),
        meanings=[_meaning(design, head) for head in design.network.heads],
    )


def _given(design: Design) -> str:
    """Say what comes out, for the comment at the head."""
    gt = gt_head(design.network)
    told = ["px, py" if head == gt else ", ".join(head.numbers) for head in design.network.heads]
    return ", ".join(told) + (" and the global-trigger word" if gt is not None else "")


def _meaning(design: Design, head: NetworkHead) -> str:
    """Say what the numbers of a head are, in two lines of a comment."""
    vector = design.parts.vector
    is_sum = vector is not None and head == vector.head
    what = f"{head.name.upper()} = -sum p" if is_sum else head.name.upper()
    numbers = f"{', '.join(head.numbers)} {'is' if head.size == 1 else 'are'} {what}"
    unit = f" {head.unit}" if head.unit else ""
    return f"{numbers} in\n// counts of 2^-{design.port_of(head).frac_bits}{unit}"


def _products(design: Design) -> list[dict[str, Any]]:
    """Coefficients times vectors."""
    if design.output is None or design.rho is None or design.vector is None:
        return []
    return [
        {
            "name": f"cv{i}",
            "left": f"c{i // 2}_late",
            "left_width": design.rho.outputs[i // 2].signed_width,
            "right": f"v{i}_late",
            "right_width": port.signed_width,
        }
        for i, port in enumerate(design.vector.outputs)
    ]


@dataclass(frozen=True, slots=True)
class _Number:
    """A number that the design gives out.

    Attributes:
        name: Of its port.
        code: Wire with its code.
        port: Codes that it carries.
        expression: The code.
        wire: Wire of the block that gives it.
        wait: Clocks until the numbers of all heads are there.
    """

    name: str
    code: str
    port: Port
    expression: str
    wire: Wire
    wait: int


def _numbers(design: Design, placed: Mapping[str, _BlockText | None]) -> Iterator[_Number]:
    vector, gt = design.parts.vector, gt_head(design.network)
    rest = iter(placed["rho"].outputs[design.n_coefficients :] if placed["rho"] else ())
    for head in design.network.heads:
        wires: Iterable[Wire] = itertools.islice(rest, head.size)
        if vector is not None and head == vector.head:
            block = placed["output"] or placed["vector"]
            wires = block.outputs if block is not None else ()
        wait, out = design.latency - design.ready(head), design.port_of(head)
        for name, wire in zip(head.numbers, wires, strict=True):
            code = f"{name[-1]}_code" if head == gt else f"{name}_code"
            late = replace(wire, name=f"{wire.name}_late") if wait else wire
            yield _Number(name, code, out, _aligned(late, out), wire, wait)


def _aligned(wire: Wire, out: Port) -> str:
    """Expression of a wire in counts of the output type."""
    shift = out.frac_bits - wire.port.frac_bits if wire.port.width else 0
    return f"{wire.name} <<< {shift}" if shift else wire.name
