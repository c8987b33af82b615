"""Strict reading of YAML: an unknown key is refused with the nearest known name.

Defaults live in the pydantic models and nowhere else; a command-line flag that was not typed
never reaches :func:`override`.
"""

import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from l1met_fpga.errors import ConfigError

__all__ = ["StrictModel", "load_yaml", "override", "parse"]

Model = TypeVar("Model", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of every configuration section: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, validate_default=True)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        ConfigError: If the file is missing, is not YAML or is not a mapping.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no configuration file {path}; check the path, or copy the package's own with `l1met init`"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path} is not valid YAML: {err}") from err
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} must hold a mapping of sections, got {type(raw).__name__}")
    return raw


def override(raw: Mapping[str, Any], assignments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``raw`` with dotted keys replaced (``{"training.epochs": 3}``).

    Values given as text are read as YAML, so ``3`` is a number and ``[8, 8]`` a list.

    Raises:
        ConfigError: If a dotted key leads through a value that is not a section.
    """
    result = dict(raw)
    for dotted, value in assignments.items():
        parsed = yaml.safe_load(value) if isinstance(value, str) else value
        *sections, leaf = dotted.split(".")
        here = result
        for section in sections:
            inner = here.get(section, {})
            if not isinstance(inner, dict):
                raise ConfigError(f"cannot set {dotted}: {section!r} is {inner!r}, not a section")
            here[section] = dict(inner)
            here = here[section]
        here[leaf] = parsed
    return result


def parse(model: type[Model], raw: Mapping[str, Any], *, where: str) -> Model:
    """Validate a mapping against a configuration model.

    Args:
        model: The pydantic model.
        raw: Values as read from YAML.
        where: File name or other origin, used in messages.

    Raises:
        ConfigError: One line per problem: key, value, what is allowed.
    """
    try:
        return model.model_validate(dict(raw))
    except ValidationError as err:
        lines = [_explain(model, problem) for problem in err.errors()]
        raise ConfigError(f"{where}: " + "; ".join(lines)) from None


def _explain(model: type[BaseModel], problem: Any) -> str:
    loc = [part for part in problem["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{key or 'top level'}: {problem['msg']}, got {problem['input']!r}"
    known = _known_keys(model, loc[:-1])
    near = difflib.get_close_matches(loc[-1], known, n=1)
    tip = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown key {key!r}{tip} (known: {', '.join(sorted(known))})"


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Follow field names as far as they lead to one model and return its keys."""
    for part in path:
        field = model.model_fields.get(part)
        inner = _model_of(field.annotation) if field is not None else None
        if inner is None:
            break
        model = inner
    return list(model.model_fields)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, list, tuple, dict):
        for arg in typing.get_args(annotation):
            found = _model_of(arg)
            if found is not None:
                return found
    return None
