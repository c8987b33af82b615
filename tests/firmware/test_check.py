import json

import numpy as np
import pytest

from l1met_fpga.errors import BitExactnessError
from l1met_fpga.firmware.check import (
    compare_codes,
    compare_forms,
    first_difference,
    require_agreement,
    write_result,
)

EVENTS = {"pt": np.arange(6, dtype=np.int16).reshape(3, 2)}


def form(candidates):
    pt = np.asarray(candidates["pt"], dtype=np.int64)
    return {"met": pt * 3, "ht": pt.sum(axis=1, keepdims=True)}


def wrong(candidates):
    found = form(candidates)
    return found | {"met": found["met"] + (np.asarray(candidates["pt"]) == 3)}


def test_counts_every_differing_output():
    expected = np.arange(10).reshape(5, 2)
    got = expected.copy()
    got[2, 1] += 4
    got[3] -= 1
    found = compare_codes(expected, got)
    assert (found.events, found.outputs, found.differing, found.largest_lsb) == (5, 10, 3, 4)
    assert found.first_event == 2
    assert compare_codes(expected, expected).first_event is None


def test_refuses_other_shapes_and_real_numbers():
    with pytest.raises(BitExactnessError, match=r"shape \(3, 2\).*with \(2, 2\)"):
        compare_codes(np.zeros((3, 2), int), np.zeros((2, 2), int))
    with pytest.raises(BitExactnessError, match="float64"):
        compare_codes(np.zeros((3, 2), int), np.zeros((3, 2)))


def test_result_has_the_keys_of_the_report(tmp_path):
    samples = {"test": EVENTS, "stress": EVENTS}
    result = compare_forms("keras", form, {"int64": form, "hls_csim": wrong}, samples)
    assert result["int64"].differing == 0
    hls = result["hls_csim"]
    assert (hls.against, hls.events, hls.outputs, hls.differing, hls.largest_lsb) == (
        "keras", 6, 18, 2, 1,
    )  # fmt: skip
    assert {name: (one.outputs, one.differing) for name, one in hls.heads.items()} == {
        "met": (12, 2), "ht": (6, 0),
    }  # fmt: skip
    assert hls.samples["stress"].first_event == 1
    with pytest.raises(BitExactnessError, match=r"hls_csim: 2 of 12 outputs of head 'met' differ"):
        require_agreement(result)
    require_agreement({"int64": result["int64"]})
    path = tmp_path / "bit_exactness.json"
    write_result(path, result, network_digest="a")
    assert json.loads(path.read_text())["hls_csim"]["heads"]["met"]["differing"] == 2


def test_another_set_of_heads_is_no_agreement():
    less = lambda candidates: {"met": form(candidates)["met"]}
    with pytest.raises(BitExactnessError, match=r"heads are \['met'\], expected \['met', 'ht'\]"):
        compare_forms("keras", form, {"cpp": less}, {"test": EVENTS})


def test_keeps_other_forms_of_the_same_network_only(tmp_path):
    path = tmp_path / "bit_exactness.json"
    results = {
        name: compare_forms("keras", form, {name: form}, {"test": EVENTS})
        for name in ("int64", "rtl_verilator")
    }
    write_result(path, results["rtl_verilator"], network_digest="a")
    assert set(write_result(path, results["int64"], network_digest="a")) == set(results)
    assert set(write_result(path, results["int64"], network_digest="b")) == {"int64"}


def test_a_damaged_file_is_replaced(tmp_path, caplog):
    path = tmp_path / "bit_exactness.json"
    path.write_text("{half")
    result = compare_forms("keras", form, {"int64": form}, {"test": EVENTS})
    assert set(write_result(path, result, network_digest="a")) == {"int64"}
    assert "its results are replaced" in caplog.text
    assert json.loads(path.read_text())["int64"]["network"] == "a"


def test_names_first_layer_event_and_slot():
    expected = {"first": np.zeros((2, 3), int), "second": np.zeros((2, 3, 2), int)}
    got = {name: codes.copy() for name, codes in expected.items()}
    assert first_difference(list(expected), expected, got) is None
    got["second"][1, 2, 0] = 7
    found = first_difference(["input", "first", "second"], expected, got)
    assert (found.layer, found.event, found.slot, found.expected, found.got) == (
        "second",
        1,
        (2, 0),
        0,
        7,
    )
    assert "first differing layer 'second': event 1, index (2, 0)" in str(found)
