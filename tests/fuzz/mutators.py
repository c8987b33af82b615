"""Ways in which disks, networks, editors and people damage what a program is given.

Every function takes the good content and a seeded generator, and returns a damaged copy.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from numpy.random import Generator

__all__ = ["damage_arguments", "damage_bytes", "damage_json", "damage_text"]

ODD_TEXT = (
    "", " ", "0", "-1", "-0", "1", "2", "3.5", "1e999", "-1e308", "nan", "NaN", "inf", "-Infinity",
    "null", "true", "yes", "010", "1:30", "~", "[]", "{}", "[[[[", "}", "'", '"', "<<", "&a", "*a",
    "!!int x", "9223372036854775808", "4294967296", "9" * 5000, "é", "\u202e", "\x00", "\x1b[2J",
    "[/x]", "[bold]", "../..", "/", "-", "--", "-x", "a:b", "a=b", "%s", "{x}", "$HOME", "x" * 300,
)  # fmt: skip
"""What stands where something else should: numbers of every kind, YAML's and the shell's signs."""
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 63, 64, 2**31, 2**63, 2**70, -(2**63), 0.5, 1e308, -1e-308,
    float("nan"), float("inf"), "", "x", "[/x]", "../x", "é", "9" * 300, [], {}, [[]],
    [0], {"x": 1},
)  # fmt: skip
_WORD = re.compile(rb"[A-Za-z0-9_.+-]+")


def damage_bytes(content: bytes, rng: Generator) -> bytes:
    """Damage bytes: a bit, a stretch that is noise, zero, lost, doubled, or from elsewhere."""
    if not content:
        return rng.bytes(8)
    data = bytearray(content)
    place, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
    end = min(place + length, len(data))
    way = rng.integers(7)
    if way == 0:
        data[place] ^= 1 << int(rng.integers(8))
    elif way == 1:
        data[place:end] = rng.bytes(end - place)
    elif way == 2:
        data[place:end] = bytes(end - place)
    elif way == 3:
        del data[place:]
    elif way == 4:
        del data[place:end]
    elif way == 5:
        data[place:place] = rng.bytes(length)
    else:
        other = int(rng.integers(len(data)))
        data[place:end] = (data[other:] + bytes(length))[: end - place]
    return bytes(data)


def damage_text(content: bytes, rng: Generator) -> bytes:
    """Damage a text as an editor does: words replaced, lines lost, doubled, moved, indented."""
    for _ in range(int(rng.integers(1, 4))):
        content = _CHANGES_OF_TEXT[int(rng.integers(len(_CHANGES_OF_TEXT)))](content, rng)
    return content


def _other_word(content: bytes, rng: Generator) -> bytes:
    words = list(_WORD.finditer(content))
    if not words:
        return content + _odd_text(rng).encode()
    word = words[int(rng.integers(len(words)))]
    new = _odd_text(rng).encode()
    if rng.integers(3) == 0:
        new = words[int(rng.integers(len(words)))][0]
    return content[: word.start()] + new + content[word.end() :]


def _other_lines(content: bytes, rng: Generator) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    match int(rng.integers(5)):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            lines[one], lines[other] = lines[other], lines[one]
        case 3:
            lines[one] = b"  " + lines[one]
        case _:
            del lines[one:]
    return b"".join(lines)


_CHANGES_OF_TEXT: tuple[Callable[[bytes, Generator], bytes], ...] = (
    _other_word, _other_word, _other_word, _other_lines, damage_bytes,
)  # fmt: skip


def damage_json(content: bytes, rng: Generator) -> bytes:
    """Damage JSON: mostly a value of another kind in its place, sometimes the text itself."""
    way = rng.integers(8)
    if way == 0:
        return b"[" * 200_000
    if way < 3:
        return damage_text(content, rng)
    value = json.loads(content)
    for _ in range(int(rng.integers(1, 3))):
        value = _other_value(value, rng)
    return json.dumps(value).encode() if way > 3 else _with_long_number(json.dumps(value), rng)


def _other_value(value: Any, rng: Generator) -> Any:
    """Change one place of a JSON value: replace, remove, double, rename."""
    places = list(_places(value))
    if not places:
        return ODD_VALUES[int(rng.integers(len(ODD_VALUES)))]
    # the first levels of a long list of numbers are as interesting as its numbers
    holder, key = places[int(len(places) ** rng.random()) - 1]
    match int(rng.integers(5)):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.insert(key, holder[key])
        case 1:
            holder[_odd_text(rng)] = holder.pop(key)
        case 2:
            other_holder, other_key = places[int(rng.integers(len(places)))]
            holder[key] = json.loads(json.dumps(other_holder[other_key]))
        case _:
            holder[key] = ODD_VALUES[int(rng.integers(len(ODD_VALUES)))]
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (list or object, index or key) in a JSON value, the outer ones first."""
    waiting = [value]
    while waiting:
        holder = waiting.pop(0)
        if isinstance(holder, dict | list):
            keys = list(holder) if isinstance(holder, dict) else range(len(holder))
            yield from ((holder, key) for key in keys)
            waiting += [holder[key] for key in keys]


def _with_long_number(text: str, rng: Generator) -> bytes:
    numbers = list(re.finditer(r"-?\d+", text))
    if not numbers:
        return text.encode()
    number = numbers[int(rng.integers(len(numbers)))]
    return (text[: number.start()] + "9" * 5000 + text[number.end() :]).encode()


def _odd_text(rng: Generator) -> str:
    return ODD_TEXT[int(rng.integers(len(ODD_TEXT)))]


def damage_arguments(arguments: list[str], rng: Generator) -> list[str]:
    """Damage a command line: an argument replaced, lost, doubled, moved, or one too many."""
    arguments = list(arguments)
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(1, len(arguments) + 1))  # the command itself stays
        match int(rng.integers(5)):
            case 0 if place < len(arguments):
                del arguments[place]
            case 1 if place < len(arguments):
                arguments.insert(int(rng.integers(1, len(arguments))), arguments[place])
            case 2 if place < len(arguments):
                other = int(rng.integers(1, len(arguments)))
                arguments[place], arguments[other] = arguments[other], arguments[place]
            case 3:
                arguments.insert(place, _odd_text(rng))
            case _ if place < len(arguments):
                arguments[place] = _odd_text(rng)
    return [text.replace("\x00", "") for text in arguments]  # no shell can pass a zero byte
