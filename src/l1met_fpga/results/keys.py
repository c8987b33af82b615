"""Dotted keys of a result: which exist, and what stands there.

A name in a mapping may hold a dot itself (``62.5kHz``), so a part of a key may be a part of a name.
"""

import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

__all__ = ["KnownNames", "check_number_key", "look_up"]


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Annotation of a mapping's keys: the names that may be asked for."""

    names: tuple[str, ...]


def check_number_key(model: type[BaseModel], key: str, *, file: str) -> None:
    """Check that a dotted key can hold a number in a model.

    Args:
        model: Content of the file.
        key: For example ``rtl.lut`` or ``physics.trigger.ttbar.18kHz.100_150.efficiency``.
        file: Its name, for the message.

    Raises:
        ValueError: If there is no such key; names the nearest one.
    """
    problem = _problem(model, key.split("."), [])
    if problem:
        raise ValueError(f"{key!r} is no figure of {file}: {problem}")


def _problem(annotation: Any, parts: list[str], done: list[str]) -> str | None:
    """Return why no number can stand at ``parts`` below ``annotation``; None if one can."""
    kinds = _alternatives(annotation)
    if not parts:
        if any(kind in (int, float) for kind in kinds):
            return None
        return f"{'.'.join(done)!r} holds no number{_inside(kinds, done)}"
    problems = [_problem_inside(kind, parts, done) for kind in kinds if kind is not types.NoneType]
    return None if None in problems else problems[0]


def _problem_inside(kind: Any, parts: list[str], done: list[str]) -> str | None:
    if kind is JsonValue:
        return None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(parts[0])
        if field is None:
            return _unknown(parts, done, list(kind.model_fields))
        return _problem(field.annotation, parts[1:], [*done, parts[0]])
    if typing.get_origin(kind) is dict:
        names, values = typing.get_args(kind)
        return _problem_in_mapping(names, values, parts, done)
    return f"{'.'.join(done)!r} is a single value, nothing stands below it"


def _problem_in_mapping(names: Any, values: Any, parts: list[str], done: list[str]) -> str | None:
    problems = []
    for n in range(1, len(parts) + 1):
        name = ".".join(parts[:n])
        if _may_be(names, name):
            problem = _problem(values, parts[n:], [*done, name])
            if problem is None:
                return None
            problems.append(problem)
    if problems:
        return problems[0]
    known = _known_names(names)
    if known:
        return _unknown(parts, done, list(known))
    return f"{parts[0]!r} is no name that {'.'.join(done)!r} has (pattern {_pattern(names)})"


def _unknown(parts: list[str], done: list[str], known: list[str]) -> str:
    word = parts[0]
    near = [name for name in known if word and (name.startswith(word) or word.startswith(name))]
    near = near or difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    where = f"in {'.'.join(done)}" if done else "at the top"
    tip = f"did you mean {'.'.join([*done, near[0], *parts[1:]])!r}? " if near else ""
    return f"{tip}({where} there are {', '.join(known)})"


def _inside(kinds: tuple[Any, ...], done: list[str]) -> str:
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return f"; there are {', '.join('.'.join([*done, n]) for n in kind.model_fields)}"
    return ""


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the kinds of value that an annotation allows."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(k for arg in typing.get_args(annotation) for k in _alternatives(arg))
    return (annotation,)


def _metadata(names: Any) -> Iterator[Any]:
    if typing.get_origin(names) is typing.Annotated:
        yield from typing.get_args(names)[1:]


def _known_names(names: Any) -> tuple[str, ...]:
    return next((m.names for m in _metadata(names) if isinstance(m, KnownNames)), ())


def _pattern(names: Any) -> str | None:
    for field in _metadata(names):
        if isinstance(field, FieldInfo):
            for rule in field.metadata:
                if getattr(rule, "pattern", None) is not None:
                    return str(rule.pattern)
    return None


def _may_be(names: Any, name: str) -> bool:
    known, pattern = _known_names(names), _pattern(names)
    if known:
        return name in known
    return pattern is None or re.search(pattern, name) is not None


def look_up(content: Any, key: str) -> Any:
    """Return what stands at a dotted key of plain JSON content; None if nothing does."""
    if not isinstance(content, Mapping):
        return None
    if key in content:
        return content[key]
    for name, inner in content.items():
        if key.startswith(f"{name}."):
            found = look_up(inner, key[len(name) + 1 :])
            if found is not None:
                return found
    return None
