"""One event as a page: its candidates, its vectors, and what the network makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.data.event_jets import JETS_TITLE, EventJet
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.truth import CANDIDATE_SUMS, Kind
from l1met_fpga.prediction.effects import CandidateEffects
from l1met_fpga.puppi.columns import ANGLE_LSB_RAD, PARTICLE_KINDS, PT_LSB_GEV
from l1met_fpga.puppi.jets import RADIUS
from l1met_fpga.report.page import EMPTY, Table
from l1met_fpga.report.render import render_html

__all__ = ["event_table", "write_event"]

MAP: Final = {"width": 640, "height": 440, "left": 52, "right": 10, "top": 10, "bottom": 44}
MAX_ETA: Final = 5.2
PLANE: Final = 440
_AREA_PER_GEV: Final = 14.0
Vectors = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A candidate in the map; ``end`` is where its momentum ends in the transverse plane."""

    x: float
    y: float
    radius: float
    kind: int
    opacity: float
    label: str
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cone:
    """A jet in the map: centre and half axes of its ellipse."""

    x: float
    y: float
    half: tuple[float, float]
    label: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A vector: height of its direction in the map, and its end in the transverse plane."""

    name: str
    size_gev: float
    y: float
    end: tuple[float, float]


def write_event(
    event: Examples,
    vectors_xy_gev: Vectors,
    effects: CandidateEffects | None,
    path: Path,
    *,
    title: str,
    jets: Sequence[EventJet] = (),
) -> None:
    """Write the page of one event; it is one file and needs no network.

    Args:
        event: One event.
        vectors_xy_gev: px, py in GeV of each vector to draw, by name.
        effects: What each candidate does to the network's result; None without a network.
        path: The HTML file.
        title: Heading.
        jets: Jets, drawn as their cones.
    """
    momentum_gev = event.columns["pt"] * PT_LSB_GEV
    sizes = [float(np.hypot(*vector)) for vector in vectors_xy_gev.values()]
    scale = 0.46 * PLANE / max([*sizes, float(momentum_gev.max(initial=1.0))])
    render_html(
        "event.html.j2",
        path,
        title=title,
        map=MAP,
        plane=PLANE,
        marks=_marks(event, effects, scale),
        jets_title=f"{JETS_TITLE}: {len(jets)}",
        cones=[cone for jet in jets for cone in _cones(jet)],
        arrows=[
            Arrow(name, size, _phi_y(float(np.arctan2(*vector[::-1]))), _end(vector, scale))
            for (name, vector), size in zip(vectors_xy_gev.items(), sizes, strict=True)
        ],
        kinds=[
            (name, int(np.isin(event.columns["pid"], pids).sum()))
            for name, pids in PARTICLE_KINDS.items()
        ],
        eta_ticks=[(_eta_x(float(eta)), f"{eta}") for eta in range(-5, 6)],
        phi_ticks=[(_phi_y(k * np.pi / 2), text) for k, text in
                   zip(range(-2, 3), ("-π", "-π/2", "0", "π/2", "π"), strict=True)],
        table=event_table(event, effects),
    )  # fmt: skip


def event_table(event: Examples, effects: CandidateEffects | None) -> Table:
    """Return the candidates, those first that change the result most (without a network, by pt)."""
    pt_gev = event.columns["pt"] * PT_LSB_GEV
    size = pt_gev if effects is None else np.nan_to_num(effects.size, nan=-1.0)
    rows = tuple(_row(event, effects, int(k)) for k in np.argsort(-size, kind="stable"))
    note = "" if effects is None else _note(effects)
    columns = (
        "candidate",
        "pt, GeV",
        "eta",
        "phi",
        "PUPPI weight",
        "network weight",
        "effect, GeV",
    )
    return Table("Candidates", columns, rows, note)


def _note(effects: CandidateEffects) -> str:
    kind: Kind = "vector" if len(effects.value) > 1 else "scalar"
    along, the = (", along its momentum", "") if kind == "vector" else ("", "the ")
    return (
        f"Weight: what leaving the candidate out does to the network's {effects.title}{along}; 1 is "
        f"what it does to {the}{CANDIDATE_SUMS[kind]}."
    )


def _row(event: Examples, effects: CandidateEffects | None, k: int) -> tuple[str, ...]:
    puppi = event.columns.get("puppi_weight")
    weight, change = EMPTY, EMPTY
    if effects is not None and np.isfinite(effects.weight[k]):
        weight, change = f"{effects.weight[k]:.2f}", f"{effects.size[k]:.1f}"
    return (
        _kind(event, k)[1],
        f"{event.columns['pt'][k] * PT_LSB_GEV:.2f}",
        f"{event.columns['eta'][k] * ANGLE_LSB_RAD:.2f}",
        f"{event.columns['phi'][k] * ANGLE_LSB_RAD:.2f}",
        EMPTY if puppi is None else f"{puppi[k] / 256:.2f}",
        weight,
        change,
    )


def _kind(event: Examples, k: int) -> tuple[int, str]:
    """Return number and name of the kind of a candidate."""
    pid = int(event.columns["pid"][k])
    kinds = enumerate(PARTICLE_KINDS.items())
    return next((n, name) for n, (name, pids) in kinds if pid in pids)


def _marks(event: Examples, effects: CandidateEffects | None, scale: float) -> list[Mark]:
    opacity = np.full(event.n_rows, 0.56) if effects is None else effects.opacity
    found = []
    for k in range(event.n_rows):
        pt_gev = float(event.columns["pt"][k] * PT_LSB_GEV)
        eta, phi = (float(event.columns[name][k] * ANGLE_LSB_RAD) for name in ("eta", "phi"))
        name, *values = _row(event, effects, k)
        labels = ("pt {} GeV", "eta {}", "phi {}", "PUPPI weight {}", "network weight {}")
        texts = [form.format(v) for form, v in zip(labels, values, strict=False) if v != EMPTY]
        momentum = np.array([np.cos(phi), np.sin(phi)]) * pt_gev
        found.append(
            Mark(
                x=_eta_x(eta),
                y=_phi_y(phi),
                radius=round(float(np.sqrt(_AREA_PER_GEV * pt_gev / np.pi)), 1),
                kind=_kind(event, k)[0],
                opacity=round(float(opacity[k]), 2),
                label=", ".join((name, *texts)),
                end=_end(momentum, scale),
            )
        )
    return sorted(found, key=lambda mark: -mark.radius)


def _cones(jet: EventJet) -> list[Cone]:
    half = (round(_eta_x(RADIUS) - _eta_x(0), 1), round(_phi_y(0) - _phi_y(RADIUS), 1))
    label = f"jet of {jet.pt_gev:.1f} GeV, eta {jet.eta:.2f}, phi {jet.phi_rad:.2f}"
    return [Cone(_eta_x(eta), _phi_y(phi), half, label) for eta, phi in jet.centres]


def _eta_x(eta: float) -> float:
    inside = MAP["width"] - MAP["left"] - MAP["right"]
    return round(MAP["left"] + inside * (eta + MAX_ETA) / (2 * MAX_ETA), 1)


def _phi_y(phi: float) -> float:
    inside = MAP["height"] - MAP["top"] - MAP["bottom"]
    return round(MAP["top"] + inside * (0.5 - phi / (2 * np.pi)), 1)


def _end(vector: npt.NDArray[np.float64], scale: float) -> tuple[float, float]:
    return round(PLANE / 2 + float(vector[0]) * scale, 1), round(
        PLANE / 2 - float(vector[1]) * scale, 1
    )
