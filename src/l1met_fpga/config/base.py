"""Strict settings: an unknown key is refused with the nearest known name, nothing is converted.

Defaults live in the pydantic models and nowhere else; a command-line flag that was not typed
never reaches :func:`override`.
"""

import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema

from l1met_fpga.config.yaml_text import read_yaml
from l1met_fpga.errors import ConfigError

__all__ = [
    "Seed",
    "StrictModel",
    "dotted",
    "load_yaml",
    "matching",
    "model_of",
    "override",
    "parse",
]

Model = TypeVar("Model", bound=BaseModel)

Seed = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""NumPy's older generators, which Keras and Optuna seed, take 32 bits; some seeds have others derived."""

_CONVERTED: Final = frozenset({"bool", "float", "int", "str"})
"""Kinds of value that pydantic makes from others unless told not to: ``yes`` true, ``"8"`` 8."""
_HOLDS_SCHEMAS: Final = frozenset(
    {"choices", "definitions", "fields", "items_schema", "keys_schema", "schema", "values_schema"}
)
"""Parts of a pydantic schema that hold other schemas."""
_LONGEST_VALUE: Final = 200
"""Letters of a wrong value that a message shows."""
_MOST_PROBLEMS: Final = 8
"""Wrong settings that a message lists."""


def _without_conversion(schema: Any) -> Any:
    """Make every number, boolean and text in a pydantic schema strict."""
    if isinstance(schema, list):
        return [_without_conversion(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if not isinstance(schema.get("type"), str):  # schemas by name: fields, tagged choices
        return {name: _without_conversion(inner) for name, inner in schema.items()}
    changed = dict(schema)
    for key in _HOLDS_SCHEMAS & schema.keys():
        changed[key] = _without_conversion(schema[key])
    return changed | ({"strict": True} if schema["type"] in _CONVERTED else {})


class StrictModel(BaseModel):
    """Base of every configuration section: frozen, no unknown keys, no silent conversion.

    A number is a number, a boolean ``true`` or ``false``; a whole number is accepted where a
    number is asked for, and infinity only where a field says so.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Make numbers, booleans and text strict.

        Pydantic's own ``strict`` would refuse lists for tuples and text for paths too.
        """
        strict: CoreSchema = _without_conversion(handler(source))
        return strict


def matching(pattern: str, words: str) -> AfterValidator:
    """Return the check that a text matches a pattern as a whole, which it tells in words.

    Args:
        pattern: Regular expression.
        words: What it allows, for the message ("letters and digits").
    """
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must have {words}")
        return text

    return AfterValidator(check)


def _beside(path: Path) -> list[str]:
    """Return the YAML files of a folder, none where it cannot be read."""
    try:
        return [one.name for one in path.parent.iterdir() if one.suffix in {".yaml", ".yml"}]
    except OSError:
        return []


def load_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping, in UTF-8 whatever the locale.

    Raises:
        ConfigError: If the file is missing, cannot be read, is not YAML or is not a mapping.
    """
    try:
        raw = read_yaml(path.read_bytes())
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, _beside(path), n=1)
        tip = (
            f"did you mean {path.parent / near[0]}?"
            if near
            else ("check the path, or copy the package's own with `l1met init`")
        )
        raise ConfigError(f"no configuration file {path}; {tip}") from None
    except IsADirectoryError:
        inside = ", ".join(str(file) for file in sorted(path.glob("*.yaml"))[:6])
        tip = f"give a file in it ({inside})" if inside else "give a YAML file"
        raise ConfigError(f"{path} is a folder, not a configuration file; {tip}") from None
    except OSError as err:
        raise ConfigError(f"{path} cannot be read: {err.strerror}; check its permissions") from None
    except ValueError as err:
        raise ConfigError(f"{path} is not valid YAML: {err}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} must hold a mapping of sections, got {type(raw).__name__}")
    return raw


def dotted(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by their dotted keys: ``{"training": {"epochs": 3}}`` is ``training.epochs``."""

    def walk(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in section.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    return dict(walk(settings, ""))


def override(raw: Mapping[str, Any], assignments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``raw`` with dotted keys replaced (``{"training.epochs": 3}``).

    Values given as text are read as YAML, so ``3`` is a number and ``[8, 8]`` a list. A number in
    a key counts entries of a list from 0 (``model.phi.0.units``). What is typed as a section may not
    lack keys of the old one, which would silently be defaults again.

    Raises:
        ConfigError: If a value is not YAML, a dotted key leads through a value that is not a
            section or to an entry that a list does not have, or a section would lose keys.
    """
    result: dict[str, Any] = dict(raw)
    for dotted, value in assignments.items():
        *sections, leaf = dotted.split(".")
        here: Any = result
        for depth, section in enumerate(sections):
            place = _place(here, section, dotted, depth)
            inner = here.get(place, {}) if isinstance(here, dict) else here[place]
            if not isinstance(inner, dict | list):
                raise ConfigError(
                    f"cannot set {dotted}: {'.'.join(sections[: depth + 1])!r} is {inner!r}, not a "
                    "section"
                )
            here[place] = here = inner.copy()
        place, typed = _place(here, leaf, dotted, len(sections)), _typed_value(dotted, value)
        if isinstance(value, str):
            old = here.get(place) if isinstance(here, dict) else here[place]
            _require_all_keys(dotted, old, typed)
        here[place] = typed
    return result


def _require_all_keys(dotted: str, old: Any, new: Any) -> None:
    """Check that a new section has every key of the old one.

    Keys with a dot in them are limits by the names of figures: no dotted key leads to one, so these
    are given all together.
    """
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return
    lost = [key for key in old if key not in new and "." not in str(key)]
    if lost:
        one = f"{dotted}.{next(iter(new), lost[0])}=..."
        raise ConfigError(
            f"cannot set {dotted} to {new}: it would lose {', '.join(map(str, lost))}, which "
            f"{'is' if len(lost) == 1 else 'are'} set there; set single keys ({one})"
        )


def _place(here: dict[str, Any] | list[Any], part: str, dotted: str, depth: int) -> Any:
    """Return the key or the number that one part of a dotted key stands for."""
    above = ".".join(dotted.split(".")[:depth])
    if isinstance(here, list):
        if part.isdecimal() and int(part) < len(here):
            return int(part)
        entries = f"0 to {len(here) - 1}" if here else "none"
        raise ConfigError(
            f"cannot set {dotted}: {above!r} is a list with {len(here)} entries, and {part!r} is "
            f"none of them (their numbers are {entries}); give the number of one, or the whole "
            f"list: {above}=[...]"
        )
    if not part:
        raise ConfigError(f"cannot set {dotted!r}: a name is missing in it")
    if part.isdecimal() and part not in here and not here:
        raise ConfigError(
            f"cannot set {dotted}: the file does not say {above!r}, so there is no entry {part} to "
            f"change; give the whole list: {above}=[...]"
        )
    return part


def _typed_value(dotted: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return read_yaml(value)
    except ValueError as err:
        raise ConfigError(f"cannot set {dotted}={value}: not valid YAML: {err}") from None


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
        problems = err.errors()
        lines = [_explain(model, problem) for problem in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"and {len(problems) - _MOST_PROBLEMS} more")
        raise ConfigError(f"{where}: " + "; ".join(lines)) from None


def _explain(model: type[BaseModel], problem: Any) -> str:
    loc = [part for part in problem["loc"] if isinstance(part, str)]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        said = problem["msg"].removeprefix("Value error, ")
        said += " (true or false)" if problem["type"] == "bool_type" else ""
        got = repr(problem["input"])
        got = got if len(got) <= _LONGEST_VALUE else f"{got[:_LONGEST_VALUE]}..."
        return f"{key or 'top level'}: {said}, got {got}"
    known = _known_keys(model, loc[:-1])
    near = difflib.get_close_matches(loc[-1], known, n=1)
    tip = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown key {key!r}{tip} (known: {', '.join(sorted(known))})"


def _known_keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Follow field names as far as they lead to one model and return its keys."""
    for part in path:
        field = model.model_fields.get(part)
        inner = model_of(field.annotation) if field is not None else None
        if inner is None:
            break
        model = inner
    return list(model.model_fields)


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is, or has in it; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in (typing.Annotated, typing.Union, types.UnionType, list, tuple, dict):
        for arg in typing.get_args(annotation):
            found = model_of(arg)
            if found is not None:
                return found
    return None
