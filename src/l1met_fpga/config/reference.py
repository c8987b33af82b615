"""What one key of a run's configuration means, in plain text."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import BaseModel

from l1met_fpga.config.base import model_of
from l1met_fpga.config.describe import KeyRow, key_rows, summary_of
from l1met_fpga.config.model import ModelConfig
from l1met_fpga.config.run import RunConfig
from l1met_fpga.errors import ConfigError

__all__ = ["Reference", "look_up"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a key means.

    Attributes:
        title: The key.
        about: Its type, limits and default.
        meaning: What it is for.
        keys: Keys below it.
    """

    title: str
    about: str
    meaning: str
    keys: tuple[KeyRow, ...]


def look_up(key: str, architecture: str) -> Reference:
    """Look a key up.

    Args:
        key: Dotted key; numbers of list entries in it are passed over (``model.phi.0.units``).
            Empty for the sections.
        architecture: Network whose keys the section ``model`` has.

    Raises:
        ConfigError: If there is no such key or architecture; names the nearest.
    """
    if architecture not in ModelConfig.known:
        known = ", ".join(ModelConfig.known)
        raise ConfigError(f"there is no architecture {architecture!r}; choose from {known}")
    parts = [part for part in key.split(".") if not part.isdecimal()] if key else []
    model: type[BaseModel] | None = RunConfig
    row = KeyRow("configuration of a run", "", "", summary_of(RunConfig))
    for depth, part in enumerate(parts):
        keys = {} if model is None else {one.name: one for one in key_rows(model)}
        if model is None or part not in keys:
            raise _unknown(".".join(parts[:depth]), part, list(keys))
        row = replace(keys[part], name=".".join(parts[: depth + 1]))
        model = _below(model, part, architecture)
    default = row.default if row.default == "required" else f"default {row.default}"
    about = f"{row.type}; {default}" if row.type else ""
    meaning = row.meaning or ("" if model is None else summary_of(model))
    below = () if model is None else tuple(_rows_below(model, architecture))
    return Reference(row.name, _plain(about), _plain(meaning), below)


def _rows_below(model: type[BaseModel], architecture: str) -> Iterator[KeyRow]:
    for row in key_rows(model):
        section = _below(model, row.name, architecture)
        meaning = row.meaning or ("" if section is None else summary_of(section))
        yield KeyRow(row.name, _plain(row.type), _plain(row.default), _plain(meaning))


def _below(model: type[BaseModel], part: str, architecture: str) -> type[BaseModel] | None:
    found = model_of(model.model_fields[part].annotation)
    return ModelConfig.known[architecture] if found is ModelConfig else found


def _unknown(above: str, part: str, known: list[str]) -> ConfigError:
    where = f"{above!r} has no key {part!r}" if above else f"there is no section {part!r}"
    if not known:
        return ConfigError(f"{where}: it is a value, with no keys below it")
    near = difflib.get_close_matches(part, known, n=1)
    tip = f"; did you mean {near[0]!r}?" if near else ""
    return ConfigError(f"{where}{tip} (known: {', '.join(known)})")


def _plain(markdown: str) -> str:
    """Take links and marks of code out of Markdown."""
    return re.sub(r"\[(\w+)\]\(#[^)]*\)", r"\1", markdown).replace("`", "")
