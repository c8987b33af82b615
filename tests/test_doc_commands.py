"""Every command of the documentation is one that the program takes: names, options, values, files."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from l1met_fpga.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PAGES = [page for page in PAGES if not {"_build", "_generated"} & set(page.parts)]
FENCE = re.compile(r"^```(?:bash|console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}((?:l1met|make) .*)$", re.MULTILINE)
INLINE = re.compile(r"`((?:l1met|make) [^`]*)`")
USAGE_ERROR = typer.BadParameter.__mro__[1]
TARGETS = set(re.findall(r"^([a-z%-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(page):
    """Yield the words of every command of a page."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    for line in [*blocks.splitlines(), *INDENTED.findall(text), *INLINE.findall(text)]:
        for words in parts(line):
            if words and words[0] in ("l1met", "make"):
                yield words


def parts(line):
    """Yield the words of each command of a line of shell; a comment is none."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set(";|&"):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def misuse(words):
    """Say what is wrong with a command; None if it would be taken."""
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word]
        unknown = [t for t in targets if t not in TARGETS and not t.startswith("bench-")]
        return f"no target {unknown}" if unknown else None
    group = typer.main.get_command(app)
    try:
        context = group.make_context("l1met", words[1:2], resilient_parsing=True)
        if words[1].startswith("-"):
            return None
        name, command, rest = group.resolve_command(context, words[1:])
        if command is None:
            return f"no command {words[1]}"
        while hasattr(command, "resolve_command") and rest:
            name, command, rest = command.resolve_command(context, rest)
        only_named = not rest or "..." in rest  # `l1met convert` in a sentence
        command.make_context(name, [w for w in rest if w != "..."], resilient_parsing=only_named)
    except USAGE_ERROR as err:
        return str(err)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_taken(page):
    found = {" ".join(words): misuse(words) for words in commands(page)}
    assert {command: why for command, why in found.items() if why} == {}


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("l1met tranin models/deepset.yaml", "no command tranin"),
        ("l1met train models/deepset.yaml --epochs 3", "No such option"),
        ("l1met convert a.root", "Missing parameter: output"),
        ("make tranin", "no target"),
    ],
)
def test_wrong_commands_are_found(command, wrong):
    assert wrong in misuse(command.split())
