"""A comparison of trainings as tables: Markdown for a page, CSV for other programs, a list for a terminal."""

import csv
import io
from collections.abc import Mapping

from l1met_fpga.results.base import Measured
from l1met_fpga.results.distillation import ArmResult, Comparison, Effect

__all__ = ["header", "table_csv", "table_markdown", "table_rows"]


def header(found: Comparison) -> list[str]:
    """Return the titles of the columns of :func:`table_rows`."""
    columns = ["arm", "teachers", "seeds", "LUTs (estimate)", "zeros"]
    for point in found.points:
        columns += [f"efficiency at {point.title}", f"minus {found.baseline}"]
    return columns


def table_rows(found: Comparison) -> list[list[str]]:
    """Return one row per arm, then what a network must beat, and the bound if there is one."""
    rows = [_arm(name, arm, found) for name, arm in found.arms.items()]
    others: dict[str, Mapping[str, Measured]] = dict(found.baselines)
    if found.oracle is not None:
        bound = {point.key: found.oracle for point in found.points}
        others["true shares of the hard collision (bound)"] = bound
    for name, by_rate in others.items():
        cells = [name, "", "", "", ""]
        for point in found.points:
            cells += [_measured(by_rate[point.key]), ""]
        rows.append(cells)
    return rows


def table_markdown(found: Comparison) -> str:
    """Return tables of arms and of teachers, and the verdict, in Markdown."""
    lines = [f"Efficiency for {found.truth}, mean of the signal samples, test part:", ""]
    lines += _markdown([header(found), *table_rows(found)])
    if found.gates:
        point = found.points[0]
        lines += ["", f"Teachers beside the student at {point.title}, validation part:", ""]
        rows = [["arm", "its teachers", "student", "difference", "better by more than the error"]]
        for gate in found.gates:
            told = [_measured(gate.efficiency), _measured(gate.student), _effect(gate.difference)]
            rows.append([gate.arm, *told, "yes" if gate.passed else "no"])
        lines += _markdown(rows)
    if found.stopped is not None:
        lines += ["", f"Not all arms were trained: {found.stopped}."]
    return "\n".join([*lines, "", found.verdict, ""])


def table_csv(found: Comparison) -> str:
    """Return one line per arm and rate, numbers only."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([
        "arm", "control", "seeds", "luts", "rate_khz", "efficiency", "efficiency_error", "difference",
        "difference_error", "error_seeds", "error_events",
    ])  # fmt: skip
    for name, arm in found.arms.items():
        for point in found.points:
            one = arm.efficiency[point.key]
            effect = None if arm.difference is None else arm.difference[point.key]
            parts: list[float | None] = [None] * 4
            if effect is not None:
                parts = [effect.value, effect.error, effect.error_seeds, effect.error_events]
            about = [name, int(arm.control), len(arm.seeds), arm.luts, point.rate_khz]
            writer.writerow([*about, one.value, one.error, *parts])
    return out.getvalue()


def _arm(name: str, arm: ArmResult, found: Comparison) -> list[str]:
    cells = [
        f"{name} (control)" if arm.control else name,
        ", ".join(arm.teachers),
        str(len(arm.seeds)),
        "" if arm.luts is None else f"{arm.luts:,.0f}",
        "" if arm.zero_fraction is None else f"{arm.zero_fraction:.0%}",
    ]
    for point in found.points:
        cells.append(_measured(arm.efficiency[point.key]))
        cells.append("" if arm.difference is None else _effect(arm.difference[point.key]))
    return cells


def _measured(one: Measured) -> str:
    return "-" if one.value is None or one.error is None else f"{one.value:.3f} ± {one.error:.3f}"


def _effect(one: Effect) -> str:
    return "-" if one.value is None or one.error is None else f"{one.value:+.3f} ± {one.error:.3f}"


def _markdown(rows: list[list[str]]) -> list[str]:
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    return ["| " + " | ".join(row) + " |" for row in lines]
