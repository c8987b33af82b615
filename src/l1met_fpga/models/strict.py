"""What all parts of a network's file share: no unknown key, names that are safe in any text."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from l1met_fpga.puppi.columns import COLUMNS

__all__ = ["ColumnName", "Name", "Strict"]


def _word(text: str) -> str:
    """Check a name that becomes part of file names and of C++ and Verilog text."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", text, re.ASCII):
        raise ValueError(
            f"a name is a letter and then letters, digits or _, 64 at most; got {text[:80]!r}"
        )
    return text


def _column(name: str) -> str:
    if name not in COLUMNS:
        raise ValueError(f"a column is one of {', '.join(COLUMNS)}; got {name[:80]!r}")
    return name


Name = Annotated[str, AfterValidator(_word)]
ColumnName = Annotated[str, AfterValidator(_column)]


class Strict(BaseModel):
    """A frozen part of a network without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
