"""Write a design as Verilog files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2

from l1met_fpga.errors import ConversionError
from l1met_fpga.firmware.rtl.blocks import Block, Port
from l1met_fpga.firmware.rtl.cordic import Cordic
from l1met_fpga.firmware.rtl.design import (
    INPUT_CLOCKS,
    PRODUCT_CLOCKS,
    Design,
    Term,
)
from l1met_fpga.firmware.rtl.stage_code import TIMESCALE
from l1met_fpga.firmware.rtl.stage_files import stage_files, static_files
from l1met_fpga.firmware.rtl.trees import tree_of
from l1met_fpga.models import network as net
from l1met_fpga.puppi.columns import COLUMNS, PHI_COUNTS_PER_TURN

__all__ = ["COLUMN_BITS", "Wire", "design_files", "render_template"]

PHI_WIDTH: Final = COLUMNS["phi"].type.width
_WORD_BITS: Final = {
    "pt": "word[13:0]",
    "eta": "word[25:14]",
    "phi": "word[36:26]",
    "pid": "word[39:37]",
    "z0": "charged ? word[49:40] : 10'd0",
    "dxy": "charged ? word[57:50] : 8'd0",
    "quality": "charged ? word[60:58] : 3'd0",
    "puppi_weight": "charged ? 9'd256 : word[48:40]",
    "em_id": "charged ? 6'd0 : word[54:49]",
}


def _column_bits() -> dict[str, int]:
    lowest, result = 0, {}
    for name, column in COLUMNS.items():
        result[name] = lowest
        lowest += column.type.width
    return result


COLUMN_BITS: Final = _column_bits()
"""Lowest bit of each column in a 128-bit slot of ``in_columns`` (simulation only)."""


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
    fields = _fields(design)
    files = {
        f"{prefix}_delay.v": render("delay"),
        f"{prefix}_adder3.v": render("adder3"),
        f"{prefix}_product.v": render("product"),
        f"{prefix}_turn.v": render("turn"),
        f"{prefix}_unpack.v": render("unpack", fields=fields),
        f"{prefix}_momentum.v": _momentum(design, render),
        f"{prefix}_lane.v": _lane(design, render),
        f"{prefix}_cordic.v": _cordic(design, render),
        f"{prefix}.v": _top(design, render, fields),
    }
    registered = {design.vector.name, "rho"}
    for block in design.blocks:
        name = f"{prefix}_{block.name}"
        widths = [_bus(block.inputs)]
        widths += [_bus([Port.of(q) for q in s.out_qint]) for s in block.pipeline.solutions]
        files[f"{name}.v"] = render(
            "pipeline",
            block=block,
            name=name,
            widths=[max(1, w) for w in widths],
            input_register=block.name in registered,
            keep=block is design.phi and _masked(design),
        )
        files |= stage_files(block, name, prefix, design.config.flavor)
    return files | static_files(design.config.flavor)


class _Renderer:
    """Fills Verilog templates with the design's prefix and header."""

    def __init__(self, prefix: str, header: Sequence[str]):
        self.prefix = prefix
        self.header = "\n".join([*(f"// {line}".rstrip() for line in header), TIMESCALE])

    def __call__(self, template: str, **values: Any) -> str:
        return render_template(f"{template}.v", prefix=self.prefix, header=self.header, **values)


def render_template(name: str, /, **values: Any) -> str:
    """Fill ``templates/{name}.j2``; a value that the template needs and lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(f"{name}.j2").render(**values)


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


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    width: int
    low: int
    expression: str


def _fields(design: Design) -> list[_Field]:
    names = dict.fromkeys((*design.columns, "pt", "phi"))
    return [
        _Field(name, COLUMNS[name].type.width, COLUMN_BITS[name], _WORD_BITS[name])
        for name in COLUMNS
        if name in names
    ]


def _momentum(design: Design, render: _Renderer) -> str:
    momentum = design.momentum
    table_width = max(momentum.quadrant_cos).bit_length() + 1
    projection = design.projection
    return render(
        "momentum",
        momentum=momentum,
        clocks=design.projection_clocks,
        cosine=[value & ((1 << table_width) - 1) for value in _cosines(momentum)],
        table_width=table_width,
        product_width=projection.inputs[0].width,
        out=projection.outputs[0],
        projection=_block_text(projection, ["mx", "my"], ["px", "py"]),
    )


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
    used = (*design.vector.used_inputs, *(design.rho.used_inputs if design.rho else ()))
    for i, (term, is_used) in enumerate(
        zip((*design.vector_terms, *design.event_terms), used, strict=True)
    ):
        if is_used:
            yield f"t{i}", term


def _lane(design: Design, render: _Renderer) -> str:
    names = [f"f{i}" for i in range(len(design.phi.outputs))]
    phi = _block_text(design.phi, [f"{c}_1" for c in design.columns], names)
    projection = _block_text(design.projection, ["mx", "my"], ["px", "py"])
    momenta = tuple(
        Wire(w.name, w.port, w.expression.replace("projection_out", "p_xy"))
        for w in projection.outputs
    )
    widths = {w.name: w.signed_width for w in (*phi.outputs, *momenta)}
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
        projection=_BlockText(projection.bits, projection.bits_out, "", momenta),
        terms=terms,
        weights=[{"name": n, "late": f"{n}_late", "width": w} for n, w in weights.items()],
        momentum_wait=design.momentum_ready - INPUT_CLOCKS - design.projection_clocks,
        weight_wait=design.momentum_ready - design.phi_ready,
        masked=_masked(design),
    )


def _cordic(design: Design, render: _Renderer) -> str:
    cordic = Cordic(design.network.type_of(design.head.name))
    return render(
        "cordic",
        xy=cordic.xy,
        c=cordic,
        gain_width=cordic.inverse_gain.bit_length() + 1,
    )


def _top(design: Design, render: _Renderer, fields: Sequence[_Field]) -> str:
    out = design.output_port
    named = list(_terms(design))
    trees = [tree_of(design, name, term) for name, term in named]
    sums = {
        f"t{i}": f"t{i}_next" for i in range(len(design.vector_terms) + len(design.event_terms))
    }
    n_vector = len(design.vector_terms)
    keys = list(sums)
    vector_names = [f"v{i}" for i in range(len(design.vector.outputs))]
    values: dict[str, Any] = {
        "design": design,
        "columns": fields,
        "fields": fields,
        "terms": [_TermText(n, t.kind, t.port.signed_width) for n, t in named],
        "trees": trees,
        "beat_bits": design.beats.bit_length(),
        "first_depth": max(2, *(t.ready - 2 for t in trees)),
        "out": out,
        "cordic": Cordic(design.network.type_of(design.head.name)),
        "vector": _block_text(design.vector, [sums[k] for k in keys[:n_vector]], vector_names),
        "rho": None,
        "output": None,
        "products": [],
    }
    met_wires = values["vector"].outputs
    if design.rho is not None and design.output is not None:
        rho_names = [f"c{i}" for i in range(len(design.rho.outputs))]
        values["rho"] = _block_text(design.rho, [sums[k] for k in keys[n_vector:]], rho_names)
        values["products"] = [
            {
                "name": f"cv{i}",
                "left": f"c{i // 2}_late",
                "left_width": design.rho.outputs[i // 2].signed_width,
                "right": f"v{i}_late",
                "right_width": port.signed_width,
            }
            for i, port in enumerate(design.vector.outputs)
        ]
        products = [p["name"] for p in values["products"]]
        values["output"] = _block_text(design.output, products, ["sum_x", "sum_y"])
        met_wires = values["output"].outputs
    values["met"] = [_aligned(w, out) for w in met_wires]
    return render("top", **values)


def _aligned(wire: Wire, out: Port) -> str:
    """Expression of a wire in counts of the output type."""
    shift = out.frac_bits - wire.port.frac_bits if wire.port.width else 0
    return f"{wire.name} <<< {shift}" if shift else wire.name
