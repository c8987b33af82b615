"""Collisions from Pythia 8: process cards, checked batches, a cache named by checksums.

Pythia is GPL and an optional extra of this package; nothing outside this module imports it.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata, resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from l1met_fpga.config.base import StrictModel, load_yaml, parse
from l1met_fpga.errors import ConfigError, SimulationError
from l1met_fpga.files import read_json, write_json
from l1met_fpga.puppi.sums import sum_by_event
from l1met_fpga.simulation.objects import Objects, find_objects
from l1met_fpga.simulation.particles import MAX_ABS_ETA, MIN_PT_GEV, ParticleEvents, Species

__all__ = ["Card", "Variant", "card_names", "generate", "generated", "is_generated", "load_card"]

_log = logging.getLogger(__name__)

COMMON_SETTINGS: Final = (
    "Print:quiet = on",
    "Beams:idA = 2212",
    "Beams:idB = 2212",
    "Beams:eCM = 14000.",
    # The CMS convention: particles with c tau above 10 mm reach the detector.
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 10.",
    "Random:setSeed = on",
)
BATCH_EVENTS: Final = 500
FORMAT_VERSION: Final = 3
"""Raise when the content of a file of generated events changes its meaning."""
_FIRST_PRODUCT, _LAST_PRODUCT = 91, 99
"""Pythia's status of what came from a decay."""
NEUTRINOS: Final = (12, 14, 16)


class Variant(StrictModel):
    """One part of a card, generated on its own and mixed in.

    Attributes:
        name: For logs.
        fraction: Share of the card's events.
        settings: Pythia settings added to the card's.
    """

    name: str = "all"
    fraction: float = Field(1.0, gt=0, le=1)
    settings: tuple[str, ...] = ()


class Card(StrictModel):
    """A physics process: Pythia settings, perhaps in several variants."""

    description: str
    settings: tuple[str, ...]
    variants: tuple[Variant, ...] = (Variant(),)


@dataclass(frozen=True, slots=True)
class _Flat:
    """Columns of one batch before the selection of visible particles."""

    event: npt.NDArray[np.int64]
    pdg: npt.NDArray[np.int64]
    px: npt.NDArray[np.float64]
    py: npt.NDArray[np.float64]
    pz: npt.NDArray[np.float64]
    x_mm: npt.NDArray[np.float64]
    y_mm: npt.NDArray[np.float64]


def card_names() -> list[str]:
    """Return the names of the cards that come with the package."""
    folder = resources.files("l1met_fpga.simulation") / "cards"
    return sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml"))


def load_card(name_or_path: str) -> Card:
    """Read a process card by name (``ttbar``) or by path (``cards/mine.yaml``).

    Raises:
        ConfigError: If there is no such card, it breaks a rule, or its fractions do not add to 1.
    """
    path = Path(name_or_path)
    if path.suffix != ".yaml":
        if name_or_path not in card_names():
            raise ConfigError(
                f"no process card {name_or_path!r}; choose from {', '.join(card_names())} "
                "or give the path of a .yaml file"
            )
        path = Path(str(resources.files("l1met_fpga.simulation") / "cards" / f"{path}.yaml"))
    card = parse(Card, load_yaml(path), where=str(path))
    total = sum(variant.fraction for variant in card.variants)
    if abs(total - 1) > 1e-9:
        raise ConfigError(f"{path}: fractions of the variants add to {total:g}, not to 1")
    return card


def generate(card: Card, *, events: int, seed: int) -> tuple[ParticleEvents, dict[str, float]]:
    """Generate events of a card, the variants in random order.

    Args:
        card: What to generate.
        events: Number of events.
        seed: Same seed, same events.

    Returns:
        The events and ``{"cross_section_mb": ...}`` (of the first variant's process).

    Raises:
        SimulationError: If Pythia is missing, refuses a setting, cannot start, or gives a batch
            that is not whole.
    """
    rng = np.random.default_rng([seed, 1])
    shares = np.array([variant.fraction for variant in card.variants])
    counts = np.floor(np.cumsum(shares) * events + 0.5).astype(int)
    counts = np.diff(counts, prepend=0)
    parts: list[ParticleEvents] = []
    cross_section_mb = 0.0
    for number, (variant, count) in enumerate(zip(card.variants, counts, strict=True)):
        if count == 0:
            continue
        # Pythia seeds run from 1 to 900,000,000.
        pythia_seed = int(np.random.default_rng([seed, 2, number]).integers(1, 900_000_000))
        pythia = _start([*card.settings, *variant.settings], pythia_seed)
        parts.extend(_batches(pythia, count))
        cross_section_mb = cross_section_mb or float(pythia.infoPython().sigmaGen())
        _log.debug("generated %d events of variant %s", count, variant.name)
    joined = ParticleEvents.concatenate(parts)
    if len(card.variants) > 1:
        joined = joined.select(rng.permutation(len(joined)))
    return joined, {"cross_section_mb": cross_section_mb}


def generated(
    card: Card, *, events: int, seed: int, cache: Path
) -> tuple[ParticleEvents, dict[str, float]]:
    """Like :func:`generate`, from the cache when the same events were made before.

    The file's name holds the checksum of everything that decides its content: settings, seed,
    number of events, Pythia version, format version.
    """
    name = checksum(card, events=events, seed=seed)
    path, about = cache / f"{name}.npz", cache / f"{name}.json"
    if not is_generated(card, events, seed, cache):
        made, facts = generate(card, events=events, seed=seed)
        made.save(path)
        write_json(about, {"description": card.description, **facts})
    facts = read_json(about, error=SimulationError, next_step="remove it and run again")
    return ParticleEvents.load(path), facts


def is_generated(card: Card, events: int, seed: int, cache: Path) -> bool:
    """Return whether the cache holds these events."""
    name = checksum(card, events=events, seed=seed)
    return (cache / f"{name}.npz").is_file() and (cache / f"{name}.json").is_file()


def checksum(card: Card, *, events: int, seed: int) -> str:
    """Return the name under which the cache keeps these events."""
    try:
        version = metadata.version("pythia8mc")
    except metadata.PackageNotFoundError:
        raise _missing() from None
    content = [card.model_dump(), COMMON_SETTINGS, events, seed, version, FORMAT_VERSION]
    content += [MAX_ABS_ETA, MIN_PT_GEV]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _missing() -> SimulationError:
    return SimulationError(
        "generating events needs the package pythia8mc, which is not installed; "
        "run `pip install 'l1met_fpga[simulation]'`, or use the built-in samples in data/"
    )


def _start(settings: list[str], seed: int) -> Any:
    try:
        pythia = import_module("pythia8mc").Pythia("", False)
    except ModuleNotFoundError:
        raise _missing() from None
    for line in [*COMMON_SETTINGS, *settings, f"Random:seed = {seed}"]:
        if not pythia.readString(line):
            raise SimulationError(f"Pythia refuses the setting {line!r}; check the process card")
    if not pythia.init():
        raise SimulationError(f"Pythia cannot start with {settings}; see its messages above")
    return pythia


def _batches(pythia: Any, events: int) -> Iterator[ParticleEvents]:
    for first in range(0, events, BATCH_EVENTS):
        count = min(BATCH_EVENTS, events - first)
        batch = pythia.nextBatch(count)
        # After a failure nextBatch returns a record without fields instead of raising.
        if "prt" not in batch.fields or len(batch) != count:
            raise SimulationError(f"Pythia gave {len(batch)} of {count} events; see its messages")
        pt2_hat = np.asarray(batch.info.pT2Hat, np.float64)
        yield _visible(_flatten(batch), count, pt2_hat, find_objects(batch))


def _flatten(batch: Any) -> _Flat:
    import awkward as ak

    particles = batch.prt[batch.prt.status > 0]
    count = ak.to_numpy(ak.num(particles.id))
    px, py, pz = (ak.to_numpy(ak.flatten(particles.p[c])) for c in ("px", "py", "pz"))
    pdg = ak.to_numpy(ak.flatten(particles.id)).astype(np.int64)
    event = np.repeat(np.arange(len(count)), count)
    return _Flat(event, pdg, px, py, pz, *_places(batch))


def _places(batch: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return where final particles come from across the beam, mm: the flights of all that decayed.

    The field ``vProd`` of a batch is not used: in Pythia 8.317 it lies one particle further on in
    each event than in the one before.
    """
    import awkward as ak

    record, counts = batch.prt, ak.to_numpy(ak.num(batch.prt.id))
    status, mother, tau, mass = (
        ak.to_numpy(ak.flatten(record[name])) for name in ("status", "mother1", "tau", "m")
    )
    mother = mother + np.repeat(np.cumsum(counts) - counts, counts)
    is_product = (np.abs(status) >= _FIRST_PRODUCT) & (np.abs(status) <= _LAST_PRODUCT)
    flight = np.divide(tau, mass, where=mass > 0, out=np.zeros(len(mass)))
    x, y = (flight * ak.to_numpy(ak.flatten(record.p[name])) for name in ("px", "py"))
    final = np.flatnonzero(status > 0)
    place, at = np.zeros((2, len(final))), final
    while is_product[at].any():
        come_from = np.where(is_product[at], mother[at], at)
        place += np.stack([x, y])[:, come_from] * is_product[at]
        at = come_from
    return place[0], place[1]


def _visible(
    flat: _Flat, events: int, pt2_hat_gev2: npt.NDArray[np.float64], objects: Objects
) -> ParticleEvents:
    pt = np.hypot(flat.px, flat.py)
    d0_mm = (flat.x_mm * flat.py - flat.y_mm * flat.px) / np.maximum(pt, 1e-9)
    eta = np.arcsinh(flat.pz / np.maximum(pt, 1e-9))
    invisible = np.isin(np.abs(flat.pdg), NEUTRINOS)
    momentum = np.stack([flat.px, flat.py], axis=1)[invisible]
    gen_met = sum_by_event(momentum, flat.event[invisible], events)
    keep = ~invisible & (np.abs(eta) < MAX_ABS_ETA) & (pt > MIN_PT_GEV)
    species, charge = _species(flat.pdg[keep])
    count = np.bincount(flat.event[keep], minlength=events)
    return ParticleEvents(
        offsets=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        pt_gev=pt[keep].astype(np.float32),
        eta=eta[keep].astype(np.float32),
        phi_rad=np.arctan2(flat.py, flat.px)[keep].astype(np.float32),
        species=species,
        charge=charge,
        d0_cm=(0.1 * d0_mm[keep]).astype(np.float32),
        gen_met_xy_gev=gen_met,
        pt_hat_gev=np.sqrt(pt2_hat_gev2).astype(np.float32),
        objects=objects,
    )


def _species(pdg: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Sort PDG codes into species and charges; unknown codes are neutral hadrons."""
    size, sign = np.abs(pdg), np.sign(pdg).astype(np.int8)
    species = np.full(len(pdg), Species.NEUTRAL_HADRON, np.int8)
    charge = np.zeros(len(pdg), np.int8)
    # Positive codes of positive particles; 3112, 3312 and 3334 are negative baryons.
    for codes, kind, unit in (
        ((211, 321, 2212, 3222), Species.CHARGED_HADRON, 1),
        ((3112, 3312, 3334), Species.CHARGED_HADRON, -1),
        ((11,), Species.ELECTRON, -1),
        ((13,), Species.MUON, -1),
        ((22,), Species.PHOTON, 0),
    ):
        mine = np.isin(size, codes)
        species[mine] = kind
        charge[mine] = unit * sign[mine]
    return species, charge
