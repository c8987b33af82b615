"""ROOT ntuples with one entry per event and a jagged branch per candidate property."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

from l1met_fpga.data.batch import EventBatch, no_met
from l1met_fpga.data.branch_map import (
    BranchMap,
    PolarMet,
    choose_branch_map,
    load_branch_map,
    nearest,
)
from l1met_fpga.data.quantize import (
    agreeing,
    clean,
    from_hardware,
    from_physical,
    located,
    where_defined,
)
from l1met_fpga.data.truth import met_from_polar
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, MAX_PUPPI_WEIGHT
from l1met_fpga.puppi.units import pid_from_pdg_id
from l1met_fpga.puppi.words import is_charged

__all__ = ["read_root"]

Flat = npt.NDArray[Any]

_LARGEST_STEP: Final = 65536
"""Events; about 400 MiB of temporary arrays."""


def read_root(
    path: str, branch_map: str, events_per_step: int, tally: Counter[str]
) -> Iterator[EventBatch]:
    """Read a ROOT file in steps; memory does not depend on its size.

    Args:
        path: File name or ``root://`` URL (needs the extra ``xrootd``).
        branch_map: Packaged map, YAML file, or ``auto``.
        events_per_step: Events per batch.
        tally: Counts what was changed or dropped.

    Raises:
        DataError: If the file is damaged, lacks its tree or a branch, or breaks a rule of its
            columns.
    """
    with _opened(path) as file:
        tree = _find_tree(file, branch_map, path)
        with _readable(path):
            branches = {branch.name for branch in tree.branches}
        names = choose_branch_map(branch_map, branches, path)
        wanted = _present(names, branches)
        for start, stop in _steps(tree, names.candidates.pt, path, events_per_step):
            with _readable(path), _fast_zlib():
                arrays = tree.arrays(
                    wanted, entry_start=start, entry_stop=stop, library="ak", how=dict
                )
            with located(f"{path}, events {start} to {stop - 1}"):
                yield clean(_batch(_Arrays(arrays, names.candidates.pt), names, tally), tally)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with _readable(path):
        file = uproot.open(path, object_cache=None, array_cache=None)
    with file:
        yield file


def _steps(tree: Any, branch: str, path: str, target: int) -> list[tuple[int, int]]:
    """Divide the events into steps that end where a compressed block (basket) of the file ends.

    A basket in two steps is decompressed twice. Larger baskets than ``_LARGEST_STEP`` are cut all
    the same, for memory.
    """
    with _readable(path):
        n_events = int(tree.num_entries)
        ends = [int(offset) for offset in tree[branch].entry_offsets[1:]]
    steps, start = [], 0
    while start < n_events:
        # The last basket end within the target, or else the next one, or else a cut.
        place = bisect_right(ends, start + target) - 1
        if place < 0 or ends[place] <= start:
            place += 1
        stop = ends[place] if place < len(ends) else n_events
        stop = min(stop, start + max(target, _LARGEST_STEP), n_events)
        steps.append((start, stop))
        start = stop
    return steps


@contextmanager
def _fast_zlib() -> Iterator[None]:
    """Let uproot use ISA-L, which is faster than zlib."""
    # uproot decompresses with an object of a base class of ZLIB, which has the setting.
    owner = next(kind for kind in uproot.ZLIB.__mro__ if "library" in vars(kind))
    before, owner.library = owner.library, "isal"
    try:
        yield
    finally:
        owner.library = before


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"no file {path}; check the path") from None
    except ImportError as err:
        raise DataError(
            f"cannot open {path}: {err.name} is not installed; install l1met_fpga[xrootd]"
        ) from err
    except Exception as err:  # uproot raises whatever a damaged byte leads to
        reason = " ".join(str(err).split())[:200]
        raise DataError(
            f"{path} is not a readable ROOT file ({type(err).__name__}: {reason}); it is empty, "
            "damaged, or was cut while it was copied"
        ) from err


def _find_tree(file: Any, branch_map: str, path: str) -> Any:
    wanted = "Events" if branch_map == "auto" else load_branch_map(branch_map).tree
    with _readable(path):
        classes = file.classnames(cycle=False)
    if wanted not in classes:
        trees = [name for name, kind in classes.items() if kind == "TTree"]
        has = f"it has {', '.join(trees)}" if trees else "it has no tree at all"
        raise DataError(
            f"{path} has no tree {wanted}{nearest(wanted, trees)}; {has}, name the right one in a "
            "branch map (--branch-map)"
        )
    if classes[wanted] != "TTree":
        raise DataError(f"{path}: {wanted} is a {classes[wanted]}; only a TTree can be read")
    with _readable(path):
        return file[wanted]


def _present(names: BranchMap, branches: set[str]) -> list[str]:
    """Return the branches of the map that the file has."""
    optional = [names.count, names.charge, names.vertex_z0, *(names.event or ())]
    optional += [*names.hardware.values(), *names.extras.values()]
    for met in (names.gen_met, names.puppi_met):
        optional += [met.pt, met.phi] if met else []
    found = [name for name in optional if name in branches]
    return [*names.required(), *(str(name) for name in found)]


class _Arrays:
    """The branches of one step, as plain arrays."""

    def __init__(self, arrays: Mapping[str, ak.Array], pt_branch: str) -> None:
        self._arrays = arrays
        self._pt_branch = pt_branch
        self.counts = self._lengths(pt_branch)

    def __contains__(self, branch: str | None) -> bool:
        return branch in self._arrays

    def per_candidate(self, branch: str) -> Flat:
        """Return the values of all candidates, one event after the other."""
        lengths = self._lengths(branch)
        wrong = lengths != self.counts
        if wrong.any():
            first = int(np.argmax(wrong))
            raise DataError(
                f"counts disagree: {branch} has {lengths[first]} entries where {self._pt_branch} "
                f"has {self.counts[first]} (event {first} of these, {int(wrong.sum())} events in "
                "all); the file is damaged"
            )
        layout = self._jagged(branch)
        offsets = layout.offsets.data
        return np.asarray(layout.content.data)[offsets[0] : offsets[-1]]

    def per_event(self, branch: str) -> Flat:
        """Return one number per event."""
        layout = ak.to_layout(self._arrays[branch])
        if not isinstance(layout, ak.contents.NumpyArray) or layout.data.ndim != 1:
            raise DataError(
                f"branch {branch} must hold one number per event, got {self._arrays[branch].type}"
            )
        return np.asarray(layout.data)

    def first_per_event(self, branch: str) -> npt.NDArray[np.float64]:
        """Return one number per event, or the first of a list; NaN where the list is empty."""
        array = self._arrays[branch]
        if array.ndim == 1:
            return self.per_event(branch).astype(np.float64)
        lengths = self._lengths(branch)
        layout = self._jagged(branch)
        result = np.full(len(lengths), np.nan)
        filled = lengths > 0
        result[filled] = np.asarray(layout.content.data)[layout.offsets.data[:-1][filled]]
        return result

    def _lengths(self, branch: str) -> npt.NDArray[np.int64]:
        lengths: npt.NDArray[np.int64] = np.diff(self._jagged(branch).offsets.data)
        return lengths.astype(np.int64)

    def _jagged(self, branch: str) -> Any:
        layout = ak.to_layout(self._arrays[branch])
        if not (
            isinstance(layout, ak.contents.ListOffsetArray)
            and isinstance(layout.content, ak.contents.NumpyArray)
            and layout.content.data.ndim == 1
        ):
            raise DataError(
                f"branch {branch} must hold a list of numbers per event, got "
                f"{self._arrays[branch].type}"
            )
        return layout


def _batch(arrays: _Arrays, names: BranchMap, tally: Counter[str]) -> EventBatch:
    _check_counter(arrays, names)
    charge = arrays.per_candidate(names.charge) if names.charge and names.charge in arrays else None
    pid = pid_from_pdg_id(arrays.per_candidate(names.candidates.pdg_id), charge)
    physical = {
        name: where_defined(name, arrays.per_candidate(branch), pid)
        for name, branch in (names.candidates.columns() | names.extras).items()
        if branch in arrays
    }
    columns = {"pid": pid} | from_physical(physical, pid, tally)
    for name, branch in names.hardware.items():
        if branch in arrays:
            columns[name] = _hardware(name, arrays.per_candidate(branch), columns)
    return EventBatch(
        counts=arrays.counts,
        columns={name: columns[name] for name in COLUMNS if name in columns},
        n_candidates=arrays.counts,
        event_id=_event_id(arrays, names),
        gen_met_xy_gev=_met(arrays, names.gen_met, tally, "gen_met"),
        puppi_met_xy_gev=_met(arrays, names.puppi_met, tally, "puppi_met"),
        vertex_z0_cm=(
            arrays.first_per_event(names.vertex_z0)
            if names.vertex_z0 and names.vertex_z0 in arrays
            else None
        ),
    )


def _check_counter(arrays: _Arrays, names: BranchMap) -> None:
    if names.count is None or names.count not in arrays:
        return
    promised = arrays.per_event(names.count).astype(np.int64)
    wrong = promised != arrays.counts
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f"counts disagree: {names.count} is {promised[first]} where {names.candidates.pt} has "
            f"{arrays.counts[first]} entries (event {first} of these, {int(wrong.sum())} events in "
            "all); the file is damaged"
        )


def _hardware(name: str, values: Flat, columns: Mapping[str, Flat]) -> npt.NDArray[np.int16]:
    if name == "puppi_weight":
        values = np.where(is_charged(columns["pid"]), MAX_PUPPI_WEIGHT, values)
    codes = from_hardware(name, where_defined(name, values, columns["pid"]))
    return agreeing(name, codes, columns[name]) if name in columns else codes


def _event_id(arrays: _Arrays, names: BranchMap) -> npt.NDArray[np.uint64]:
    result = np.zeros((len(arrays.counts), 3), np.uint64)
    for field, branch in enumerate(names.event or ()):
        if branch in arrays:
            values = arrays.per_event(branch)
            if values.dtype.kind not in "ui" or (values.size and values.min() < 0):
                raise DataError(
                    f"branch {branch} must hold integers that are not negative, got "
                    f"{values.dtype} from {values.min()}"
                )
            result[:, field] = values
    return result


def _met(
    arrays: _Arrays, names: PolarMet | None, tally: Counter[str], name: str
) -> npt.NDArray[np.float64]:
    if names is None or names.pt not in arrays or names.phi not in arrays:
        return no_met(len(arrays.counts))
    return met_from_polar(arrays.per_event(names.pt), arrays.per_event(names.phi), tally, name)
