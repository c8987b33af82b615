"""YAML 1.2 core schema: expected values are from section 10.3 of the YAML 1.2.2 specification."""

import math

import pytest

from l1met_fpga.config.yaml_text import read_yaml, write_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("12", 12), ("-3", -3), ("+7", 7), ("0", 0), ("0o14", 12), ("0x1F", 31),
        ("1e-3", 1e-3), ("1E5", 1e5), ("1.", 1.0), (".5", 0.5), ("0.0", 0.0), ("-.inf", -math.inf),
        # booleans, octal, sexagesimal, grouped numbers and dates of YAML 1.1 are text
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("1:30", "1:30"), ("1_000", "1_000"), ("0b11", "0b11"), ("2024-01-01", "2024-01-01"),
        ("=", "="), ("\u00e9t\u00e9", "\u00e9t\u00e9"),
    ],
)  # fmt: skip
def test_plain_text_is_read_as_the_specification_says(text, value):
    read = read_yaml(f"key: {text}")["key"]
    assert (read, type(read)) == (value, type(value))
    assert read_yaml(f"key: {text}".encode()) == {"key": value}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", r"line 3, column 1: key 'a' stands twice, first in line 1; join"),
        ("t: {s: 0.5, s: 0.9}", r"line 1, column 13: key 's' stands twice"),
        ("- {a: 1, 'a': 2}", r"key 'a' stands twice"),
        ("1: a\n1: b", r"key 1 stands twice"),
        ("x: &x {p: 1}\ny: {<<: *x, <<: *x}", r"line 2, column 13: key '<<' stands twice"),
        ("a: 010", r"line 1, column 4: 010 is octal in YAML 1\.1 and decimal in YAML 1\.2; write"),
        ("a: -007", r"-007 is octal .* write -7"),
        ("a: .nan", r"NaN is no value of any setting"),
        ("a: !!bool yes", r"'yes' is no bool of YAML 1\.2"),
        ("a: !!int 1:30", r"'1:30' is no int"),
        ("a: !!python/name:os.system x", r"could not determine a constructor"),
        ("a: [1,", r"line 1, column 7: expected the node content"),
        ("a: 1\n---\nb: 2", r"another document"),
        ("a: *b", r"undefined alias 'b'"),
        ("[" * 10_000, r"nested too deeply"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_its_place(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_yaml(text)


def test_a_key_beside_a_merged_section_wins():
    assert read_yaml("base: &b {p: 1, q: 2}\nown: {<<: *b, q: 3}")["own"] == {"p": 1, "q": 3}


@pytest.mark.parametrize(
    "text",
    ["yes", "010", "0o10", "1e3", "1_000", "1:30", "2024-01-01", "null", "", "~", "true", ".5",
     "+1", ".inf", "0x1f", "<<", "=", "a: b", "\n", " x", "\u00e9"],
)  # fmt: skip
def test_written_text_is_read_as_text(text):
    content = {"value": text, text: [text]}
    assert read_yaml(write_yaml(content)) == content


def test_written_numbers_are_read_as_the_same_numbers():
    content = {"a": [1.5, 1e-5, 1e30, math.inf, -3, True, None], "b": {"c": []}}
    assert read_yaml(write_yaml(content)) == content
