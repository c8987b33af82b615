"""What a network gives for all events of files, into one file."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.slots import first_slots, tell_cut
from l1met_fpga.data.sources import Source, expand_sources
from l1met_fpga.data.truth import GEN_MET, TRUTHS, Quantity
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.firmware.gt_head import gt_head
from l1met_fpga.models.heads import NetworkHead
from l1met_fpga.models.network import Network
from l1met_fpga.prediction.blocks import read_blocks
from l1met_fpga.prediction.loaded import LoadedNetwork
from l1met_fpga.prediction.met import polar
from l1met_fpga.prediction.output import open_output, require_writable
from l1met_fpga.puppi.columns import N_CANDIDATES
from l1met_fpga.puppi.sums import event_sums

__all__ = ["PredictedFile", "column_types", "predict_files"]

_IDENTITY: Final = ("run", "lumi", "event")
_BESIDES: Final = ("puppi_", "gen_")
_PARTS: Final = ("px", "py", "pt", "phi")


def column_types(network: Network) -> dict[str, str]:
    """Return the columns of a file of predictions and their types.

    Identity of the event; of a vector px, py, pt, phi (GeV, rad), then the same of PUPPI MET of the
    same candidates and of generator MET (NaN where it is not known); every other head under its
    own name, a sum such as HT beside the sum of the same candidates' pt and its truth.
    """
    vector = gt_head(network)
    prefixes = () if vector is None else ("", *_BESIDES)
    rest = [name for head in network.heads if head != vector for name in _column_names(head)]
    if taken := {name for name in rest if rest.count(name) > 1 or name in (*_IDENTITY, *_PARTS)}:
        raise ConfigError(f"head {min(taken)!r} has the name of another column of the file")
    return {
        **dict.fromkeys(_IDENTITY, "<u8"),
        **{f"{prefix}{part}": "<f8" for prefix in prefixes for part in _PARTS},
        **dict.fromkeys(rest, "<f8"),
    }


def _column_names(head: NetworkHead) -> tuple[str, ...]:
    """A number is called as its head is, what stands beside it too; several by what they are."""
    if head.size > 1:
        return head.numbers
    return (head.name, *(f"{prefix}{head.name}" for prefix in _BESIDES if _truth_of(head)))


def _truth_of(head: NetworkHead) -> Quantity | None:
    """Return the truth of a sum over the candidates of an event; None of any other head."""
    if (head.kind, head.per, head.unit) != ("scalar", "example", "GeV"):
        return None
    return TRUTHS.get(Quantity(f"gen_{head.name}", "scalar", title=head.name).name)


@dataclass(frozen=True, slots=True)
class PredictedFile:
    """What was written.

    Attributes:
        path: The file.
        n_events: Its events.
        counts: What happened to how many events or candidates while files were read.
    """

    path: Path
    n_events: int
    counts: Mapping[str, int]


def predict_files(
    network: LoadedNetwork,
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    form: str = "int64",
    config: ConvertConfig | None = None,
    rntuple: bool = False,
    overwrite: bool = False,
    on_block: Callable[[int, float], None] | None = None,
) -> PredictedFile:
    """Predict every event of files, in their order; memory does not depend on them.

    The output appears under its name when all of it is written.

    Args:
        network: From :func:`l1met_fpga.load`.
        inputs: Stores, ROOT files, word streams, or other input of ``l1met convert``; names, globs
            and URLs.
        output: ``.npz``, ``.parquet`` or ``.root``; its columns are :func:`column_types`.
        form: ``int64``, ``keras`` or ``cpp``.
        config: Format, branch map and order of inputs that are no stores.
        rntuple: Write an RNTuple, not a TTree, into a ROOT file.
        overwrite: Replace an output that is there.
        on_block: Called with the events done so far, and how much of the input that is (0 to 1).

    Raises:
        ConfigError: If the output or the form cannot be.
        DataError: If an input cannot be read, has no event, or is the output.
        ToolMissingError: If ``cpp`` is asked for without g++.
    """
    config, target = config or ConvertConfig(), Path(output)
    require_writable(target, rntuple=rntuple)
    sources = expand_sources([str(name) for name in inputs], config.format)
    _refuse_output(target, sources, overwrite=overwrite)
    network.form(form)  # what cannot be is found before anything is read
    types = column_types(network.network)
    columns = tuple(dict.fromkeys((*network.network.columns, "pt", "phi")))
    slots = network.network.n_candidates
    tally: Counter[str] = Counter()
    n_events = n_cut = n_candidates = 0
    with open_output(target, types, title=_title(network, form), rntuple=rntuple) as append:
        for block in read_blocks(sources, columns, network.units, config, tally):
            append(_columns(network, block.events, form))
            n_events += len(block.events)
            n_candidates += block.events.n_rows
            n_cut += block.events.n_rows - block.events.first_rows(slots).n_rows
            if on_block is not None:
                on_block(n_events, block.done)
        if n_events == 0:
            raise DataError(
                f"none of {', '.join(source.path for source in sources)} has an event; nothing was "
                "written"
            )
    tell_cut(str(target), slots, n_cut, n_candidates)
    return PredictedFile(target, n_events, dict(tally))


def _columns(network: LoadedNetwork, events: Examples, form: str) -> dict[str, npt.NDArray[Any]]:
    candidates = events.padded(N_CANDIDATES)
    seen = first_slots(candidates, network.network.n_candidates)
    values = network.network.values(network.form(form)(seen))
    found: dict[str, npt.NDArray[Any]] = dict(zip(_IDENTITY, events.ids.T, strict=True))
    vectors: dict[str, npt.NDArray[Any]] = {}
    sums = event_sums(events.columns, events.counts)
    for head in network.network.heads:
        if head == gt_head(network.network):
            gen = _known(events, TRUTHS[GEN_MET])
            vectors = {"": values[head.name], "puppi_": sums["vector"], "gen_": gen}
        elif truth := _truth_of(head):
            beside = (values[head.name][:, 0], sums["scalar"], _known(events, truth))
            found |= dict(zip(_column_names(head), beside, strict=True))
        else:
            found |= dict(zip(_column_names(head), values[head.name].T, strict=True))
    for prefix, xy in vectors.items():
        parts = {"px": xy[:, 0], "py": xy[:, 1], **polar(xy)}
        found |= {f"{prefix}{name}": part for name, part in parts.items()}
    types = column_types(network.network)
    return {name: np.ascontiguousarray(found[name], kind) for name, kind in types.items()}


def _known(events: Examples, truth: Quantity) -> npt.NDArray[np.float64]:
    return events.truth.get(truth.name, truth.unknown(len(events)))


def _title(network: LoadedNetwork, form: str) -> str:
    about = network.network
    told = ", ".join(head.name.upper() for head in about.heads)
    return f"{told} of network {about.name} ({about.digest}), form {form}; GeV, rad"


def _refuse_output(output: Path, sources: Sequence[Source], *, overwrite: bool) -> None:
    """Refuse to replace an input, and anything else unless told to."""
    if not output.exists():
        return
    if output.is_dir():
        raise DataError(f"{output} is a folder; name a file for the output")
    for source in sources:
        if not source.is_remote and output.samefile(source.path):
            raise DataError(f"{output} is an input; choose another name for the output")
    if not overwrite:
        raise DataError(f"{output} exists; replace it with --overwrite or choose another name")
