"""Tables of heads of classes."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from l1met_fpga.report.page import EMPTY, Table, measured, number
from l1met_fpga.results.base import Measured
from l1met_fpga.results.classes import ClassFigures, ClassResult
from l1met_fpga.results.metrics import Metrics

__all__ = ["class_tables"]


def class_tables(metrics: Metrics) -> Iterator[Table]:
    """Yield the tables of every sample and head of classes."""
    for label, heads in metrics.classes.items():
        for head, found in heads.items():
            yield from _tables(metrics, label, metrics.words.classes[head], found)


def _tables(metrics: Metrics, label: str, names: list[str], found: ClassResult) -> Iterator[Table]:
    examples = dict(zip(names, found.examples, strict=True))
    there = [k for k, name in enumerate(names) if examples[name]]
    columns = tuple(f"{names[k]} ({found.examples[k]})" for k in there)

    def rows(of: Callable[[ClassFigures, int], str]) -> tuple[tuple[str, ...], ...]:
        return tuple(
            (metrics.title(name), *(of(one, k) for k in there))
            for name, one in found.estimates.items()
        )

    yield Table(
        f"{label}: area under the ROC curve, each class against the rest",
        ("estimate", *columns),
        rows(lambda one, k: _both(one.area[k], 4)),
        "In brackets: examples. Errors: DeLong.",
    )
    if metrics.primary is not None:
        yield Table(
            f"{label}: area of {metrics.title(metrics.primary)} minus that of the row",
            ("estimate", *columns),
            rows(lambda one, k: EMPTY if one.difference is None else _both(one.difference[k], 4)),
            "Paired errors (DeLong).",
        )
    yield Table(
        f"{label}: median of {metrics.words.score} over {metrics.words.truth}",
        ("estimate", *columns),
        rows(lambda one, k: _both(one.response[k], 3)),
    )
    yield Table(
        f"{label}: half the 68 % width of {metrics.words.score} over {metrics.words.truth}, over its median",
        ("estimate", *columns),
        rows(lambda one, k: _both(one.width[k], 3)),
        "Bootstrap errors.",
    )
    subject = metrics.primary or next(iter(found.estimates))
    mine, title = found.estimates[subject], metrics.title(subject)
    yield Table(
        f"{label}: what {title} calls each class",
        ("true class", *(names[k] for k in there)),
        tuple((names[a], *(number(mine.confusion[a][b]) for b in there)) for a in there),
        "Shares of each row; the class with the largest logit.",
    )
    yield Table(
        f"{label}: area of {title}, class of the row against that of the column",
        ("class", *(names[k] for k in there)),
        tuple((names[a], *(number(mine.pairs[a][b]) for b in there)) for a in there),
    )
    edges = ["inf" if edge is None else f"{edge:g}" for edge in found.edges_gev]
    bins = [f"{low}-{high}" for low, high in pairwise(edges)]
    yield Table(
        f"{label}: efficiency of {title} where {100 * found.mistag:g} % of the rest pass",
        ("class", *bins),
        tuple(
            (
                names[k],
                *(
                    f"{measured(value, error)}; {number(mistag)}"
                    for value, error, mistag in zip(
                        mine.at_mistag[k].efficiency,
                        mine.at_mistag[k].efficiency_error,
                        mine.at_mistag[k].mistag,
                        strict=True,
                    )
                ),
            )
            for k in there
        ),
        f"In bins of {metrics.words.truth} in {metrics.words.unit}, at one threshold; after the "
        "semicolon the share of the rest that passes in the bin.",
    )


def _both(found: Measured, digits: int) -> str:
    return measured(found.value, found.error, digits)
