"""A comparison of two reports as lines of text that fit a terminal."""

from collections.abc import Iterator
from itertools import groupby

from l1met_fpga.report.changes import Change, Comparison

__all__ = ["comparison_lines", "shortened"]

GAP = "  "


def comparison_lines(found: Comparison, *, width: int) -> Iterator[str]:
    """Yield what was compared, then every figure that differs, then why some were not judged.

    Figures are grouped by the first part of their keys, which stands above them once.

    Args:
        found: The comparison.
        width: Letters of a line; names that are too long are cut in the middle.
    """
    yield "made with"
    name_width = max((len(about.key) for about in found.contexts), default=0)
    for about in found.contexts:
        change = "" if about.same else f" -> {about.new_text}  DIFFERS"
        yield f"{GAP}{about.key:{name_width}}{GAP}{about.old_text}{change}"
    told = [row for row in found.changes if row.verdict != "same"]
    rows = [(_group_and_name(row.key), _cells(row)) for row in told]
    widths = [max((len(cells[k]) for _, cells in rows), default=0) for k in range(4)]
    room = max(16, width - sum(widths) - len(GAP) * 5)
    for group, members in groupby(rows, key=lambda row: row[0][0]):
        yield group
        some = list(members)
        names = shortened([name for (_, name), _ in some], room)
        for name, (_, cells) in zip(names, some, strict=True):
            padded = (f"{cell:{size}}" for cell, size in zip(cells, widths, strict=True))
            yield GAP.join(("", f"{name:{room}}", *padded)).rstrip()
    yield from found.reasons
    yield f"{len(found.changes) - len(told)} figures are the same"


def shortened(names: list[str], width: int) -> list[str]:
    """Cut long names in the middle; those that would look alike stay whole."""
    head = width // 3
    short = [k if len(k) <= width else f"{k[:head]}…{k[head + 1 - width :]}" for k in names]
    return [s if short.count(s) == 1 else name for s, name in zip(short, names, strict=True)]


def _cells(row: Change) -> tuple[str, str, str, str]:
    return row.old_text, row.new_text, row.change_text, row.verdict


def _group_and_name(key: str) -> tuple[str, str]:
    """Divide ``a.b.efficiency`` and ``a.b.difference.puppi.value`` after ``a.b``."""
    group, difference, name = key.partition(".difference.")
    if difference:
        return group, f"difference.{name}"
    parts = key.split(".")
    n_name = 2 if parts[-1] == "value" and len(parts) > 2 else 1
    return ".".join(parts[:-n_name]) or "report", ".".join(parts[-n_name:])
