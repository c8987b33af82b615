"""What differs in the settings of several runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from l1met_fpga.report.page import EMPTY, Table

__all__ = ["settings_table"]


def settings_table(configs: Mapping[str, BaseModel]) -> Table:
    """Return the settings that are not the same in all runs, by their dotted keys.

    Args:
        configs: Settings of each run, by its name.
    """
    flat = {name: dict(_flat(config.model_dump(mode="json"))) for name, config in configs.items()}
    keys = dict.fromkeys(key for settings in flat.values() for key in settings)
    rows = [
        (key, *values)
        for key in keys
        if len(set(values := [settings.get(key, EMPTY) for settings in flat.values()])) > 1
    ]
    note = "" if rows else "All settings are the same."
    return Table("Settings that differ", ("setting", *configs), tuple(rows), note)


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every number and word with the key that ``--set`` takes for it."""
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        items = list(enumerate(value))
    if not items:
        yield key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    for name, inner in items:
        yield from _flat(inner, f"{key}.{name}" if key else str(name))
