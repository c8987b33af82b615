"""The events of a ROOT file, whichever way they are stored: one interface for TTree and RNTuple."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

import awkward as ak

from l1met_fpga.data.branch_choice import nearest
from l1met_fpga.data.root_file import may_hold, opened, readable
from l1met_fpga.data.root_ntuple import NTuple
from l1met_fpga.data.root_tree import Tree, friends_of
from l1met_fpga.errors import DataError

__all__ = ["Table", "open_table", "steps"]

_LARGEST_STEP: Final = 65536
"""Events; about 400 MiB of temporary arrays."""
_NTUPLE: Final = "ROOT::RNTuple"
_VARIATION_MASK: Final = "R_rdf_mask_"
_OF_OTHER_ROWS: Final = {"jets": ("jets", "data"), "elements": ("elements",)}
"""How trees of other formats end (:mod:`~l1met_fpga.data.read_jets`, :mod:`~l1met_fpga.data.read_elements`)."""
_KINDS: Final = ("TTree", "TNtuple", "TNtupleD", _NTUPLE)


class Table(Protocol):
    """Events with named branches.

    Attributes:
        n_events: Number of events.
        names: Branches that can be asked for; members of objects as ``OBJECT.MEMBER`` and, if
            there is no such branch, as ``OBJECT_MEMBER``.
    """

    n_events: int
    names: frozenset[str]

    def check(self, names: Sequence[str]) -> None:
        """Refuse branches that cannot be read, or not for every event.

        Raises:
            DataError: If there is one; names it and says why.
        """

    def ends(self, name: str, /) -> list[int]:
        """Return where the compressed blocks of a branch end, in events."""

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        """Return the values of branches for events ``start`` to ``stop``."""


@contextmanager
def open_table(path: str, tree: str) -> Iterator[Table]:
    """Open the TTree or RNTuple of a file.

    Args:
        path: File name or URL.
        tree: Name of it, with folders.

    Raises:
        DataError: If the file cannot be read or has no such tree.
    """
    with ExitStack() as stack:
        file = stack.enter_context(opened(path))
        with readable(path):
            classes = file.classnames(cycle=False)
            has_friends = may_hold(file, "TFriendElement")
        _refuse_other_kinds(classes, tree, path)
        if has_friends:
            file = stack.enter_context(opened(path, all_metadata=True))
        with readable(path):
            if classes[tree] == _NTUPLE:
                table: Table = NTuple(file[tree], path)
            else:
                table = Tree(file[tree], path, friends_of(file, tree, path) if has_friends else [])
        _refuse_variations(table, path)
        yield table


def _refuse_variations(table: Table, path: str) -> None:
    """Refuse a snapshot with variations: events that fail the nominal selection are in it too."""
    masks = [name for name in table.names if name.startswith(_VARIATION_MASK)]
    if masks:
        raise DataError(
            f"{path} holds the events of several selections (branch {masks[0]}), also those that "
            "fail the nominal one; take a snapshot without variations (RSnapshotOptions)"
        )


def _refuse_other_kinds(classes: Mapping[str, str], tree: str, path: str) -> None:
    if tree not in classes:
        trees = [name for name, kind in classes.items() if kind in _KINDS]
        has = f"it has {', '.join(trees)}" if trees else "it has no tree at all"
        hint = "".join(
            f", or read a file of {held} with --format {held}"
            for held, ends in _OF_OTHER_ROWS.items()
            if any(name.lower().endswith(ends) for name in trees)
        )
        raise DataError(
            f"{path} has no tree {tree}{nearest(tree, trees)}; {has}, name the right one in a "
            f"branch map (--branch-map){hint}"
        )
    if classes[tree] not in _KINDS:
        raise DataError(f"{path}: {tree} is a {classes[tree]}; a TTree or RNTuple is needed")


def steps(n_events: int, ends: Sequence[int], target: int) -> list[tuple[int, int]]:
    """Divide the events into steps that end where a compressed block of the file ends.

    A block in two steps is decompressed twice. Larger blocks than ``_LARGEST_STEP`` are cut all
    the same, for memory.
    """
    found, start = [], 0
    while start < n_events:
        # The last block's end within the target, or else the next one, or else a cut.
        place = bisect_right(ends, start + target) - 1
        if place < 0 or ends[place] <= start:
            place += 1
        stop = ends[place] if place < len(ends) else n_events
        stop = min(stop, start + max(target, _LARGEST_STEP), n_events)
        found.append((start, stop))
        start = stop
    return found
