"""The configuration reference names every key, and every key says what it means."""

import re
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from l1met_fpga.config.base import StrictModel
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.config.describe import describe_all, describe_model
from l1met_fpga.config.run import RunConfig
from l1met_fpga.fixed_point import FixedType


class Inner(StrictModel):
    """Something inside."""

    depth: int = Field(default=2, ge=1, lt=9, description="How deep.")


class Outer(StrictModel):
    """Something that holds :class:`Inner`, with ``code``.

    Attributes:
        kind: Which one, the first
            or the | second.
        limits: Upper ends; the last may be open.
    """

    kind: Literal["a", "b"] = "a"
    path: Path | None = Field(default=None, description="Where.")
    type: FixedType = Field(default=FixedType(True, 3, 4), description="Type.")
    limits: tuple[float, ...] = (1.0, float("inf"))
    by_name: dict[str, int] = Field(default={}, description="Numbers.")
    inner: Inner = Inner()
    name: str = Field(description="Must be given.")


def test_table_of_one_model() -> None:
    assert describe_model(Outer).splitlines() == [
        "(config-test_describe-outer)=",
        "### Outer",
        "",
        "Something that holds `Inner`, with `code`.",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
        '| `kind` | `a`, `b` | `"a"` | Which one, the first or the \\| second. |',
        "| `path` | path or null | `null` | Where. |",
        '| `type` | fixed-point type | `"fixed<8,4,TRN,WRAP>"` | Type. |',
        "| `limits` | list of number | `[1.0, .inf]` | Upper ends; the last may be open. |",
        "| `by_name` | mapping of text to whole number | `{}` | Numbers. |",
        "| `inner` | [Inner](#config-test_describe-inner) | its defaults |  |",
        "| `name` | text | required | Must be given. |",
    ]
    assert "| `depth` | whole number, ≥ 1, < 9 | `2` | How deep. |" in describe_model(Inner)


def test_types_without_words_wrong() -> None:
    class Strange(BaseModel):
        x: complex = 1j

    with pytest.raises(TypeError, match="has no words for <class 'complex'>; add them"):
        describe_model(Strange)


def test_reference_covers_the_configuration() -> None:
    text = describe_all()
    for model in (RunConfig, ConvertConfig):
        assert f"### {model.__name__}\n" in text
        for key in model.model_fields:
            assert f"| `{key}` |" in text
    targets = re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= set(targets)


def test_every_key_says_what_it_means() -> None:
    rows = re.findall(r"^\| (`\w+`) \| (.*) \| (.*) \| (.*) \|$", describe_all(), re.MULTILINE)
    assert len(rows) > 50
    silent = [key for key, kind, _, meaning in rows if not meaning and "](#" not in kind]
    assert silent == []
