"""Earlier work is reused only when it was made from the same content."""

import pytest

from l1met_fpga.errors import DataError
from l1met_fpga.identity import content_digest, differing_parts, file_digest, require_same


def test_digest_does_not_depend_on_the_order_of_keys():
    assert content_digest({"a": 1, "b": [2, 3]}) == content_digest({"b": [2, 3], "a": 1})
    assert content_digest({"a": [1, 2]}) != content_digest({"a": [2, 1]})


def test_digest_refuses_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_digest({"a": float("nan")})


def test_file_digest_is_the_start_of_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-4's example
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223"


def test_a_part_that_was_not_recorded_differs():
    assert differing_parts({"a": 1}, {"a": 1, "b": 2}) == {"b": (None, 2)}


def test_refusal_names_what_differs():
    require_same({"a": 1}, {"a": 1}, what="x", next_step="", error=DataError)
    with pytest.raises(DataError, match=r"^cache c belongs to other inputs: a was 1, is 2. Redo.$"):
        require_same(
            {"a": 1, "b": 1}, {"a": 2, "b": 1}, what="cache c", next_step="Redo.", error=DataError
        )
