"""Wrappers of the streaming RTL for boards: payload of the EMP framework, and IP core."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l1met_fpga.config.rtl import RtlConfig
from l1met_fpga.errors import ConfigError, ConversionError
from l1met_fpga.firmware.export.rendering import identifier, render, write_folder
from l1met_fpga.firmware.export.vectors import LinkMap
from l1met_fpga.firmware.gt_head import gt_head, require_gt_head
from l1met_fpga.firmware.meaning import require_no_vertex
from l1met_fpga.firmware.rtl.design import Design, build_design
from l1met_fpga.firmware.rtl.project import header
from l1met_fpga.firmware.rtl.verilog import design_files
from l1met_fpga.firmware.score_heads import words_name
from l1met_fpga.models.network import Network

__all__ = ["GENERATIONS", "PortInfo", "Streaming", "export_emp", "export_ip", "streaming"]

GENERATIONS: Final = {
    "0.6": "releases before 0.7.0: links know valid and start of packet only",
    "0.7": "release 0.7.0 and later: links know start of orbit, start and end of packet",
}
"""The framework's two kinds of link word."""


IP_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A port of the top module.

    Attributes:
        name: Its name.
        direction: ``in`` or ``out``.
        width: Bits.
    """

    name: str
    direction: str
    width: int


@dataclass(frozen=True)
class Streaming:
    """The Verilog of a network and what a wrapper must know of it.

    Attributes:
        design: The traced design.
        top: Name of the top module.
        sources: File name -> Verilog.
    """

    design: Design
    top: str
    sources: dict[str, str]

    @property
    def latency_gt(self) -> int:
        """Clocks from the last beat of an event to its word for the global trigger."""
        return self.design.latency + self.design.word_clocks

    @property
    def ports(self) -> tuple[PortInfo, ...]:
        """Ports of the top module, in its order."""
        heads = self.design.network.heads
        inputs = {
            "clk": 1, "rst": 1, "in_valid": 1, "in_first": 1, "in_last": 1,
            "in_words": 64 * self.design.lanes,
        }  # fmt: skip
        if vertex := self.design.network.vertex:
            inputs["vertex_z0"] = vertex.type.width
        outputs = {"stray": 1}
        for head in heads:
            width = self.design.port_of(head).width
            outputs |= {f"{head.name}_valid": 1, f"{head.name}_error": 1}
            outputs |= dict.fromkeys(head.numbers, width)
        if self.design.cordic is not None:
            outputs |= {"gt_valid": 1, "gt_word": 64}
        for head in self.design.scores:
            name = words_name(head)
            outputs |= {f"{name}_valid": 1, name: 8 * head.size}
        return (
            *(PortInfo(name, "in", width) for name, width in inputs.items()),
            *(PortInfo(name, "out", width) for name, width in outputs.items()),
        )

    @property
    def values(self) -> dict[str, Any]:
        """What the templates need."""
        lines = header(self.design)
        return {
            "header": "\n".join(f"-- {line}" for line in lines),
            "title": lines[0],
            "top": self.top,
            "lanes": self.design.lanes,
            "beats": self.design.beats,
            "latency": self.design.latency,
            "latency_gt": self.latency_gt,
            "ports": self.ports,
            "sources": sorted(self.sources),
            "gt": gt_head(self.design.network),
            "heads": [
                {
                    "name": head.name,
                    "prefix": head.name.upper(),
                    "numbers": head.numbers,
                    "width": self.design.port_of(head).width,
                    "frac_bits": self.design.port_of(head).frac_bits,
                    "unit": head.unit,
                }
                for head in self.design.network.heads
            ],
        }

    @property
    def package(self) -> str:
        """VHDL package with the constants and the component."""
        return render("board/package.vhd.j2", **self.values)


def streaming(network: Network, config: RtlConfig) -> Streaming:
    """Trace a network and return its Verilog.

    Raises:
        ConversionError: If the network cannot stream, or its logic was asked for in VHDL.
    """
    if config.flavor != "verilog":
        raise ConversionError(
            "wrappers are made around the Verilog design; set rtl.flavor to verilog"
        )
    design, top = build_design(network, config), f"l1met_{identifier(network.name)}"
    return Streaming(design, top, design_files(design, top, header(design)))


def export_emp(
    network: Network, config: RtlConfig, folder: Path, *, links: LinkMap, generation: str = "0.7"
) -> str:
    """Write the payload, its control block, link map, dependency file and address table.

    Args:
        network: The integer network.
        config: Section ``rtl``; its lanes must be as many as input links.
        folder: New, empty, or an earlier export of this kind.
        links: Links of the board to use.
        generation: One of :data:`GENERATIONS`.

    Returns:
        The ``ipbb`` command that adds it to a project.

    Raises:
        ConfigError: If the generation is unknown or the number of links is not that of lanes.
        ConversionError: If the network cannot stream, or the folder holds anything else.
    """
    if generation not in GENERATIONS:
        raise ConfigError(
            f"unknown generation {generation!r} of the EMP framework; choose from "
            f"{list(GENERATIONS)}"
        )
    if len(links.inputs) != config.lanes:
        raise ConfigError(
            f"{len(links.inputs)} input links for {config.lanes} lanes; one lane takes one link"
        )
    require_gt_head(network, "the EMP payload")
    require_no_vertex(network, "the EMP payload")
    links.beats(network)
    rtl = streaming(network, config)
    values = {
        **rtl.values,
        "input_links": links.inputs,
        "output_link": links.output,
        "generation": generation,
        "generation_words": GENERATIONS[generation],
        "component": folder.name,
    }
    hdl = "firmware/hdl"
    link_map = {
        "inputs": [
            {"link": link, "lane": lane, "candidates": f"{rtl.design.lanes} * frame + {lane}"}
            for lane, link in enumerate(links.inputs)
        ],
        "output": {"link": links.output, "content": "word for the global trigger"},
        "frames": rtl.design.beats,
        "clocks_from_last_frame": rtl.latency_gt + 2,
    }
    files = {
        f"{hdl}/emp_payload.vhd": render("board/emp_payload.vhd.j2", **values),
        f"{hdl}/l1met_control.vhd": render("board/l1met_control.vhd.j2", **values),
        f"{hdl}/{rtl.top}_pkg.vhd": rtl.package,
        **{f"{hdl}/src/{name}": text for name, text in rtl.sources.items()},
        "firmware/cfg/emp_payload.dep": render("board/payload.dep.j2", **values),
        "addr_table/emp_payload.xml": render("board/address_table.xml.j2", **values),
        "link_map.json": json.dumps(link_map, indent=2) + "\n",
        "README.md": render("board/emp_README.md.j2", **values),
    }
    write_folder(folder, files, kind="emp")
    return f"ipbb proj create vivado my_project {folder.name}: emp_payload.dep"


def export_ip(network: Network, config: RtlConfig, folder: Path) -> str:
    """Write an IP core: sources, ``component.xml``, Vivado's packaging script, VHDL package.

    Args:
        network: The integer network.
        config: Section ``rtl``.
        folder: New, empty, or an earlier export of this kind.

    Returns:
        The command that lets Vivado package it, to be run in the folder.

    Raises:
        ConversionError: If the network cannot stream, or the folder holds anything else.
    """
    rtl = streaming(network, config)
    values = {
        **rtl.values,
        "version": IP_VERSION,
        "part": config.part,
        "frequency_hz": round(1e9 / config.clock_period_ns),
    }
    files = {
        **{f"src/{name}": text for name, text in rtl.sources.items()},
        "component.xml": render("board/component.xml.j2", **values),
        "package_ip.tcl": render("board/package_ip.tcl.j2", **values),
        f"{rtl.top}_pkg.vhd": rtl.package,
        "README.md": render("board/ip_README.md.j2", **values),
    }
    write_folder(folder, files, kind="ip")
    return "vivado -mode batch -source package_ip.tcl"
