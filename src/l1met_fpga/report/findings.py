"""Files of a run that cannot be used: named in the report, which goes on without them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from l1met_fpga.errors import L1MetError, ReportError
from l1met_fpga.results.report import Finding

__all__ = ["Findings", "require_usable"]

logger = logging.getLogger(__name__)

Content = TypeVar("Content")


@dataclass
class Findings:
    """Findings of one run, in the order in which they were made.

    Attributes:
        root: The run folder; paths below it are told without it.
    """

    root: Path
    found: list[Finding] = field(default_factory=list)

    def read(self, stage: str, path: Path, reader: Callable[[Path], Content]) -> Content | None:
        """Return what ``reader`` makes of a file; None if there is none, or it cannot be read.

        Args:
            stage: Key of the report that needs the file.
            path: The file.
            reader: Raises an error of this package, ``OSError`` or ``ValueError`` if it cannot.
        """
        if not path.exists():
            return None
        try:
            return reader(path)
        except (L1MetError, OSError, ValueError) as err:
            self.add(stage, path, str(err))
            return None

    def add(self, stage: str, path: Path, reason: str) -> None:
        """Note a file that cannot be used."""
        inside = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        told = reason.removeprefix(f"{path}: ").removeprefix(f"{path} ")
        finding = Finding(stage=stage, path=str(inside), reason=" ".join(told.split())[:500])
        logger.warning("%s", finding)
        self.found.append(finding)


def require_usable(findings: list[Finding]) -> None:
    """Check that every file of a run could be used.

    Raises:
        ReportError: Names each file that could not.
    """
    if findings:
        raise ReportError(
            f"the report was made without what could not be used: {'; '.join(map(str, findings))}"
        )
