"""Events of input files, in blocks."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.order import order_and_truncate
from l1met_fpga.data.sources import Source, expand_sources, read_source
from l1met_fpga.data.store import Store, is_store
from l1met_fpga.data.vertex import with_z0_from_vertex
from l1met_fpga.errors import DataError
from l1met_fpga.puppi.columns import COLUMNS, REQUIRED_COLUMNS

__all__ = ["Block", "read_blocks", "read_event"]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive events of one file.

    Attributes:
        path: The file.
        events: At most 128 candidates each, with every truth that the file has.
        done: How much of all files is read with this block, up to 1.
    """

    path: str
    events: Examples
    done: float


def read_blocks(
    sources: Sequence[Source],
    columns: Sequence[str],
    units: Mapping[str, str],
    config: ConvertConfig,
    tally: Counter[str],
) -> Iterator[Block]:
    """Read files one after the other; every event of them, in their order.

    Args:
        sources: Stores, or what ``l1met convert`` reads.
        columns: Candidate columns.
        units: Unit of one count by column, as the network was trained with it; the hardware's
            where it is not said.
        config: How files that are no stores are read; its ``z0`` follows from ``units``.
        tally: Counts what was changed or dropped.

    Raises:
        DataError: If a file cannot be read, lacks a column, or holds one in other units.
    """
    from_vertex = units.get("z0", COLUMNS["z0"].count_unit) != COLUMNS["z0"].count_unit
    for index, source in enumerate(sources):
        if source.format == "l1metml" and is_store(Path(source.path)):
            blocks = _store_blocks(source, columns, units, config.events_per_step)
        else:
            blocks = _file_blocks(source, columns, from_vertex, config, tally)
        for block in blocks:
            yield replace(block, done=(index + block.done) / len(sources))


def read_event(
    path: str, number: int, columns: Sequence[str], units: Mapping[str, str], config: ConvertConfig
) -> Examples:
    """Read one event of a file as a network sees it.

    Args:
        path: A store, or any input file of ``l1met convert``.
        number: Place in the file, from 0.
        columns: Candidate columns beside those that every file has.
        units: As for :func:`read_blocks`.
        config: As for :func:`read_blocks`.

    Raises:
        DataError: As :func:`read_blocks`, or if the file has fewer events.
    """
    if is_store(Path(path)):
        sources = [Source(path, "l1metml")]
    else:
        sources = expand_sources([path], config.format)
    wanted = tuple(dict.fromkeys((*REQUIRED_COLUMNS, *columns)))
    n_events = 0
    for block in read_blocks(sources, wanted, units, config, Counter()):
        if 0 <= number < n_events + len(block.events):
            return block.events.take(np.array([number - n_events]))
        n_events += len(block.events)
    raise DataError(f"{path} has no event {number}; it has {n_events}, numbered from 0")


def _store_blocks(
    source: Source, columns: Sequence[str], units: Mapping[str, str], n_events: int
) -> Iterator[Block]:
    with Store.open(Path(source.path)) as store:
        for name in columns:
            hardware = COLUMNS[name].count_unit
            held, trained = store.attributes.units.get(name, hardware), units.get(name, hardware)
            if held != trained:
                raise DataError(
                    f"{source.path} has {name} in units of {held!r}, the network was trained with "
                    f"{trained!r}; convert its sources again (`l1met convert --z0`)"
                )
        for start in range(0, store.n_events, n_events):
            stop = min(start + n_events, store.n_events)
            events = store.examples(slice(start, stop), columns, truths=store.truths)
            yield Block(source.path, events, stop / store.n_events)


def _file_blocks(
    source: Source,
    columns: Sequence[str],
    from_vertex: bool,
    config: ConvertConfig,
    tally: Counter[str],
) -> Iterator[Block]:
    for batch in read_source(source, config, tally):
        missing = [name for name in columns if name not in batch.columns]
        if missing:
            raise DataError(
                f"{source.path} has no {', '.join(missing)}, which the network reads; it has "
                f"{', '.join(batch.columns)}"
            )
        placed = with_z0_from_vertex(batch) if from_vertex else batch
        ordered = order_and_truncate(placed, config.order, tally)
        seen = replace(ordered, columns={name: ordered.columns[name] for name in columns})
        yield Block(source.path, seen, 0.0)  # nobody knows how many events follow
