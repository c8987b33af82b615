"""Heads: what a network gives, by name; a task says which, a network says from which node."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, PositiveInt, model_serializer, model_validator

from l1met_fpga.models.size_calibration import SizeCalibration
from l1met_fpga.models.strict import Name, Strict

__all__ = ["Head", "NetworkHead"]

_SIZES: Final = {"vector": (2, 2), "scalar": (1, 1), "classes": (2, 512)}
"""Kind -> smallest and largest number of numbers."""
_RESERVED: Final = ("in", "gt", "r", "sum")
"""``in_valid``, ``gt_valid``, ``r_valid`` and ``sum_x`` are names of the streaming design."""


class Head(Strict):
    """One named result of a network.

    Attributes:
        name: Name by which every form and file gives it.
        kind: ``vector`` (x and y in the transverse plane), ``scalar`` (one number) or ``classes``
            (a logit per class: the largest one wins; there is no softmax).
        unit: Unit of its numbers, for example ``GeV``; empty for none. A scalar in GeV adds up the
            pt of candidates; another one, such as a ratio, is a number of the example as a whole.
        size: Numbers that it has: 2, 1, or the number of classes.
        per: Whether there is one per example (an event, a jet) or one per row of an example (a
            candidate).
    """

    name: Name
    kind: Literal["vector", "scalar", "classes"]
    unit: Annotated[str, Field(max_length=32, pattern=r"^[ -~]*$")] = ""
    size: PositiveInt
    per: Literal["example", "row"] = "example"

    @property
    def is_sum(self) -> bool:
        """Whether it adds up momenta of candidates."""
        return self.kind != "classes" and self.unit == "GeV"

    @property
    def told_in_word(self) -> bool:
        """Whether the word for the global trigger can tell it: a vector of an example in GeV."""
        return (self.kind, self.per, self.unit) == ("vector", "example", "GeV")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of its numbers, as ports and fields of firmware have them."""
        match self.kind:
            case "vector":
                return (f"{self.name}_x", f"{self.name}_y")
            case "scalar":
                return (f"{self.name}_value",)
            case "classes":
                return tuple(f"{self.name}_logit_{k}" for k in range(self.size))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.name.lower() in _RESERVED:
            raise ValueError(f"head name {self.name!r} would be a port of the firmware's own")
        low, high = _SIZES[self.kind]
        if not low <= self.size <= high:
            raise ValueError(
                f"head {self.name!r} is a {self.kind} of {self.size} numbers; expected "
                + (str(low) if low == high else f"{low} to {high}")
            )
        return self

    def shape(self, n_candidates: int) -> tuple[int, ...]:
        """Return the shape of its numbers for one example."""
        return (self.size,) if self.per == "example" else (n_candidates, self.size)

    def of_node(self, node: str) -> "NetworkHead":
        """Return it as given by a node of a network, also if it was given by another one."""
        return NetworkHead.model_validate(self.model_dump() | {"node": node})


class NetworkHead(Head):
    """A head and the node whose codes it gives.

    Attributes:
        node: That node.
        calibration: How the size of a vector is corrected in the word for the global trigger; None
            leaves it as it is.
    """

    node: Name
    calibration: SizeCalibration | None = None

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        if self.calibration is not None and not self.told_in_word:
            raise ValueError(
                f"head {self.name!r} has a calibration, which is of the size of a vector in GeV per "
                f"example; it is a {self.kind} per {self.per}, unit {self.unit or 'none'}"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: Any) -> Any:
        """Leave a missing calibration out, so that networks without one keep their digest."""
        return {key: value for key, value in write(self).items() if key != "calibration" or value}
