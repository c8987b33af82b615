"""Physics tables of any evaluation, with or without a network."""

from collections.abc import Iterator

from l1met_fpga.evaluation.summary import with_error
from l1met_fpga.report.class_tables import class_tables
from l1met_fpga.report.page import EMPTY, Table, measured, number
from l1met_fpga.report.studies import study_tables
from l1met_fpga.results.metrics import Efficiency, Metrics, Rates

__all__ = ["physics_tables"]


def physics_tables(metrics: Metrics) -> Iterator[Table]:
    """Yield the physics tables of any evaluation, with or without a network."""
    yield from class_tables(metrics)
    if metrics.resolution:
        yield _widths(metrics)
        yield from _told(metrics)
    for label in metrics.resolution:
        yield _gains(metrics, label)
    for label in metrics.trigger:
        yield from _efficiencies(metrics, label)
    if metrics.rates is not None:
        yield _thresholds(metrics, metrics.rates)
    yield from study_tables(metrics)
    for label in metrics.resolution:
        yield from _resolutions(metrics, label)


def _widths(metrics: Metrics) -> Table:
    """Return slope-corrected widths, and mean and median response, in every process."""
    words, samples = metrics.words, metrics.resolution
    figures = {width.figure: f"{width.title} (GeV)" for width in words.widths.values()}
    responses = {"response": "mean response", "response_median": "median response"}
    measured_figures = set.intersection(
        *(set(one) for found in samples.values() for one in found.inclusive.estimates.values())
    )
    figures |= {name: title for name, title in responses.items() if name in measured_figures}
    rows = []
    for name in metrics.estimates:
        cells = [metrics.title(name)]
        for found in samples.values():
            for figure in figures:
                one = found.inclusive.estimates[name][figure]
                cells.append(measured(one.value[0], one.error[0], 2 if "response" in figure else 1))
        rows.append(tuple(cells))
    low, high = metrics.config.gain_range_gev
    return Table(
        f"Slope-corrected widths and response in every process, {words.truth} {low:g}-{high:g} "
        f"{words.unit}",
        ("estimate", *(f"{label}, {title}" for label in samples for title in figures.values())),
        tuple(rows),
        "A network that shrinks quiet events shows it in their parallel width.",
    )


def _told(metrics: Metrics) -> Iterator[Table]:
    """Yield the response of the size that the word for the global trigger tells, if it is corrected."""
    for name, about in metrics.estimates.items():
        line, words, (low, high) = (
            about.calibration,
            metrics.words,
            metrics.config.response_range_gev,
        )
        if line is None:
            continue
        rows, labels = [], next(iter(metrics.resolution.values())).binned.labels
        for label, found in metrics.resolution.items():
            plain, told = found.binned.estimates[name]["response"], found.told[name]
            for title, one, whole in (
                ("as it is", plain, found.response[name]),
                ("told", told, found.told_response[name]),
            ):
                cells = (measured(*pair, 2) for pair in zip(one.value, one.error, strict=True))
                rows.append((f"{label}, {title}", *cells, measured(whole.value, whole.error, 2)))
        yield Table(
            f"{metrics.title(name)}: mean response, and with the size that the word for the global "
            "trigger tells",
            (f"{words.truth} ({words.unit})", *labels, f"{low:g}-{high:g}"),
            tuple(rows),
            f"Told are {line.factor:.3f} times the size {line.offset_gev:+.1f} {words.unit}; the "
            "order of events, and with it every rate and efficiency, stays.",
        )


def _gains(metrics: Metrics, label: str) -> Table:
    """Compare every estimate with every baseline (or with the first estimate)."""
    kinds = metrics.estimates
    references = [n for n in kinds if kinds[n].kind == "baseline"] or list(kinds)[:1]
    gains, words = metrics.resolution[label].gain, metrics.words
    low, high = metrics.config.gain_range_gev
    rows = []
    for name in kinds:
        cells = [metrics.title(name)]
        for ref in references:
            found = gains[name].get(ref)
            parts = [EMPTY] * len(words.widths)
            if found is not None:
                parts = [with_error(found[part], percent=True) for part in words.widths]
            cells += parts
        rows.append(tuple(cells))
    titles = [width.title for width in words.widths.values()]
    columns = (f"{metrics.title(r)}, {title}" for r in references for title in titles)
    return Table(
        f"{label}: gain in slope-corrected resolution, {words.truth} {low:g}-{high:g} {words.unit}",
        ("estimate", *columns),
        tuple(rows),
        "Positive is better; paired bootstrap errors.",
    )


def _efficiencies(metrics: Metrics, label: str) -> Iterator[Table]:
    found, rates, words = metrics.trigger[label], metrics.rates, metrics.words
    names = list(metrics.estimates)
    subject = metrics.primary or names[0]
    for point in metrics.working_points:
        bins, turn_on = found.efficiency[point.key], found.turn_on[point.key]
        rows = []
        for name in names:
            cut = None if rates is None else rates.threshold(name, point.key).threshold_gev
            cells = [metrics.title(name), number(cut, 1)]
            for row in bins.values():
                cells.append(_interval(row[name]))
                cells.append(
                    EMPTY if name == subject else with_error(row[subject].difference[name])
                )
            cells += [number(turn_on[name].offline_gev, 1), number(found.roc_area[name], 4)]
            rows.append(tuple(cells))
        ranges = [key.replace("above_", "> ").replace("_", "-") for key in bins]
        pairs = (f"{what} {r} {words.unit}" for r in ranges for what in ("efficiency", "gain"))
        yield Table(
            f"{label}: trigger at {point.title}",
            (
                "estimate",
                f"threshold ({words.unit})",
                *pairs,
                f"90 % at {words.truth} ({words.unit})",
                "ROC area",
            ),
            tuple(rows),
            f"Gain: {metrics.title(subject)} minus this row, paired error including that of the "
            "thresholds. Intervals: Clopper-Pearson, 68 %.",
        )


def _interval(found: Efficiency) -> str:
    if found.efficiency is None:
        return found.missing
    return f"{found.efficiency:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _thresholds(metrics: Metrics, rates: Rates) -> Table:
    rows = tuple(
        (
            metrics.title(name),
            *(measured(cut.threshold_gev, cut.error_gev, 1) for cut in rates.thresholds[name]),
        )
        for name in metrics.estimates
    )
    return Table(
        f"Thresholds at equal rate ({rates.events} events of {rates.sample})",
        ("estimate", *(f"{point.title} ({metrics.words.unit})" for point in rates.working_points)),
        rows,
        f"Lowest supported rate {rates.lowest_supported_khz:.3g} kHz. " + " ".join(metrics.notes),
    )


def _resolutions(metrics: Metrics, label: str) -> Iterator[Table]:
    binned, words = metrics.resolution[label].binned, metrics.words
    bins = [f"{text} ({n})" for text, n in zip(binned.labels, binned.events, strict=True)]
    for figure, title in words.figures.items():
        digits = 1 if figure.endswith("gev") else 3
        rows = []
        for name, figures in binned.estimates.items():
            series = figures[figure]
            cells = (
                measured(v, e, digits) for v, e in zip(series.value, series.error, strict=True)
            )
            rows.append((metrics.title(name), *cells))
        yield Table(
            f"{label}: {title}",
            ("estimate", *bins),
            tuple(rows),
            f"Bins of {words.truth} in {words.unit} (events); a dash marks a bin with too few events.",
        )
