"""YAML as of version 1.2 (core schema), and nothing that could be read in two ways.

PyYAML reads version 1.1, where ``yes`` is true, ``010`` is eight, ``1:30`` is ninety and the first
of two equal keys is dropped without a word. Here only ``true`` and ``false`` are booleans, numbers
are decimal (``0x`` and ``0o`` say otherwise), everything else is text, and a key stands once.
"""

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

__all__ = ["read_yaml", "write_yaml"]

_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_CORE_SCHEMA: Final = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        (
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
"""Tag, pattern of plain text that has it, and the letters that such text may begin with."""
_PATTERNS: Final = {
    f"{_TAG}{name}": re.compile(rf"(?:{pattern})\Z") for name, pattern, _ in _CORE_SCHEMA
}
_OCTAL_OR_DECIMAL: Final = re.compile(r"[-+]?0[0-9]+")


class _Loader(yaml.SafeLoader):
    """Safe loader of the core schema that refuses a key that stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping; say where a repeated key stands, and where it stood before."""
        if isinstance(node, yaml.MappingNode):
            self._refuse_repeated_keys(node)
        return super().construct_mapping(node, deep=deep)

    def _refuse_repeated_keys(self, node: yaml.MappingNode) -> None:
        lines: dict[Hashable, int] = {}
        for key, _ in node.value:
            name = "<<" if key.tag == _MERGE else self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                continue  # PyYAML has a sentence for it
            if name in lines:
                raise _problem(
                    key,
                    f"key {name!r} stands twice, first in line {lines[name]}; join the two or "
                    "remove one",
                )
            lines[name] = key.start_mark.line + 1

    def _construct_bool(self, node: yaml.ScalarNode) -> bool:
        return _text(node).lower() == "true"

    def _construct_int(self, node: yaml.ScalarNode) -> int:
        text = _text(node)
        if _OCTAL_OR_DECIMAL.fullmatch(text):
            raise _problem(
                node,
                f"{text} is octal in YAML 1.1 and decimal in YAML 1.2; write {int(text)}, or "
                f'"{text}" in quotes if it is a name',
            )
        return int(text, 0)

    def _construct_float(self, node: yaml.ScalarNode) -> float:
        text = _text(node).lower()
        if text == ".nan":
            raise _problem(node, "NaN is no value of any setting; write a number")
        return float(text.replace(".inf", "inf"))


class _Dumper(yaml.SafeDumper):
    """Quotes exactly the text that :class:`_Loader` would not read as text."""


def _problem(node: yaml.Node, sentence: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=sentence, problem_mark=node.start_mark)


def _text(node: yaml.ScalarNode) -> str:
    """Return a scalar's text; a tag that was typed (``!!int x``) may not say what it is not."""
    text = str(node.value)
    if not _PATTERNS[node.tag].match(text):
        raise _problem(node, f"{text!r} is no {node.tag.removeprefix(_TAG)} of YAML 1.2")
    return text


_Loader.yaml_constructors = {}
for _kind in (_Loader, _Dumper):
    _kind.yaml_implicit_resolvers = {}
    for _name, _, _letters in _CORE_SCHEMA:
        _kind.add_implicit_resolver(_TAG + _name, _PATTERNS[_TAG + _name], _letters)
for _name, _construct in {
    "null": _Loader.construct_yaml_null,
    "bool": _Loader._construct_bool,
    "int": _Loader._construct_int,
    "float": _Loader._construct_float,
    "str": _Loader.construct_yaml_str,
    "seq": _Loader.construct_yaml_seq,
    "map": _Loader.construct_yaml_map,
}.items():
    _Loader.add_constructor(_TAG + _name, _construct)
_Loader.add_constructor(None, _Loader.construct_undefined)  # type: ignore[type-var]


def read_yaml(text: str | bytes) -> Any:
    """Read one YAML document; bytes are UTF-8.

    Raises:
        ValueError: If it is no YAML, a key stands twice, or a value could be read in two ways;
            says where.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{err.problem or err.context}") from None
    except yaml.YAMLError as err:
        raise ValueError(" ".join(str(err).split())) from None
    except RecursionError:
        raise ValueError("it is nested too deeply for any setting") from None


def write_yaml(content: Any) -> str:
    """Return text that :func:`read_yaml` reads as the same values."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
