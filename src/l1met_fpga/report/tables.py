"""Tables of a report: the Markdown and the HTML page show the same ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from l1met_fpga.report.bad_days import bad_days_table
from l1met_fpga.report.combinations import combinations
from l1met_fpga.report.page import EMPTY, Section, Table, number
from l1met_fpga.report.physics_tables import physics_tables
from l1met_fpga.results.exactness import FormAgreement
from l1met_fpga.results.firmware import HlsFigures, HlsStage, RtlFigures
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import Budget, HeldLimit, Report
from l1met_fpga.results.saturation import HeadSaturation

__all__ = ["BAD_DAYS", "report_sections"]

MISSING: Final = "not run"
BAD_DAYS: Final = "bad_days"
"""Name of the figure of bad days; it stands with their table, not with the others."""


def report_sections(
    report: Report, metrics: Metrics | None, plots: Path | None = None
) -> list[Section]:
    """Return all sections of the report of one run.

    Args:
        report: Content of ``report.json``.
        metrics: Content of ``metrics.json``, if evaluated.
        plots: Folder of the figures, for sections that have one of their own.
    """
    physics = () if metrics is None else tuple(physics_tables(metrics))
    bad_days = None if metrics is None else bad_days_table(metrics)
    drawn = () if plots is None or bad_days is None else (plots / f"{BAD_DAYS}.png",)
    return [
        *([Section("Findings", (_findings(report),))] if report.findings else []),
        Section("Physics", physics, "Not evaluated; run `l1met evaluate`."),
        Section(
            "Bad days",
            () if bad_days is None else (bad_days,),
            "Not tried; run `l1met evaluate --faults`.",
            tuple(file for file in drawn if file.is_file()),
        ),
        Section(
            "Bit-exactness",
            (*_bit_exactness(report.bit_exactness), *_saturation(report.saturation)),
            "Not checked; run `l1met check`.",
        ),
        Section("Latency and resources", tuple(_firmware(report)), "No firmware was built."),
        Section("Network", tuple(_network(report))),
        Section("Budget", tuple(_budget(report.budget))),
    ]


def _findings(report: Report) -> Table:
    return Table(
        "Files that could not be used",
        ("figures missing", "file", "reason"),
        tuple((found.stage, found.path, found.reason) for found in report.findings),
    )


def _bit_exactness(found: Mapping[str, FormAgreement | None] | None) -> Iterator[Table]:
    if found is not None:
        rows = tuple(
            (form, *([MISSING] * 4 if row is None else map(number, row.model_dump().values())))
            for form, row in found.items()
        )
        columns = ("form", "events", "outputs", "differing", "largest difference (LSB)")
        yield Table("Against quantized Keras", columns, rows)


def _saturation(found: Mapping[str, HeadSaturation] | None) -> Iterator[Table]:
    if found is not None:
        rows = tuple(
            (head, number(row.outputs), number(row.saturated), f"{row.share:.4%}")
            for head, row in found.items()
        )
        columns = ("head", "outputs", "outside", "share")
        yield Table("Outputs outside the range of their type, test events", columns, rows)


def _firmware(report: Report) -> Iterator[Table]:
    side_by_side = combinations(report)
    if side_by_side is not None:
        yield side_by_side
    figures: tuple[tuple[str, RtlFigures | HlsFigures | None], ...] = (
        ("Streaming RTL", report.rtl),
        ("Parallel RTL", report.rtl_parallel),
        ("HLS (vendor report)", report.hls),
        ("HLS words (vendor report)", report.hls_words),
    )
    for title, found in figures:
        if found is not None:
            reasons = found.reasons if isinstance(found, HlsFigures) else {}
            rows = [
                (name.replace("_", " "), reasons.get(name) or number(value, 2))
                for name, value in found.model_dump(exclude={"stages", "reasons"}).items()
                if not isinstance(value, dict) and (value is not None or _always_there(found, name))
            ]
            yield Table(title, ("figure", "value"), (*rows, *_nanoseconds(found)))
            if isinstance(found, HlsFigures):
                yield _stages(found.stages)


def _always_there(found: RtlFigures | HlsFigures, name: str) -> bool:
    return type(found).model_fields[name].is_required()


def _stages(stages: Sequence[HlsStage]) -> Table:
    """Every vendor report of an HLS project, resources with their share of the part and one SLR."""
    rows = [
        (
            stage.kind,
            f"{stage.tool} {stage.tool_version}",
            stage.part,
            number(stage.clock_period_ns, 3),
            *(_share(stage, name) for name in ("lut", "ff", "dsp", "bram", "uram")),
            number(stage.worst_slack_ns, 3),
        )
        for stage in stages
    ]
    return Table(
        "HLS stages",
        ("stage", "tool", "part", "clock (ns)", "LUT", "FF", "DSP", "BRAM", "URAM", "slack (ns)"),
        tuple(rows),
        note="In brackets: percent of the part, percent of one of its SLRs.",
    )


def _share(stage: HlsStage, name: str) -> str:
    value = getattr(stage, name)
    if value is None:
        return EMPTY
    counted = "bram18" if name == "bram" else name
    shares = [of.get(counted) for of in (stage.percent_of_part, stage.percent_of_slr) if of]
    known = ", ".join(f"{share:.1f} %" for share in shares if share is not None)
    return f"{number(value, 1)} ({known})" if known else number(value, 1)


def _nanoseconds(found: RtlFigures | HlsFigures) -> list[tuple[str, str]]:
    period = found.clock_period_ns
    if period is None:
        return []
    return [
        (name.replace("_cycles", " (ns)").replace("_", " "), number(cycles * period, 1))
        for name, cycles in found.model_dump().items()
        if name.startswith("latency") and name.endswith("_cycles") and cycles is not None
    ]


def _network(report: Report) -> Iterator[Table]:
    software = ", ".join(f"{k} {v}" for k, v in (report.software or {}).items())
    rows = [
        ("model", report.model),
        ("network.json", number(report.network)),
        ("trained on", ", ".join(report.training_samples) or EMPTY),
        ("training events", number(report.training_events)),
        ("seed", number(report.seed)),
        ("software", software or EMPTY),
    ]
    yield Table("Trained on", ("what", "value"), tuple(rows))
    if report.evaluated is not None:
        samples = tuple(
            (
                label,
                str(sample.events),
                "rates" if sample.background else "resolution and efficiency",
                ", ".join(f"{k} {v}" for k, v in (sample.identity or {}).items()) or EMPTY,
            )
            for label, sample in report.evaluated.items()
        )
        yield Table("Evaluated on", ("sample", "events", "used for", "identity"), samples)
    pruning = report.pruning
    if pruning is not None:
        zeros = [(name, f"{100 * part:.1f} %") for name, part in pruning.per_layer.items()]
        total = f"{100 * pruning.zero_weight_fraction:.1f} % of {pruning.weights}"
        yield Table(
            "Zero weights in quantized kernels", ("layer", "zero"), (*zeros, ("all", total))
        )


def _budget(budget: Budget) -> Iterator[Table]:
    judged: list[tuple[HeldLimit, str]] = [(row, "violated") for row in budget.violations]
    judged += [(row, "holds") for row in budget.held]
    rows = [
        (row.key, number(row.value, 4), f"{row.kind.replace('_', ' ')} {row.limit:g}", verdict)
        for row, verdict in judged
    ]
    rows += [(row.key, EMPTY, EMPTY, f"not checked: {row.reason}") for row in budget.unchecked]
    title = f"{budget.checked} of {budget.limits} checked, {len(budget.violations)} broken"
    yield Table(title, ("key", "value", "limit", "verdict"), tuple(rows))
