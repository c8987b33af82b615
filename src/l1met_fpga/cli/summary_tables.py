"""What a training and an evaluation print: widths, efficiencies, and areas of classes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from l1met_fpga.results.metrics import Efficiency, Metrics, Resolution

__all__ = ["summary_tables"]


def summary_tables(metrics: "Metrics") -> Iterator[Table]:
    """Yield the tables of a run's figures."""
    yield _table(metrics)
    for label, heads in metrics.classes.items():
        for head in heads:
            yield _areas(metrics, label, head)


def _areas(metrics: "Metrics", label: str, head: str) -> Table:
    """Areas of all classes that have examples, by estimate."""
    found = metrics.classes[label][head]
    classes = list(zip(metrics.words.classes[head], found.examples, strict=True))
    table = Table(title=f"{label}: area under the ROC curve, each class against the rest")
    table.add_column("(examples)", no_wrap=True)
    for name, n in classes:
        if n:
            table.add_column(f"{name}\n({n:,})", justify="right", no_wrap=True)
    for name, figures in found.estimates.items():
        areas = [one.value for one, (_, n) in zip(figures.area, classes, strict=True) if n]
        cells = ["-" if area is None else f"{area:.3f}" for area in areas]
        table.add_row(metrics.title(name), *cells)
    return table


def _table(metrics: "Metrics") -> Table:
    """Resolution, and efficiency at the lowest rate in bins of genMET, of all estimates."""
    low, high = metrics.config.gain_range_gev
    words = metrics.words
    part = "Test part: slope" if metrics.primary else "Slope"  # events of a user have no parts
    title = f"{part}-corrected widths in {words.unit} for {words.truth} {low:g}-{high:g}"
    point = metrics.working_points[0] if metrics.working_points else None
    if point is not None:
        title += f"; efficiency at {point.title}"
    table = Table(title=title)
    table.add_column(words.score, no_wrap=True)
    for label in metrics.resolution:
        table.add_column(f"{label}\n{', '.join(words.widths)}", justify="right", no_wrap=True)
    for label, found in metrics.trigger.items():
        for key in found.efficiency[point.key] if point else ():
            bins = key.replace("_", "-").replace("above-", "> ")
            table.add_column(f"{label}\n{bins} {words.unit}", justify="right", no_wrap=True)
    for name, about in metrics.estimates.items():
        cells = [_widths(metrics, found, name) for found in metrics.resolution.values()]
        for trigger in metrics.trigger.values():
            rows = trigger.efficiency[point.key].values() if point else ()
            cells += [_efficiency(row[name]) for row in rows]
        table.add_row(about.title, *cells)
    return table


def _widths(metrics: "Metrics", found: "Resolution", name: str) -> str:
    figures = found.inclusive.estimates[name]
    widths = [figures[width.figure] for width in metrics.words.widths.values()]
    return ", ".join("-" if w.value[0] is None else f"{w.value[0]:.1f}" for w in widths)


def _efficiency(cell: "Efficiency") -> str:
    if cell.efficiency is None or cell.low is None or cell.high is None:
        return "-"
    return f"{cell.efficiency:.3f} ±{(cell.high - cell.low) / 2:.3f}"
