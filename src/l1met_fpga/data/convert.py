"""Files of the field to one store.

One file is written into the store as it is read. Several are independent tasks, each of which
leaves a part; then one merge in the order of the files.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from l1met_fpga.cluster import run_tasks
from l1met_fpga.config.data import ConvertConfig, Role
from l1met_fpga.data.branch_map import load_branch_map
from l1met_fpga.data.examples import Examples
from l1met_fpga.data.layout import is_baseline
from l1met_fpga.data.order import order_and_truncate
from l1met_fpga.data.part_file import PartRecord, create_part, read_part, read_part_record
from l1met_fpga.data.roles import suggested_role
from l1met_fpga.data.sources import Source, expand_sources, read_source
from l1met_fpga.data.store import CONVERSION_VERSION, SCHEMA_VERSION, is_store
from l1met_fpga.data.store_writer import StoreWriter, create_store
from l1met_fpga.data.truth import TRUTHS
from l1met_fpga.data.vertex import with_z0_from_vertex
from l1met_fpga.errors import DataError
from l1met_fpga.files import exclusive

__all__ = ["ConvertTask", "convert", "convert_source", "role_of"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConvertTask:
    """One input file and the part that it becomes."""

    source: Source
    part: Path
    config: ConvertConfig

    def fingerprint(self) -> str:
        """Return what decides the part's content: the file, the format and the options."""
        options = self.config.model_dump(include={"order", "branch_map", "z0"})
        if self.source.format == "root" and self.config.branch_map != "auto":
            options["branch_map"] = load_branch_map(self.config.branch_map).model_dump()
        versions = [SCHEMA_VERSION, CONVERSION_VERSION]
        source = [self.source.path, self.source.format, self.source.stamp()]
        return json.dumps([*versions, *source, options])

    def record(self) -> dict[str, Any]:
        """Return what a store says about the file, without the number of its events."""
        stamp = self.source.stamp()
        return {
            "path": self.source.path,
            "format": self.source.format,
            "bytes": stamp[0] if stamp else None,
            "sha256": self.source.sha256(),
        }

    def events(self, tally: Counter[str]) -> Iterator[Examples]:
        """Read the file as the store is to hold it."""
        for events in read_source(self.source, self.config, tally):
            placed = events if self.config.z0 == "beam" else with_z0_from_vertex(events)
            yield order_and_truncate(placed, self.config.order, tally)


def convert(
    sources: Sequence[str],
    output: Path,
    config: ConvertConfig,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Convert files to one store.

    Each of several input files is an independent task. Finished tasks stay in the folder
    ``OUTPUT.parts`` until the store is complete, so an interrupted conversion goes on where it stopped.

    Args:
        sources: File names, globs and URLs.
        output: Store to make.
        config: Format, order, label, splits.
        overwrite: Replace an existing store.
        workers: Processes of this machine (see :func:`l1met_fpga.cluster.run_tasks`).
        scheduler: Address of a Dask scheduler whose workers see the same files.
        on_file: Called for each file that is done with the number of files and its events.

    Returns:
        What happened to how many events or candidates, as the store's attribute ``counts``.

    Raises:
        DataError: If an input file cannot be read, the output exists or cannot be written, or
            no input file has an event.
        ConfigError: If an option makes no sense.
        ToolError: If the Dask cluster fails.
    """
    _refuse_existing(output, overwrite=overwrite)
    files = expand_sources(sources, config.format)
    folder = output.with_name(f"{output.name}.parts")
    if scheduler is not None:  # its workers may stand in another folder
        files = [source.absolute() for source in files]
        folder = folder.resolve()
        if Path(config.branch_map).is_file():
            branch_map = str(Path(config.branch_map).resolve())
            config = config.model_copy(update={"branch_map": branch_map})
    tasks = [
        ConvertTask(source, folder / f"{index:06d}.part", config)
        for index, source in enumerate(files)
    ]
    with exclusive(output):
        _refuse_existing(output, overwrite=overwrite)
        if len(tasks) == 1 and scheduler is None:
            counts = _convert_one(tasks[0], output, on_file)
        else:
            records = _run(tasks, workers=workers, scheduler=scheduler, on_file=on_file)
            counts = _merge(tasks, records, output, config)
        _remove_parts(folder)
    return counts


def _refuse_existing(output: Path, *, overwrite: bool) -> None:
    if output.exists() and not overwrite:
        raise DataError(f"{output} exists; replace it with --overwrite or choose another name")
    if output.exists() and not is_store(output):
        raise DataError(
            f"{output} is no store, so --overwrite does not replace it; choose another name, or "
            "remove it yourself"
        )


def convert_source(task: ConvertTask) -> PartRecord:
    """Convert one file into its part; a whole part made the same way is used again.

    Raises:
        DataError: If the file cannot be read or the part cannot be written.
    """
    fingerprint = task.fingerprint()
    done = read_part_record(task.part)
    if done is not None and done.fingerprint == fingerprint:
        _log.info("%s was converted before, going on", task.source.path)
        return done
    tally: Counter[str] = Counter()
    with create_part(task.part, fingerprint, task.record(), tally) as writer:
        for events in task.events(tally):
            writer.append(events)
        if writer.n_events == 0:
            _say_empty(task, tally)
    record = read_part_record(task.part)
    if record is None:
        raise DataError(f"{task.part} cannot be read back; check the disk")
    return record


def _run(
    tasks: Sequence[ConvertTask],
    *,
    workers: int | None,
    scheduler: str | None,
    on_file: Callable[[int, int], None] | None,
) -> list[PartRecord]:
    records: dict[int, PartRecord] = {}
    for index, record in run_tasks(convert_source, tasks, workers=workers, scheduler=scheduler):
        records[index] = record
        if on_file is not None:
            on_file(len(tasks), record.n_events)
    return [records[index] for index in range(len(tasks))]


def _remove_parts(folder: Path) -> None:
    """Remove parts and nothing else."""
    for part in folder.glob("[0-9]*.part"):
        part.unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's files are in it
        folder.rmdir()


def _say_empty(task: ConvertTask, tally: Counter[str]) -> None:
    _log.warning("%s has no events", task.source.path)
    tally["files_without_events"] += 1


def _convert_one(
    task: ConvertTask, output: Path, on_file: Callable[[int, int], None] | None
) -> dict[str, int]:
    """Convert one file straight into the store."""
    counts: Counter[str] = Counter()
    record = task.record()
    batches = task.events(counts)
    first = next(batches, None)
    if first is None:
        _say_empty(task, counts)
        raise _no_event(1)
    _drop_needless(counts, task.config)
    with create_store(
        output,
        **_about(task.config),
        columns=list(first.columns),
        truths=list(first.truth),
        besides=list(first.besides),
        sources=[record],
        counts=counts,
    ) as store:
        _append(store, chain([first], batches))
        record["events"] = store.n_events
        if on_file is not None:
            on_file(1, store.n_events)
    counts.update(store.counts)
    return dict(counts)


def _merge(
    tasks: Sequence[ConvertTask],
    records: Sequence[PartRecord],
    output: Path,
    config: ConvertConfig,
) -> dict[str, int]:
    filled = [
        (task, record) for task, record in zip(tasks, records, strict=True) if record.n_events
    ]
    if not filled:
        raise _no_event(len(tasks))
    _refuse_copies([record for _, record in filled])
    counts: Counter[str] = Counter()
    for record in records:
        counts.update(record.counts)
    _drop_needless(counts, config)
    baselines = [[n for n in record.besides if is_baseline(n)] for _, record in filled]
    others = [n for _, record in filled for n in record.besides if not is_baseline(n)]
    held = {name for _, record in filled for name in record.truths}
    with create_store(
        output,
        **_about(config),
        columns=_in_every_file("columns", [record.columns for _, record in filled]),
        truths=[name for name in TRUTHS if name in held],
        besides=[*dict.fromkeys(others), *_in_every_file("baselines", baselines)],
        sources=[record.source for record in records],
        counts=counts,
    ) as store:
        for task, record in filled:
            _append(store, read_part(task.part, record))
    counts.update(store.counts)
    return dict(counts)


def _about(config: ConvertConfig) -> dict[str, Any]:
    return {
        "label": config.label,
        "order": config.order,
        "role": role_of(config),
        "z0": config.z0,
        "rows": config.rows,
        "splits": config.splits,
    }


def _drop_needless(counts: Counter[str], config: ConvertConfig) -> None:
    """Leave out that files have no truth where none is needed."""
    if role_of(config) == "background":
        for truth in TRUTHS.values():
            counts.pop(f"files_without_{truth.key}", None)


def role_of(config: ConvertConfig) -> Role:
    """Return what a store of these settings is: given, or told by its label."""
    return config.role or ("signal" if config.rows != "event" else suggested_role(config.label))


def _append(store: StoreWriter, batches: Iterator[Examples]) -> None:
    for events in batches:
        store.append(events)
    store.end_of_source()


def _no_event(n_files: int) -> DataError:
    return DataError(f"none of the {n_files} input files has an event; nothing was written")


def _refuse_copies(records: Sequence[PartRecord]) -> None:
    """Refuse files of other names that hold the same bytes."""
    known: dict[str, str] = {}
    for source in (record.source for record in records):
        checksum = source["sha256"]
        if checksum is None:
            continue
        first = known.setdefault(checksum, source["path"])
        if first != source["path"]:
            raise DataError(
                f"{source['path']} holds the same bytes as {first}; its events would be counted twice"
            )


def _in_every_file(what: str, names: Sequence[Sequence[str]]) -> list[str]:
    """Return the names that all files have, in the order of the first; say which are left out."""
    common = set.intersection(*map(set, names))
    dropped = set().union(*names) - common
    if dropped:
        _log.warning("%s %s are not in every file; left out", what, ", ".join(sorted(dropped)))
    return [name for name in names[0] if name in common]
