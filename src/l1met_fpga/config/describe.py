"""Markdown tables of every configuration key, made from the models themselves."""

import enum
import inspect
import json
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from l1met_fpga.config.base import StrictModel
from l1met_fpga.fixed_point import FixedType

__all__ = ["KeyRow", "describe_all", "describe_model", "key_rows", "summary_of"]

_NO_SECTIONS: Final = {"base", "describe", "reference"}
_FIRST: Final = "run"
_SIMPLE: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    FixedType: "fixed-point type",
    Any: "anything",
    type(None): "null",
}
_LIMITS: Final = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "multiple_of": "multiple of"}


def describe_all() -> str:
    """Return Markdown with one section per module of the configuration and a table per model."""
    package = import_module("l1met_fpga.config")
    names = {module.name for module in pkgutil.iter_modules(package.__path__)} - _NO_SECTIONS
    text = []
    for name in sorted(names, key=lambda name: (name != _FIRST, name)):
        module = import_module(f"l1met_fpga.config.{name}")
        models = [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and issubclass(value, StrictModel)
            and value.__module__ == module.__name__
        ]
        if models:
            title = (module.__doc__ or name).split("\n\n")[0].replace("\n", " ").rstrip(".")
            text += [f"## {_markdown(title)}", *(describe_model(model) for model in models)]
    return "\n\n".join(text) + "\n"


def describe_model(model: type[BaseModel]) -> str:
    """Return a heading, what the model is, and a table of its keys."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for row in key_rows(model):
        cells = [f"`{row.name}`", row.type, row.default, row.meaning]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    head = f"({_anchor(model)})=\n### {model.__name__}"
    return "\n\n".join([head, summary_of(model), "\n".join(rows)])


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key of a model, in Markdown: its name, type with limits, default and meaning."""

    name: str
    type: str
    default: str
    meaning: str


def summary_of(model: type[BaseModel]) -> str:
    """Return what a model is, in Markdown."""
    summary = inspect.getdoc(model) or ""
    return _markdown(summary.split("\n\nAttributes:")[0].replace("\n", " "))


def key_rows(model: type[BaseModel]) -> list[KeyRow]:
    """Return the keys of a model.

    What a key means is read from its field's description or from the ``Attributes`` section of
    the class.
    """
    meanings = _attributes(model)
    return [
        KeyRow(
            name,
            _type_text(field),
            _default_text(field),
            _markdown(field.description or meanings.get(name, "")),
        )
        for name, field in model.model_fields.items()
    ]


def _anchor(model: type[BaseModel]) -> str:
    """Return a link target; two modules may have models of the same name."""
    return f"config-{model.__module__.rsplit('.', 1)[-1]}-{model.__name__}".lower()


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Read the ``Attributes`` sections of a class and those that it extends."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        _, _, block = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
        for match in re.finditer(r"^    (\w+): (.*(?:\n     +.*)*)", block, re.MULTILINE):
            found[match[1]] = re.sub(r"\s+", " ", match[2])
    return found


def _markdown(text: str) -> str:
    """Turn the reStructuredText of docstrings into Markdown."""
    text = re.sub(r":[\w:]+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def _type_text(field: FieldInfo) -> str:
    text = _annotation_text(field.annotation)
    limits = [
        f"{sign} {getattr(item, key):g}"
        for item in field.metadata
        for key, sign in _LIMITS.items()
        if getattr(item, key, None) is not None
    ]
    return ", ".join([text, *limits])


def _annotation_text(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if origin is typing.Annotated:
        return _annotation_text(arguments[0])
    if origin is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_annotation_text(argument) for argument in arguments)
    if origin in (tuple, list):
        items = [a for a in arguments if a is not Ellipsis]
        return "list of " + ", ".join(dict.fromkeys(_annotation_text(item) for item in items))
    if origin is not None and len(arguments) == 2:
        return f"mapping of {_annotation_text(arguments[0])} to {_annotation_text(arguments[1])}"
    return _class_text(annotation)


def _class_text(annotation: Any) -> str:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{_anchor(annotation)})"
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    raise TypeError(f"config/describe.py has no words for {annotation!r}; add them")


def _default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel):
        return "its defaults"
    text = json.dumps(_plain(value), ensure_ascii=False)
    return f"`{text.replace('Infinity', '.inf')}`"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return getattr(value, "name", None) or value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return list(_iterate(value))
    if isinstance(value, FixedType):
        return value.hls4ml_name
    return str(value) if isinstance(value, Path | enum.Enum) else value


def _iterate(values: list[Any] | tuple[Any, ...]) -> Iterator[Any]:
    for value in values:
        yield _plain(value)
