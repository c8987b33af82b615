"""Flags of the jet tagger's synthesis script: taken where they mean the same, else refused by name."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from l1met_fpga.config.run import load_run
from l1met_fpga.errors import ConfigError
from l1met_fpga.tasks.registry import task_named

__all__ = ["without_tagger_flags"]

REGRESSION: Final = "--regression"
_SETTINGS: Final = "classes, features and sizes are those of models/NAME.yaml, which -m names"
_REFUSED: Final = {
    "-C": "the project is always made",
    "--create": "the project is always made",
    "-T": "`l1met check` compares every form of the network bit by bit",
    "--trace": "`l1met check` compares every form of the network bit by bit",
    "-D": "every step says what it does; there is no other mode",
    "--debug": "every step says what it does; there is no other mode",
    "-f": "the network is that of a run folder, which is given as it is",
    "--file": "the network is that of a run folder, which is given as it is",
    "--outname": "--name names the modules and --output the folder",
    "-c": _SETTINGS,
    "--flav": _SETTINGS,
    "-i": _SETTINGS,
    "--inputs": _SETTINGS,
    "--timestamp": "a run folder has its own name; give it as it is",
    "--splitTau": "taus of both charges are classes of their own",
    "--splitGluon": "gluons are a class of their own",
    "--splitCharm": "charm is a class of its own",
}


def without_tagger_flags(arguments: Sequence[str], models: Path = Path("models")) -> list[str]:
    """Return the arguments of ``l1met synthesize``.

    ``--regression`` says that the network of ``-m`` gives a number too, which is checked.

    Args:
        arguments: As typed.
        models: Folder of the models' YAML files.

    Raises:
        ConfigError: If a flag means something else here; says what to do in its place.
    """
    for word in arguments:
        if (flag := word.partition("=")[0]) in _REFUSED:
            raise ConfigError(f"{flag} of the jet tagger's script is not taken: {_REFUSED[flag]}")
    if REGRESSION in arguments:
        _require_number(arguments, models)
    return [word for word in arguments if word != REGRESSION]


def _require_number(arguments: Sequence[str], models: Path) -> None:
    pairs = pairwise(arguments)
    names = [value for flag, value in pairs if flag in ("-m", "--model")]
    if not names:
        raise ConfigError(f"{REGRESSION} needs -m MODEL, whose network is to give a number")
    heads = task_named(load_run(models / f"{names[-1]}.yaml").task).heads
    if not any(head.kind == "scalar" for head in heads):
        given = ", ".join(f"{head.name} ({head.kind})" for head in heads)
        raise ConfigError(f"{REGRESSION}: the network {names[-1]} gives no number, only {given}")
