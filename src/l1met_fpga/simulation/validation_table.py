"""Hold figures of the simulation against targets and say what agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from l1met_fpga.archives import read_npz
from l1met_fpga.config.base import StrictModel, load_yaml, parse
from l1met_fpga.errors import DataError
from l1met_fpga.simulation.validation import Components, Figures, MetSample, met_figures

__all__ = ["Row", "Target", "Verdict", "compare", "load_targets", "markdown", "read_reference"]

REFERENCE_ARRAYS: Final = "ttbar_pu200_met.npz"


class Verdict(StrEnum):
    """Outcome of one comparison."""

    AGREES = "agrees"
    OPEN = "open: within two statistical errors of the tolerance"
    DISAGREES = "does not agree"


class Target(StrictModel):
    """A figure to reproduce.

    Attributes:
        value: The figure.
        tolerance: Largest difference that counts as agreement.
        relative: Whether the tolerance is a fraction of the value.
        unit: Unit of the value.
        source: Where it was read.
    """

    value: float
    tolerance: float
    relative: bool = False
    unit: str
    source: str

    @property
    def allowed(self) -> float:
        """The tolerance in the unit of the value."""
        return self.tolerance * abs(self.value) if self.relative else self.tolerance


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    value: float
    error: float
    target: Target
    verdict: Verdict


def load_targets() -> dict[str, Target]:
    """Read the package's targets."""
    path = Path(str(resources.files("l1met_fpga.simulation") / "targets.yaml"))
    return {
        name: parse(Target, raw, where=f"{path}: {name}") for name, raw in load_yaml(path).items()
    }


def read_reference(folder: Path) -> MetSample:
    """Read the real arrays of PUPPI MET and generator MET.

    Raises:
        DataError: If the folder does not hold them.
    """
    path = folder / REFERENCE_ARRAYS
    tip = "leave --reference out to use the published figures"
    arrays = read_npz(path, error=DataError, next_step=tip)
    try:
        polar = [arrays[name].astype(np.float64) for name in ("puppi_pt_phi", "gen_pt_phi")]
    except (KeyError, ValueError) as err:
        raise DataError(f"{path} lacks real arrays ({err}); {tip}") from None
    vectors = [
        np.stack([p[:, 0] * np.cos(p[:, 1]), p[:, 0] * np.sin(p[:, 1])], axis=1) for p in polar
    ]
    return MetSample(vectors[0], vectors[1])


def with_reference(targets: Mapping[str, Target], reference: MetSample) -> dict[str, Target]:
    """Replace the published figures by those of the real arrays, all digits."""
    measured = met_figures(reference)
    return {
        name: target.model_copy(update={"value": measured[name][0]}) if name in measured else target
        for name, target in targets.items()
    }


def compare(figures: Figures, targets: Mapping[str, Target]) -> list[Row]:
    """Judge every target.

    Raises:
        DataError: If a figure is missing.
    """
    missing = sorted(set(targets) - set(figures))
    if missing:
        raise DataError(f"no figure for the targets {missing}; they were not measured")
    return [
        Row(name, *figures[name], target, _judge(figures[name], target))
        for name, target in targets.items()
    ]


def _judge(figure: tuple[float, float], target: Target) -> Verdict:
    value, error = figure
    beyond = abs(value - target.value) - target.allowed
    if beyond <= 0:
        return Verdict.AGREES
    return Verdict.OPEN if beyond <= 2 * error else Verdict.DISAGREES


def markdown(rows: Sequence[Row]) -> str:
    """Write the table as Markdown."""
    lines = [
        "| figure | simulation | target | tolerance | verdict | source of the target |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        t = row.target
        unit = f" {t.unit}" if t.unit else ""
        lines.append(
            f"| {row.name} | {row.value:.4g} ± {row.error:.2g}{unit} | {t.value:.4g}{unit} "
            f"| ±{t.allowed:.2g} | {row.verdict.value} | {t.source} |"
        )
    return "\n".join(lines) + "\n"


def component_markdown(
    simulated: Sequence[Components], reference: Sequence[Components] | None
) -> str:
    """Write the components as Markdown, beside those of real words when given."""
    real = {(c.region, c.species): c for c in reference or ()}
    lines = [
        "| region | kind | per event | noise (GeV) | per event, real | noise, real (GeV) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for c in simulated:
        r = real.get((c.region, c.species))
        count = f"{r.per_event:.2f} ± {r.error:.2f}" if r else "—"
        noise = f"{r.noise_gev:.1f} ± {r.noise_error_gev:.1f}" if r else "—"
        lines.append(
            f"| {c.region} | {c.species} | {c.per_event:.2f} | {c.noise_gev:.1f} | {count} | {noise} |"
        )
    return "\n".join(lines) + "\n"
