"""Parameters of the detector model: one YAML file, each number with unit and source."""

from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, create_model

from l1met_fpga.config.base import StrictModel, load_yaml, parse
from l1met_fpga.errors import ConfigError

__all__ = [
    "CalorimeterParameters",
    "Detector",
    "FlowParameters",
    "PileupParameters",
    "PuppiParameters",
    "TrackParameters",
    "VertexParameters",
    "default_path",
    "load_detector",
]

# Named tuples, because compiled code reads them; the meaning, unit and source of each number
# stand beside its value in detector.yaml.
Numbers = tuple[float, ...]


class PileupParameters(NamedTuple):
    """Section ``pileup``."""

    mean: float
    vertex_sigma_z_cm: float


class TrackParameters(NamedTuple):
    """Section ``tracks``."""

    min_pt_gev: float
    max_abs_eta: float
    efficiency: Numbers
    efficiency_edge_abs_eta: float
    electron_factor: float
    muon_factor: float
    electron_id_efficiency: float
    hadron_as_electron: float
    eta_edges: Numbers
    pt_resolution_offset: Numbers
    pt_resolution_per_tev: Numbers
    z0_sigma_cm: float
    z0_sigma_eta2_cm: float
    z0_tail_fraction: float
    z0_tail_factor: float
    core_radius: float
    core_free_tracks: float
    core_full_tracks: float
    core_max_loss: float
    fakes_mean: float
    fakes_pt_power: float
    fakes_sigma_z_cm: float


class CalorimeterParameters(NamedTuple):
    """Section ``calorimeter``; lists are barrel, endcap, forward."""

    field_t: float
    radius_m: float
    half_length_m: float
    em_stochastic: Numbers
    em_constant: Numbers
    had_stochastic: Numbers
    had_constant: Numbers
    had_nonlinearity: float
    had_nonlinearity_power: float
    mip_fraction: float
    mip_energy_gev: float
    muon_energy_gev: float
    shower_em_max: float
    em_zero_suppression_gev: float
    had_zero_suppression_gev: float
    subtraction: Numbers
    em_seed_gev: float
    had_seed_gev: float
    had_scale: Numbers


class FlowParameters(NamedTuple):
    """Section ``particle_flow``."""

    em_calo_dr: float
    track_em_dr: float
    track_calo_dr: Numbers
    max_invisible_pt_gev: float
    eta_edges: Numbers
    em_offset_gev: Numbers
    em_scale: Numbers
    had_offset_gev: Numbers
    had_scale: Numbers
    photon_sigmas: float
    neutral_sigmas: float
    forward_em_fraction: float
    neutral_pt_smear: float
    photon_pt_shift_gev: Numbers
    hadron_pt_shift_gev: Numbers


class VertexParameters(NamedTuple):
    """Section ``vertex``."""

    bin_cm: float
    half_range_cm: float
    max_track_pt_gev: float


class PuppiParameters(NamedTuple):
    """Section ``puppi``; lists run over the five regions of :mod:`.puppi_weights`."""

    max_dz_cm: Numbers
    max_dr: Numbers
    min_dr: Numbers
    max_pt_gev: Numbers
    cut_pt_gev: Numbers
    pt_slope: Numbers
    pt_slope_photon: Numbers
    pt_zero_gev: Numbers
    pt_zero_photon_gev: Numbers
    alpha_slope: Numbers
    alpha_zero: Numbers
    alpha_crop: Numbers
    prior: Numbers
    prior_photon: Numbers
    min_photon_pt_gev: float
    min_hadron_pt_gev: Numbers


class ImpactParameters(NamedTuple):
    """Section ``impact``: of tracks, across the beam."""

    d0_sigma_cm: float
    d0_scattering_cm_gev: float
    d0_tail_fraction: float
    d0_tail_factor: float


class Detector(NamedTuple):
    """All sections of the file."""

    pileup: PileupParameters
    tracks: TrackParameters
    calorimeter: CalorimeterParameters
    particle_flow: FlowParameters
    vertex: VertexParameters
    puppi: PuppiParameters
    impact: ImpactParameters


class Quantity(StrictModel):
    """One number, or one per region, with its unit and source."""

    value: float | list[float]
    unit: str
    source: str


SECTIONS: Final[dict[str, type[Any]]] = {
    "pileup": PileupParameters,
    "tracks": TrackParameters,
    "calorimeter": CalorimeterParameters,
    "particle_flow": FlowParameters,
    "vertex": VertexParameters,
    "puppi": PuppiParameters,
    "impact": ImpactParameters,
}


def default_path() -> Path:
    """Return the detector file that comes with the package."""
    return Path(str(resources.files("l1met_fpga.simulation") / "detector.yaml"))


def load_detector(path: Path | None = None) -> Detector:
    """Read a detector file (the package's own when none is given).

    Raises:
        ConfigError: If a number is missing, unknown, without unit or source, or of the wrong
            length.
    """
    path = path or default_path()
    sections = parse(_schema(), load_yaml(path), where=str(path))
    standard = None if path == default_path() else load_detector()
    return Detector(**{name: _section(sections, name, standard, path) for name in SECTIONS})


def _schema() -> type[BaseModel]:
    models: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        fields: dict[str, Any] = dict.fromkeys(kind._fields, (Quantity, ...))
        models[name] = (create_model(name, __base__=StrictModel, **fields), ...)
    return create_model("detector", __base__=StrictModel, **models)


def _section(sections: BaseModel, name: str, standard: Detector | None, path: Path) -> Any:
    kind = SECTIONS[name]
    section = getattr(sections, name)
    numbers: dict[str, float | Numbers] = {}
    for field in kind._fields:
        value = getattr(section, field).value
        wants_list = kind.__annotations__[field] is not float
        if isinstance(value, list) != wants_list:
            want = "a list" if wants_list else "one number"
            raise ConfigError(f"{path}: {name}.{field} must be {want}, got {value!r}")
        numbers[field] = tuple(value) if isinstance(value, list) else value
        if standard is not None and wants_list:
            length = len(getattr(getattr(standard, name), field))
            if len(value) != length:
                raise ConfigError(
                    f"{path}: {name}.{field} must have {length} numbers, got {len(value)}"
                )
    return kind(**numbers)
