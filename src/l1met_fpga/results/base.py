"""Base of every result: typed, frozen, without unknown keys and without NaN."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from l1met_fpga.errors import L1MetError, ReportError

__all__ = ["Measured", "Number", "Period", "Result", "finite_or_none", "json_schema", "read_result"]

Model = TypeVar("Model", bound=BaseModel)

Number = int | float
"""A JSON number that keeps its kind: counts stay counts."""
Period = Annotated[Number, Field(gt=0)]
"""Time between two edges of a clock."""


class Result(BaseModel):
    """Base of the parts of a result file; ``None`` is ``null``: not measured, or not run."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Measured(Result):
    """A figure with its error.

    Attributes:
        value: The figure; None where it could not be measured.
        error: One standard deviation.
    """

    value: float | None
    error: float | None


def finite_or_none(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Return figures as a result holds them: None where one could not be measured."""
    return {name: float(value) if math.isfinite(value) else None for name, value in figures.items()}


def read_result(
    model: type[Model], path: Path, *, made_by: str, error: type[L1MetError] = ReportError
) -> Model:
    """Read a result file.

    Args:
        model: What it must hold.
        path: The file.
        made_by: Command that makes it.
        error: Kind of error to raise.

    Raises:
        L1MetError: As ``error``, if it is missing, damaged, or holds something else; names the first place.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise error(f"no {path}; make it with `{made_by}`") from None
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        what = (
            f"is not JSON: {first['msg']}"
            if first["type"] == "json_invalid"
            else (f"{place}: {first['msg']}")
        )
        raise error(f"{path}: {what}; make it again with `{made_by}`") from None


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a result file, for other programs."""
    schema: dict[str, Any] = json.loads(json.dumps(model.model_json_schema()))
    return schema
