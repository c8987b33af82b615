"""Which branches of a file a branch map means, and what the file lacks."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from l1met_fpga.data.branch_map import (
    PACKAGED,
    BranchMap,
    Names,
    PolarVector,
    load_branch_map,
)
from l1met_fpga.data.truth import PUPPI_MET, TRUTHS, Quantity
from l1met_fpga.errors import DataError

__all__ = ["Branches", "FileBranches", "choose_branches", "nearest"]

Branches = tuple[str, ...]
"""Size and direction of a vector, or the one branch of a number."""


@dataclass(frozen=True, slots=True)
class FileBranches:
    """The branches of one file, each under what it stands for.

    Attributes:
        candidates: pt, eta, phi and PUPPI weight by column, in physical units.
        pdg_id: PDG code.
        count: Number of candidates.
        charge: Electric charge.
        hardware: Hardware integers by column.
        extras: Optional columns in physical units.
        truth: Truths by name.
        baselines: Other algorithms' estimates, by name with form and unit.
        vertex_z0: z of the vertices.
        n_pileup: Number of pile-up collisions.
        event: Run, luminosity block, event number.
        weight: Weight of the generator, which is not used but must not be passed over in silence.
        lacking: What the file does not have, as in ``COUNT_MEANINGS``.
        alternatives: Those of the branches for which the map has several names.
    """

    candidates: dict[str, str]
    pdg_id: str
    count: str | None
    charge: str | None
    hardware: dict[str, str]
    extras: dict[str, str]
    truth: dict[str, Branches]
    baselines: dict[str, Branches]
    vertex_z0: str | None
    n_pileup: str | None
    event: tuple[str | None, ...]
    weight: str | None
    lacking: tuple[str, ...]
    alternatives: tuple[str, ...]

    def all(self) -> list[str]:
        """Return every branch once."""
        values = (*self.truth.values(), *self.baselines.values())
        found = [
            *self.candidates.values(),
            self.pdg_id,
            self.count,
            self.charge,
            *self.hardware.values(),
            *self.extras.values(),
            *(branch for branches in values for branch in branches),
            self.vertex_z0,
            self.n_pileup,
            *self.event,
            self.weight,
        ]
        return list(dict.fromkeys(branch for branch in found if branch))


_PUPPI_MET: Final = Quantity.named(PUPPI_MET)
_WEIGHT: Final = ("genWeight",)
"""Its name in every table of the NanoAOD kind."""


def choose_branches(name: str, branches: Collection[str], where: str) -> FileBranches:
    """Find the branches of a map in a file; for ``auto`` with the first packaged map that fits.

    Args:
        name: A packaged map, a path, or ``auto``.
        branches: Branches of the file.
        where: File and tree for messages.

    Raises:
        ConfigError: If there is no such map.
        DataError: If the file lacks a branch that every file must have, or that a map of the
            user's names; names the nearest.
    """
    if name != "auto":
        chosen = load_branch_map(name)
        # A map of the user's says what is in the file: a name that is not there is a mistake.
        needed = _required(chosen) if name in PACKAGED else _named(chosen)
        missing = _missing(needed, branches)
        if missing:
            raise DataError(
                f"{where} has no branch {_either(missing[0])}{nearest(missing[0][0], branches)}; it "
                f"is needed by the branch map {name}, give another with --branch-map"
            )
        return _chosen(chosen, branches)
    maps = []
    for packaged in PACKAGED:
        maps.append(load_branch_map(packaged))
        if not _missing(_required(maps[-1]), branches):
            return _chosen(maps[-1], branches)
    closest = min(maps, key=lambda known: len(_missing(_required(known), branches)))
    first = _missing(_required(closest), branches)[0]
    raise DataError(
        f"{where} has no branch {_either(first)}{nearest(first[0], branches)}; no packaged branch "
        f"map ({', '.join(PACKAGED)}) fits, write your own and give it with --branch-map"
    )


def nearest(name: str, known: Collection[str]) -> str:
    """Return `` (nearest: ...)`` with up to three names like ``name``, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" (nearest: {', '.join(close)})" if close else ""


def _required(names: BranchMap) -> list[Names]:
    table = names.candidates
    return [table.pt, table.eta, table.phi, table.puppi_weight, table.pdg_id]


def _named(names: BranchMap) -> list[Names]:
    values = (*names.truth.values(), *names.baselines.values())
    optional = (
        names.count,
        names.charge,
        *names.hardware.values(),
        *names.extras.values(),
        *(
            branch
            for value in values
            for branch in ((value.pt, value.phi) if isinstance(value, PolarVector) else (value,))
        ),
        names.vertex_z0,
        names.n_pileup,
        *(names.event or ()),
    )
    return [*_required(names), *(alternatives for alternatives in optional if alternatives)]


def _missing(needed: Collection[Names], branches: Collection[str]) -> list[Names]:
    return [names for names in needed if _first(names, branches) is None]


def _either(names: Names) -> str:
    return " or ".join(names)


def _first(names: Names | None, branches: Collection[str]) -> str | None:
    return next((name for name in names or () if name in branches), None)


def _chosen(names: BranchMap, branches: Collection[str]) -> FileBranches:
    table = names.candidates
    candidates = {"pt": table.pt, "eta": table.eta, "phi": table.phi}
    candidates["puppi_weight"] = table.puppi_weight
    event = tuple(_first(field, branches) for field in names.event or ())
    found = FileBranches(
        candidates=_found(candidates, branches),
        pdg_id=next(name for name in table.pdg_id if name in branches),
        count=_first(names.count, branches),
        charge=_first(names.charge, branches),
        hardware=_found(names.hardware, branches),
        extras=_found(names.extras, branches),
        truth=_values(names.truth, branches),
        baselines=_values(names.baselines, branches),
        vertex_z0=_first(names.vertex_z0, branches),
        n_pileup=_first(names.n_pileup, branches),
        event=event,
        weight=_first(_WEIGHT, branches),
        lacking=(),
        alternatives=tuple(
            branch
            for known in _named(names)
            if len(known) > 1 and (branch := _first(known, branches))
        ),
    )
    return replace(found, lacking=_lacking(names, found))


def _found(names: Mapping[str, Names], branches: Collection[str]) -> dict[str, str]:
    found = {name: _first(alternatives, branches) for name, alternatives in names.items()}
    return {name: branch for name, branch in found.items() if branch}


def _values(
    named: Mapping[str, PolarVector | Names], branches: Collection[str]
) -> dict[str, Branches]:
    """Return the branches that the file has, by name with form and unit."""
    return {
        Quantity(key, "vector" if isinstance(value, PolarVector) else "scalar", key).name: chosen
        for key, value in named.items()
        if (chosen := _value(value, branches))
    }


def _value(value: PolarVector | Names, branches: Collection[str]) -> Branches | None:
    if isinstance(value, PolarVector):
        pairs = zip(value.pt, value.phi, strict=True)
        return next((pair for pair in pairs if set(pair) <= set(branches)), None)
    found = _first(value, branches)
    return (found,) if found else None


def _lacking(names: BranchMap, found: FileBranches) -> tuple[str, ...]:
    wanted = {
        **{
            f"files_without_{truth.key}": truth.key in names.truth and truth.name not in found.truth
            for truth in TRUTHS.values()
        },
        "files_without_puppi_met": (
            _PUPPI_MET.key in names.baselines and _PUPPI_MET.name not in found.baselines
        ),
        "files_without_charge": names.charge and not found.charge,
        "files_without_hardware_integers": names.hardware and not found.hardware,
        "files_without_vertex": names.vertex_z0 and not found.vertex_z0,
        "files_without_event_id": names.event and not all(found.event),
    }
    return tuple(name for name, lacks in wanted.items() if lacks)
