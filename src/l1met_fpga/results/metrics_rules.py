"""What must agree within ``metrics.json``: names of estimates and rates, numbers of bins."""

from collections.abc import Collection, Iterator

from l1met_fpga.results.metrics import Metrics, ResolutionTable, TurnOnCurve

__all__ = ["require_agreement"]


def require_agreement(metrics: Metrics) -> None:
    """Check that every estimate has every figure, and every figure a value for every bin.

    Raises:
        ValueError: Says which part has other names, or another number of values, than the rest.
    """
    for where, found, wanted in (*_names(metrics), *_class_names(metrics)):
        if set(found) != set(wanted):
            odd = sorted(set(found) ^ set(wanted))
            raise ValueError(f"{where} does not agree with the rest of the file on {odd}")
    for where, lengths in _lengths(metrics):
        if len(lengths) != 1:
            raise ValueError(f"{where} has lists of different lengths")


def _names(metrics: Metrics) -> Iterator[tuple[str, Collection[str], Collection[str]]]:
    """Yield the names that stand at a place of the file, and those that must stand there."""
    estimates = metrics.estimates.keys()
    points = [point.key for point in metrics.working_points]
    subject = metrics.primary or next(iter(estimates), "")
    widths = {width.figure for width in metrics.words.widths.values()}
    yield "primary", {subject} & estimates, {subject}
    for label, of_sample in metrics.resolution.items():
        where = f"resolution.{label}"
        for kind, table in (("binned", of_sample.binned), ("inclusive", of_sample.inclusive)):
            yield f"{where}.{kind}", table.estimates, estimates
            for name, figures in table.estimates.items():
                yield f"{where}.{kind}.{name}", figures.keys() & widths, widths
        yield f"{where}.response", of_sample.response, estimates
        yield f"{where}.x_residual_gev", of_sample.x_residual_gev, estimates
        yield f"{where}.gain", of_sample.gain, estimates
    if metrics.rates is not None:
        yield "rates.thresholds", metrics.rates.thresholds, estimates
    for label, trigger in metrics.trigger.items():
        where = f"trigger.{label}"
        yield f"{where}.efficiency", trigger.efficiency, points
        yield f"{where}.turn_on", trigger.turn_on, points
        yield f"{where}.roc_area", trigger.roc_area, estimates
        for point, bins in trigger.efficiency.items():
            for key, row in bins.items():
                yield f"{where}.efficiency.{point}.{key}", row, estimates
                others = estimates - {subject}
                told = row[subject].difference.keys() & others if subject in row else set()
                yield f"{where}.efficiency.{point}.{key}.{subject}.difference", told, others
        for point, curves in trigger.turn_on.items():
            yield f"{where}.turn_on.{point}", curves, estimates


def _class_names(metrics: Metrics) -> Iterator[tuple[str, Collection[str], Collection[str]]]:
    for label, heads in metrics.classes.items():
        yield f"classes.{label}", heads, metrics.words.classes
        for head, found in heads.items():
            yield f"classes.{label}.{head}.estimates", found.estimates, metrics.estimates.keys()


def _lengths(metrics: Metrics) -> Iterator[tuple[str, set[int]]]:
    """Yield the lengths of lists that must be the same."""
    for label, of_sample in metrics.resolution.items():
        for kind in ("binned", "inclusive"):
            yield f"resolution.{label}.{kind}", _of_table(getattr(of_sample, kind))
    if metrics.rates is not None:
        points = {len(metrics.rates.working_points)}
        yield "rates.thresholds", points | set(map(len, metrics.rates.thresholds.values()))
    for label, heads in metrics.classes.items():
        for head, of_head in heads.items():
            for name, figures in of_head.estimates.items():
                named = {len(metrics.words.classes[head]), len(of_head.examples)}
                found = (figures.area, figures.pairs, figures.confusion, figures.at_mistag)
                yield f"classes.{label}.{head}.{name}", named | {len(one) for one in found}
    for label, trigger in metrics.trigger.items():
        for point, curves in trigger.turn_on.items():
            for name, curve in curves.items():
                yield f"trigger.{label}.turn_on.{point}.{name}", _of_curve(curve)


def _of_table(table: ResolutionTable) -> set[int]:
    lengths = {len(table.edges_gev) - 1, len(table.labels), len(table.events)}
    for figures in table.estimates.values():
        for series in figures.values():
            lengths |= {len(series.value), len(series.error)}
    return lengths


def _of_curve(curve: TurnOnCurve) -> set[int]:
    lists = (curve.mean_gen_gev, curve.efficiency, curve.low, curve.high, curve.events)
    return {len(curve.edges_gev) - 1, *(len(values) for values in lists)}
