"""Tables of a report: the Markdown and the HTML page show the same ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from l1met_fpga.evaluation.summary import with_error

__all__ = ["Section", "Table", "report_sections"]

Json = Mapping[str, Any]
MISSING: Final = "not run"
EMPTY: Final = "-"
WIDTHS: Final = {
    "response": "response",
    "slope": "slope",
    "parallel_over_slope_gev": "parallel / slope [GeV]",
    "perpendicular_over_slope_gev": "perpendicular / slope [GeV]",
    "parallel_over_response_gev": "parallel / response [GeV]",
    "perpendicular_over_response_gev": "perpendicular / response [GeV]",
    "x_gev": "x residual [GeV]",
    "phi_rad": "phi [rad]",
    "tail_2_sigma": "beyond 2 sigma",
    "tail_3_sigma": "beyond 3 sigma",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Text cells; the first column names the row.

    Attributes:
        title: Heading.
        columns: Column names.
        rows: One text per column.
        note: What a reader must know, below the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Tables under one heading; ``empty`` is shown when there are none."""

    title: str
    tables: tuple[Table, ...]
    empty: str = ""


def report_sections(report: Json, metrics: Json | None) -> list[Section]:
    """Return all sections of the report of one run.

    Args:
        report: Content of ``report.json``.
        metrics: Content of ``metrics.json``, if evaluated.
    """
    physics = () if metrics is None else tuple(physics_tables(metrics))
    return [
        Section("Physics", physics, "Not evaluated; run `l1met evaluate`."),
        Section(
            "Bit-exactness",
            tuple(_bit_exactness(report["bit_exactness"])),
            "Not checked; run `l1met check`.",
        ),
        Section("Latency and resources", tuple(_firmware(report)), "No firmware was built."),
        Section("Network", tuple(_network(report))),
        Section("Budget", tuple(_budget(report["budget"]))),
    ]


def physics_tables(metrics: Json) -> Iterator[Table]:
    """Yield the physics tables of any evaluation, with or without a network."""
    for label in metrics["resolution"]:
        yield _gains(metrics, label)
    for label in metrics["trigger"]:
        yield from _efficiencies(metrics, label)
    if metrics["rates"] is not None:
        yield _thresholds(metrics)
    for label in metrics["resolution"]:
        yield from _resolutions(metrics, label)


def number(value: float | str | None, digits: int = 3) -> str:
    """Return a cell; ``null`` becomes a dash."""
    if value is None:
        return EMPTY
    if isinstance(value, str):
        return value
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value))
    return f"{value:.{digits}f}"


def measured(value: float | None, error: float | None, digits: int = 3) -> str:
    """Return ``value ± error``; a dash for an empty bin."""
    if value is None:
        return EMPTY
    return f"{value:.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")


def _title(metrics: Json, name: str) -> str:
    title: str = metrics["estimates"][name]["title"]
    return title


def _gains(metrics: Json, label: str) -> Table:
    """Compare every estimate with every baseline (or with the first estimate)."""
    kinds = metrics["estimates"]
    references = [n for n in kinds if kinds[n]["kind"] == "baseline"] or list(kinds)[:1]
    gains = metrics["resolution"][label]["gain"]
    low, high = metrics["config"]["gain_range_gev"]
    rows = tuple(
        (
            _title(metrics, name),
            *(
                EMPTY if ref == name else with_error(gains[name][ref][part], percent=True)
                for ref in references
                for part in ("u_par", "u_perp")
            ),
        )
        for name in kinds
    )
    columns = (f"{_title(metrics, r)}, {p}" for r in references for p in ("par", "perp"))
    return Table(
        f"{label}: gain in slope-corrected resolution, genMET {low:g}-{high:g} GeV",
        ("estimate", *columns),
        rows,
        "Positive is better; paired bootstrap errors.",
    )


def _efficiencies(metrics: Json, label: str) -> Iterator[Table]:
    found = metrics["trigger"][label]
    for point in metrics["rates"]["working_points"]:
        bins = found["efficiency"][point["key"]]
        names = list(metrics["estimates"])
        turn_on = found["turn_on"][point["key"]]
        subject = metrics["primary"] or names[0]
        rows = []
        for name in names:
            cells = [_title(metrics, name), number(turn_on[name]["threshold_gev"], 1)]
            for row in bins.values():
                one = row[name]
                cells.append(
                    ("no event" if one["threshold_gev"] is not None else "no threshold")
                    if one["efficiency"] is None
                    else f"{one['efficiency']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
                )  # fmt: skip
                cells.append(
                    EMPTY if name == subject else with_error(row[subject]["difference"][name])
                )
            cells += [
                number(turn_on[name]["offline_gev"], 1),
                number(found["roc_area"][name], 4),
            ]
            rows.append(tuple(cells))
        ranges = [key.replace("above_", "> ").replace("_", "-") for key in bins]
        pairs = (text for r in ranges for text in (f"efficiency {r} GeV", f"gain {r} GeV"))
        yield Table(
            f"{label}: trigger at {point['title']}",
            ("estimate", "threshold [GeV]", *pairs, "90 % at genMET [GeV]", "ROC area"),
            tuple(rows),
            f"Gain: {_title(metrics, subject)} minus this row, paired error including that of the "
            "thresholds. Intervals: Clopper-Pearson, 68 %.",
        )


def _thresholds(metrics: Json) -> Table:
    rates = metrics["rates"]
    points = rates["working_points"]
    rows = tuple(
        (
            _title(metrics, name),
            *(
                measured(cut["threshold_gev"], cut["error_gev"], 1)
                for cut in rates["thresholds"][name]
            ),
        )
        for name in metrics["estimates"]
    )
    return Table(
        f"Thresholds at equal rate ({rates['events']} events of {rates['sample']})",
        ("estimate", *(f"{point['title']} [GeV]" for point in points)),
        rows,
        f"Lowest supported rate {rates['lowest_supported_khz']:.3g} kHz. "
        + " ".join(metrics["notes"]),
    )


def _resolutions(metrics: Json, label: str) -> Iterator[Table]:
    binned = metrics["resolution"][label]["binned"]
    bins = [f"{text} ({n})" for text, n in zip(binned["labels"], binned["events"], strict=True)]
    for figure, title in WIDTHS.items():
        rows = tuple(
            (
                _title(metrics, name),
                *(
                    measured(value, error, 1 if figure.endswith("gev") else 3)
                    for value, error in zip(*_series(figures[figure]), strict=True)
                ),
            )
            for name, figures in binned["estimates"].items()
        )
        yield Table(
            f"{label}: {title}",
            ("estimate", *bins),
            rows,
            "Bins of genMET in GeV (events); a dash marks a bin with too few events.",
        )


def _series(figure: Json) -> tuple[list[float | None], list[float | None]]:
    return figure["value"], figure["error"]


def _bit_exactness(found: Json | None) -> Iterator[Table]:
    if found is not None:
        keys = ("events", "outputs", "differing", "largest_lsb")
        rows = tuple(
            (form, *([MISSING] * 4 if row is None else [number(row[key]) for key in keys]))
            for form, row in found.items()
        )
        columns = ("form", "events", "outputs", "differing", "largest difference [LSB]")
        yield Table("Against quantized Keras", columns, rows)


def _firmware(report: Json) -> Iterator[Table]:
    for key, title in (
        ("rtl", "Streaming RTL"), ("rtl_parallel", "Parallel RTL"), ("hls", "HLS (vendor report)")
    ):  # fmt: skip
        found = report[key]
        if found is not None:
            rows = [
                (name.replace("_", " "), number(value, 2))
                for name, value in found.items()
                if name != "stages"
            ]
            rows += _nanoseconds(found)
            yield Table(title, ("figure", "value"), tuple(rows))
            yield from _stages(found.get("stages", ()))


def _stages(stages: Sequence[Json]) -> Iterator[Table]:
    """Every vendor report of an HLS project, resources with their share of the part and one SLR."""
    if not stages:
        return
    rows = [
        (
            stage["kind"],
            f"{stage['tool']} {stage['tool_version']}",
            stage["part"],
            number(stage.get("clock_period_ns"), 3),
            *(_share(stage, name) for name in ("lut", "ff", "dsp", "bram", "uram")),
            number(stage.get("worst_slack_ns"), 3),
        )
        for stage in stages
    ]
    yield Table(
        "HLS stages",
        ("stage", "tool", "part", "clock [ns]", "LUT", "FF", "DSP", "BRAM", "URAM", "slack [ns]"),
        tuple(rows),
        note="In brackets: percent of the part, percent of one of its SLRs.",
    )


def _share(stage: Json, name: str) -> str:
    if name not in stage:
        return EMPTY
    counted = "bram18" if name == "bram" else name
    text = number(stage[name], 1)
    shares = [stage[of].get(counted) for of in ("percent_of_part", "percent_of_slr") if of in stage]
    known = ", ".join(f"{share:.1f} %" for share in shares if share is not None)
    return f"{text} ({known})" if known else text


def _nanoseconds(found: Json) -> list[tuple[str, str]]:
    period = found["clock_period_ns"]
    names = [name for name in found if name.startswith("latency") and found[name] is not None]
    if period is None:
        return []
    return [
        (name.replace("_cycles", " [ns]").replace("_", " "), number(found[name] * period, 1))
        for name in names
    ]


def _network(report: Json) -> Iterator[Table]:
    software = ", ".join(f"{k} {v}" for k, v in (report["software"] or {}).items())
    rows = [
        ("model", report["model"]),
        ("samples", number(report["sample"])),
        ("training events", number(report["training_events"])),
        ("seed", number(report["seed"])),
        ("software", software or EMPTY),
    ]
    yield Table("Trained on", ("what", "value"), tuple(rows))
    pruning = report["pruning"]
    if pruning is not None:
        zeros = [(name, f"{100 * part:.1f} %") for name, part in pruning["per_layer"].items()]
        total = f"{100 * pruning['zero_weight_fraction']:.1f} % of {pruning['weights']}"
        yield Table(
            "Zero weights in quantized kernels", ("layer", "zero"), (*zeros, ("all", total))
        )


def _budget(budget: Json) -> Iterator[Table]:
    rows = [
        (
            row["key"],
            number(row["value"], 4),
            f"{'at most' if row['kind'] == 'at_most' else 'at least'} {row['limit']:g}",
            "violated",
        )
        for row in budget["violations"]
    ]
    rows += [(key, EMPTY, EMPTY, "not checked: stage not run") for key in budget["not_checked"]]
    verdict = "passed" if budget["passed"] else "violated"
    yield Table(f"Budget {verdict}", ("key", "value", "limit", "verdict"), tuple(rows))
