"""Figures of heads of classes: areas, confusion, efficiencies, response of each class."""

from l1met_fpga.results.base import Measured, Result

__all__ = ["ClassEfficiency", "ClassFigures", "ClassResult"]


class ClassEfficiency(Result):
    """Efficiency of a class, and mistag of the rest, in bins of the truth at one threshold.

    Attributes:
        efficiency: Per bin.
        efficiency_error: Half its Clopper-Pearson interval.
        mistag: Per bin.
    """

    efficiency: list[float | None]
    efficiency_error: list[float | None]
    mistag: list[float | None]


class ClassFigures(Result):
    """Figures of one estimate of a head of classes; lists run over the classes.

    Attributes:
        area: Under the ROC curve of each class against the rest.
        difference: Area of the primary estimate minus this one, paired; None of the primary.
        pairs: Area of a class (row) against another (column).
        confusion: Share of a true class (row) called another (column).
        at_mistag: Efficiency at the mistag of the settings.
        response: Median of the score over its truth, of each class.
        width: Half the 68 % width of that ratio over its median.
    """

    area: list[Measured]
    difference: list[Measured] | None
    pairs: list[list[float | None]]
    confusion: list[list[float | None]]
    at_mistag: list[ClassEfficiency]
    response: list[Measured]
    width: list[Measured]


class ClassResult(Result):
    """A head of classes in one sample.

    Attributes:
        examples: Of each class.
        mistag: Of the rest, at which efficiencies are compared.
        edges_gev: Bins of the truth; an edge of None is open.
        estimates: By estimate.
    """

    examples: list[int]
    mistag: float
    edges_gev: list[float | None]
    estimates: dict[str, ClassFigures]
