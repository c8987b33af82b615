"""Errors that a user can act on; each kind has its own exit code of the command line.

A message says what is wrong, where, what was found, what is allowed and what to do next.
"""

from typing import ClassVar

__all__ = [
    "BitExactnessError",
    "BudgetError",
    "ConfigError",
    "ConversionError",
    "DataError",
    "FileAccessError",
    "FixedPointError",
    "L1MetError",
    "NotComparableError",
    "ReportError",
    "RunFolderError",
    "SimulationError",
    "ToolError",
    "ToolMissingError",
    "TrainingError",
    "UncheckedError",
]


class L1MetError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConfigError(L1MetError):
    """A configuration file, an override or a command-line value is not allowed."""

    exit_code = 2


class DataError(L1MetError):
    """Input data cannot be read or break their own rules."""

    exit_code = 3


class FixedPointError(L1MetError):
    """A value does not fit its fixed-point type, or the type itself makes no sense."""

    exit_code = 4


class RunFolderError(L1MetError):
    """A run folder is missing, incomplete, or was not made by this tool."""

    exit_code = 5


class SimulationError(L1MetError):
    """The generator or the detector simulation failed."""

    exit_code = 6


class TrainingError(L1MetError):
    """Training cannot start or cannot go on (for example a NaN loss)."""

    exit_code = 7


class ConversionError(L1MetError):
    """A network cannot become firmware without changing its numbers."""

    exit_code = 8


class BitExactnessError(L1MetError):
    """Two forms of a network gave different integer codes."""

    exit_code = 9


class ToolError(L1MetError):
    """An external program failed."""

    exit_code = 10


class ToolMissingError(ToolError):
    """An external program is not on PATH."""

    exit_code = 11


class ReportError(L1MetError):
    """A report lacks a number that it must hold."""

    exit_code = 12


class BudgetError(L1MetError):
    """A figure is over its budget or changed by more than its threshold."""

    exit_code = 13


class NotComparableError(L1MetError):
    """Figures are of different kinds, so no verdict on their difference is possible."""

    exit_code = 14


class UncheckedError(L1MetError):
    """No limit is broken, but some could not be checked, so nothing is said to have passed."""

    exit_code = 15


class FileAccessError(L1MetError):
    """The operating system refused to read or write a file."""

    exit_code = 74  # EX_IOERR of sysexits.h
