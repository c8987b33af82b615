"""Bad days of the detector: one table, and the keys of ``report.json``."""

from collections.abc import Mapping

from l1met_fpga.evaluation.summary import bin_text
from l1met_fpga.report.page import EMPTY, Table, measured
from l1met_fpga.report.studies import of_estimates
from l1met_fpga.results.base import Measured
from l1met_fpga.results.faults import FaultedEstimate, Faults
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import FaultFigures

__all__ = ["bad_days_table", "fault_figures"]


def bad_days_table(metrics: Metrics) -> Table | None:
    """Return rate and efficiency of every fault and estimate; None where none was tried."""
    faults = metrics.faults
    if faults is None:
        return None
    names = list(faults.none)
    signals = [label for label, about in metrics.samples.items() if not about.background]
    first = _first_bin(faults)
    rows = [("none", *_cells(faults.none, names, signals, first))]
    rows += [
        (faults.about[day], *_cells(found, names, signals, first))
        for day, found in faults.days.items()
    ]
    columns = (f"{what}, {metrics.title(n)}" for what in ("rate (kHz)", *signals) for n in names)
    words = metrics.words
    return Table(
        f"Rate and efficiency at the threshold of {faults.rate_khz:.3g} kHz without a fault",
        ("fault", *columns),
        tuple(rows),
        f"Behind each rate its ratio to that without the fault, behind each efficiency ({words.truth} "
        f"{bin_text(first) if first else ''}) the difference, with paired errors. What is random has "
        f"seed {faults.seed}.",
    )


def _first_bin(faults: Faults) -> str:
    """Return the key of the first bin of the truth."""
    every = (bins for one in faults.none.values() for bins in one.efficiency.values())
    return next((key for bins in every for key in bins), "")


def _cells(
    found: Mapping[str, FaultedEstimate], names: list[str], signals: list[str], key: str
) -> list[str]:
    rates = [_with(found[name].rate_khz, found[name].growth, digits=1, sign="x ") for name in names]
    cells = [found[name].efficiency.get(label, {}).get(key) for label in signals for name in names]
    return rates + [
        EMPTY if cell is None else _with(cell.efficiency, cell.change, digits=3) for cell in cells
    ]


def _with(value: Measured | None, other: Measured | None, *, digits: int, sign: str = "") -> str:
    """Return ``62.0 (x 1.42 ± 0.16)``, or ``0.334 (+0.037 ± 0.007)``."""
    if value is None or value.value is None or other is None or other.value is None:
        return EMPTY
    plus = "+" if not sign and other.value >= 0 else ""
    told = measured(other.value, other.error, 3 if not sign else 2)
    return f"{value.value:.{digits}f} ({sign}{plus}{told})"


def fault_figures(metrics: Metrics) -> dict[str, FaultFigures] | None:
    """Return what ``report.json`` holds of every fault; None where none was tried."""
    faults, primary = metrics.faults, metrics.primary
    if faults is None or primary is None:
        return None
    key = _first_bin(faults)
    return {
        day: FaultFigures(
            rate_khz=of_estimates({name: one.rate_khz for name, one in found.items()}, primary),
            rate_growth=of_estimates({name: one.growth for name, one in found.items()}, primary),
            efficiency=of_estimates(
                {n: _mean_efficiency(one, key) for n, one in found.items()}, primary
            ),
        )
        for day, found in faults.days.items()
    }


def _mean_efficiency(found: FaultedEstimate, key: str) -> Measured | None:
    values = [bins[key].efficiency.value for bins in found.efficiency.values()]
    known = [value for value in values if value is not None]
    return Measured(value=sum(known) / len(known), error=None) if known else None
