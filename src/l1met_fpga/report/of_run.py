"""What a run has shown, in Python: its figures, and the answers of a report's first screen."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from l1met_fpga.errors import DataError
from l1met_fpga.report.answer import Answer
from l1met_fpga.report.collect import collect
from l1met_fpga.report.headline import answers
from l1met_fpga.results.metrics import Metrics
from l1met_fpga.results.report import Report as Figures
from l1met_fpga.run_folder import RunFolder

if TYPE_CHECKING:
    from uhi.numpy_plottable import NumPyPlottableHistogram

__all__ = ["Report"]

_COLOURS: Final = {"good": "#1a7f37", "bad": "#c2210b", "open": "#8a5a00"}


class Report:
    """The report of a run; a notebook shows its answers as a table.

    Attributes:
        run: The run folder.
        figures: Content of ``report.json``: every number of the run by its stable key.
        metrics: Content of ``metrics.json``; None if the run was not evaluated.
        answers: Exact? better? how large, how late, how fast? within limits?
    """

    figures: Figures
    metrics: Metrics | None
    answers: tuple[Answer, ...]

    def __init__(self, run: str | Path) -> None:
        """Collect what a run folder holds; nothing is written.

        Args:
            run: The run folder.

        Raises:
            RunFolderError: If it is none, or was not trained.
        """
        self.run = RunFolder.open(Path(run))
        found = collect(self.run)
        self.figures, self.metrics = found.report, found.metrics
        self.answers = answers(found.report, found.metrics)

    @property
    def page(self) -> Path | None:
        """The HTML page, if it was written."""
        path = self.run.report("html")
        return path if path.is_file() else None

    def turn_on(
        self, sample: str, point: str | None = None
    ) -> "dict[str, NumPyPlottableHistogram]":
        """Return efficiencies against the truth by estimate, as histograms for mplhep and hist.

        Args:
            sample: Label of a signal sample.
            point: Key of a working point, such as ``62kHz``; the lowest rate if not given.

        Raises:
            DataError: If the run was not evaluated, or there is no such sample or working point.
        """
        from l1met_fpga.report.curves import turn_on

        if self.metrics is None:
            raise DataError(f"{self.run.root} was not evaluated; `l1met evaluate` does it")
        return turn_on(self.metrics, sample, point)

    def __repr__(self) -> str:
        return "\n".join(
            (f"{self.figures.model}, run {self.run.root}", *(a.line for a in self.answers))
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(answer.topic)}</th>"
            f"<td style='text-align:left;color:{_COLOURS[answer.verdict]}'>"
            f"<b>{escape(answer.value)}</b></td>"
            f"<td style='text-align:left'>{escape(answer.details)}</td></tr>"
            for answer in self.answers
        )
        head = f"<p>{escape(self.figures.model)}, run {escape(str(self.run.root))}</p>"
        return f"{head}<table>{rows}</table>"
