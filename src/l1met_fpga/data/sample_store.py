"""The store of a sample that a configuration names; ROOT files are converted once, into the cache."""

import glob
import logging
import re
from pathlib import Path
from typing import Literal

from l1met_fpga.caches import cache_folder
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.training import TrainingSample
from l1met_fpga.data.convert import convert
from l1met_fpga.data.read_elements import holds_elements
from l1met_fpga.data.read_jets import holds_jets
from l1met_fpga.data.store import CONVERSION_VERSION, SCHEMA_VERSION, Store
from l1met_fpga.errors import ConfigError, DataError
from l1met_fpga.identity import content_digest, file_digest

__all__ = ["sample_files", "store_of"]

logger = logging.getLogger(__name__)

CACHE = "stores"


def store_of(sample: TrainingSample) -> Path:
    """Return the sample's store, converting its ROOT files the first time they are used.

    Files with a tree of jets and none of events become a store of jets, those with a tree of elements
    one of elements.

    The name of a store in the cache holds a digest of what it is made from: the content of the
    files, the options of the conversion and the versions of its rules.

    Raises:
        ConfigError: If a file is missing or of another kind, or label or role are not the store's.
        DataError: If it cannot be converted.
    """
    files = sample_files(sample.path)
    suffixes = {file.suffix for file in files}
    if suffixes == {".h5"}:
        return _store(sample, files)
    if suffixes == {".root"}:
        return _converted(sample, files)
    raise ConfigError(f"sample {sample.path} must be a store (.h5) or ROOT files (.root)")


def sample_files(path: Path) -> list[Path]:
    """Return the files that a path or a glob stands for, in the order of their names.

    Raises:
        ConfigError: If there is none; names what is there.
    """
    if path.is_file():
        return [path]
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    files = [file for file in found if file.is_file()]
    if not files:
        known = sorted(str(p) for p in path.parent.glob(f"*{path.suffix}"))[:6]
        there = f"; there are {', '.join(known)}" if known else ""
        raise ConfigError(f"no sample {path}{there}. Check `samples` or --sample")
    return files


def _store(sample: TrainingSample, files: list[Path]) -> Path:
    if len(files) > 1:
        raise ConfigError(
            f"sample {sample.path} stands for {len(files)} stores; name each as a sample of its "
            "own, so that each has its share"
        )
    with Store.open(files[0]) as store:
        for what, asked, own in (
            ("label", sample.label, store.label),
            ("role", sample.role, store.role),
        ):
            if asked is not None and asked != own:
                raise ConfigError(
                    f"sample {files[0]} has the {what} {own!r} since it was converted, not "
                    f"{asked!r}; leave it out, or convert its sources again with --{what} {asked}"
                )
    return files[0]


def _converted(sample: TrainingSample, files: list[Path]) -> Path:
    if len(files) > 1 and sample.label is None:
        raise ConfigError(
            f"sample {sample.path} stands for {len(files)} files, which become one store; say what "
            f"they are: `label` in the configuration, or --sample '{sample.path}:SHARE:LABEL'"
        )
    config = ConvertConfig(
        label=sample.label or sample.path.stem,
        role=sample.role,
        format=_format(str(files[0])),
    )
    made_from = {
        "files": [[file.name, file_digest(file)] for file in files],
        "options": config.model_dump(mode="json"),
        "versions": [SCHEMA_VERSION, CONVERSION_VERSION],
    }
    name = re.sub(r"[^\w.-]", "_", config.label)
    store = cache_folder(CACHE) / f"{name}-{content_digest(made_from)[:16]}.h5"
    if not _is_whole(store):
        logger.info("converting %s to %s (once)", sample.path, store)
        try:
            convert([str(file) for file in files], store, config, workers=1)
        except DataError:
            if not store.is_file():  # made meanwhile by a training beside this one
                raise
    return store


def _format(path: str) -> Literal["auto", "jets", "elements"]:
    if holds_elements(path):
        return "elements"
    return "jets" if holds_jets(path) else "auto"


def _is_whole(store: Path) -> bool:
    """Whether a store of the cache is there; one that cannot be read is removed."""
    if not store.is_file():
        return False
    try:
        with Store.open(store):
            return True
    except DataError as err:
        logger.warning("a store of the cache cannot be used and is made again: %s", err)
        store.unlink(missing_ok=True)
        return False
