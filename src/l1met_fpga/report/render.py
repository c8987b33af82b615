"""Markdown and self-contained HTML from sections of tables and PNG figures."""

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from l1met_fpga.files import atomic_path
from l1met_fpga.report.answer import Answer
from l1met_fpga.report.captions import caption
from l1met_fpga.report.chart import HEIGHT, MARGINS, WIDTH, Chart
from l1met_fpga.report.page import Section, Table
from l1met_fpga.results.report import HeldLimit

__all__ = ["Page", "figures_in", "render_html", "write_html", "write_markdown"]

FIRST: Final = (
    "cost",
    "resolution_par_ttbar",
    "resolution_perp_ttbar",
    "turn_on",
    "roc",
    "rate",
    "response",
)
"""Figures are shown in this order; others follow by name."""
_ACTIVE: Final = re.compile(r"[\\`*<|~$&#]|\[(?![-+\d])|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")
_AT_START: Final = re.compile(r"^(\d+(?=[.)](?:\s|$))|)([>.)]|[+=-](?=[\s+=-]|$))")
"""The mark of a quote or a list, with the number of a numbered one."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a report shows.

    Attributes:
        title: Heading and window title.
        subtitle: Beside the heading: what it is about.
        alerts: Sentences that must be seen first.
        answers: Tiles of the first screen.
        chart: Drawing of the first screen.
        tables: Tables of the first screen.
        limits: Limits above zero that were checked, as bars of the first screen.
        notes: What a reader must know; folded in the HTML page.
        gains: What the network gains, in sentences; folded in the HTML page.
        sections: Tables, folded in the HTML page.
        figures: PNG files, embedded in the HTML page.
        footer: Where it comes from.
    """

    title: str
    subtitle: str = ""
    alerts: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    chart: Chart | None = None
    tables: tuple[Table, ...] = ()
    limits: tuple[HeldLimit, ...] = ()
    notes: tuple[str, ...] = ()
    gains: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    figures: tuple[Path, ...] = ()
    footer: str = ""


def figures_in(folder: Path) -> tuple[Path, ...]:
    """Return the PNG files of a folder, the most telling ones first."""

    def rank(path: Path) -> tuple[int, str]:
        ranks = [k for k, start in enumerate(FIRST) if path.stem.startswith(start)]
        return (ranks[0] if ranks else len(FIRST), path.stem)

    return tuple(sorted(folder.glob("*.png"), key=rank))


def write_markdown(page: Page, path: Path) -> None:
    """Write the page for CI logs and job summaries."""
    _write(path, _environment(html=False).get_template("report.md.j2").render(page=page))


def write_html(page: Page, path: Path) -> None:
    """Write one HTML file with style, script and figures inside; it needs no network."""
    images = [_image(file) for file in page.figures]
    own = {section.title: [_image(file) for file in section.figures] for section in page.sections}
    frame = {"width": WIDTH, "height": HEIGHT, "margins": MARGINS}
    render_html("report.html.j2", path, page=page, images=images, own_images=own, **frame)


def render_html(template: str, path: Path, **values: Any) -> None:
    """Write one HTML file from a template of this room."""
    _write(path, _environment(html=True).get_template(template).render(**values))


def _image(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    width, height = struct.unpack(">II", content[16:24])  # the first chunk of every PNG
    data = base64.b64encode(content).decode()
    return {
        "name": file.stem, "caption": caption(file.stem), "data": data,
        "width": width, "height": height,
    }  # fmt: skip


def _environment(*, html: bool) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("l1met_fpga.report"),
        undefined=jinja2.StrictUndefined,  # a missing value must fail
        autoescape=html,
        finalize=None if html else as_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["line"] = as_markdown_line
    made.filters["own"] = Markup  # our own words, which may be marked up
    made.filters["breakable"] = breakable
    made.filters["digits"] = lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    made.filters["anchor"] = lambda text: "".join(c if c.isalnum() else "-" for c in text.lower())
    return made


def breakable(key: str) -> Markup:
    """Return a dotted key that a narrow column breaks between its words."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])", key))


def as_markdown(text: Any) -> str:
    """Return text that Markdown shows as it is: names may hold what Markdown would act upon.

    Every value that a template prints goes through this. Brackets around numbers stay, because an
    interval is no link and no task.
    """
    if isinstance(text, Markup):
        return str(text)
    return _ACTIVE.sub(r"\\\g<0>", " ".join(str(text).split()))


def as_markdown_line(text: Any) -> Markup:
    """Return text that stands at the start of a line, where lists, headings and quotes begin."""
    return Markup(_AT_START.sub(r"\g<1>\\\g<2>", as_markdown(text)))


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
