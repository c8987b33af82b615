"""Roles of samples: signal, or pile-up-only background from which rates come.

A role is said at conversion and kept in the store. The label is a hint where nothing was said.
"""

from typing import Final, get_args

from l1met_fpga.config.data import Role
from l1met_fpga.errors import ConfigError

__all__ = ["as_role", "suggested_role"]

_BACKGROUND_LABELS: Final = frozenset({"pileup", "minbias", "single_neutrino"})


def suggested_role(label: str) -> Role:
    """Return the role that a label suggests where nobody gave one."""
    return "background" if label in _BACKGROUND_LABELS else "signal"


def as_role(text: str, *, where: str) -> Role:
    """Return a role that a user typed.

    Args:
        text: What was typed.
        where: Option or text that it stands in, for the message.

    Raises:
        ConfigError: If there is no such role.
    """
    for role in get_args(Role):
        if text == role:
            return role  # type: ignore[no-any-return]
    raise ConfigError(f"{where}: unknown role {text!r}; a sample is {' or '.join(get_args(Role))}")
