"""``network.json`` from a stranger: names cannot leave their place, damage is told in words."""

import json
import re
import shlex

import networks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from l1met_fpga.cli.app import app
from l1met_fpga.errors import ConversionError, L1MetError
from l1met_fpga.models.network import Network

NETWORK = networks.random_deepset(
    3, phi_units=(3,), n_vector_pools=2, n_scalar_pools=1, rho_units=(2,), n_candidates=4
)
PLAIN = json.loads(NETWORK.model_dump_json())


def load(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("network") / "network.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Network.load(path)


def changed(*keys, value):
    """The example network with one value replaced."""
    content = json.loads(json.dumps(PLAIN))
    here = content
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = value
    return content


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "a b",
        "",
        "9lives",
        "_x",
        "é",
        "a;b",
        "a\n",
        'x"',
        "a/b",
        "a" * 65,
        "$(id)",
        "a-b",
    ],
)
@pytest.mark.parametrize(
    "keys", [("name",), ("nodes", 0, "name"), ("nodes", 5, "features", 0, "name")]
)
def test_a_name_that_could_be_something_else_is_refused(tmp_path_factory, name, keys):
    with pytest.raises(ConversionError, match="a name is a letter and then letters, digits or _"):
        load(tmp_path_factory, changed(*keys, value=name))


@given(name=st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_only_plain_names_load(tmp_path_factory, name):
    plain = name.isascii() and name.replace("_", "a").isalnum() and name[0].isalpha()
    if plain:
        assert load(tmp_path_factory, changed("name", value=name)).name == name
    else:
        with pytest.raises(ConversionError):
            load(tmp_path_factory, changed("name", value=name))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "no network that l1met can use: top level"),
        ("[]", "no network that l1met can use"),
        (
            changed("n_candidates", value=0),
            "n_candidates: Input should be greater than or equal to 1",
        ),
        (changed("nodes", value=[]), "nodes: Tuple should have at least 1 item"),
        (changed("nodes", 0, "column", value="pt; rm"), "a column is one of pt, eta"),
        (changed("nodes", 1, "name", value="pt"), "two nodes are called 'pt'"),
        (changed("nodes", -1, "inputs", value=["later"]), "reads 'later', which is not before it"),
        (changed("more", value=1), "more: Extra inputs are not permitted"),
    ],
)
def test_damage_is_told_in_words(tmp_path_factory, content, words):
    with pytest.raises(ConversionError) as refused:
        load(tmp_path_factory, content)
    assert words in str(refused.value)


@given(cut=st.integers(0, 2000), byte=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_an_error_of_ours_or_a_network(tmp_path_factory, cut, byte):
    text = bytearray(NETWORK.model_dump_json().encode())
    text[cut % len(text)] = byte
    path = tmp_path_factory.mktemp("network") / "network.json"
    path.write_bytes(text)
    try:
        found = Network.load(path)
    except L1MetError:
        return
    assert found.name.isidentifier()


def test_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "network.json"
    NETWORK.save(path)
    monkeypatch.setattr(Network, "model_dump_json", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        NETWORK.save(path)
    monkeypatch.undo()
    assert Network.load(path) == NETWORK
    assert list(tmp_path.iterdir()) == [path]


def test_the_digest_is_that_of_the_content(tmp_path):
    path = tmp_path / "network.json"
    NETWORK.save(path)
    assert Network.load(path).digest == NETWORK.digest
    assert NETWORK.model_copy(update={"n_candidates": 5}).digest != NETWORK.digest


def place(name):
    """Number of the node of that name."""
    return next(n for n, node in enumerate(PLAIN["nodes"]) if node["name"] == name)


def dense(key, change):
    """The example network with a changed kernel or bias of its first perceptron layer."""
    number = place("phi_0_dense")
    value = json.loads(json.dumps(PLAIN["nodes"][number][key]))
    return changed("nodes", number, key, value=change(value))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (dense("kernel", lambda k: k[1:]), "'phi_0_dense' .dense. cannot work on features"),
        (dense("kernel", lambda k: [k[0][1:], *k[1:]]), "'phi_0_dense' .dense. cannot work on"),
        (dense("bias", lambda b: [*b, 0]), "'phi_0_dense' .dense. cannot work on features"),
        (dense("kernel", lambda k: [[10**6, *k[0][1:]], *k[1:]]), "kernel holds codes beyond"),
        (dense("bias", lambda b: [-(10**6), *b[1:]]), "bias holds codes beyond ap_fixed"),
        (changed("nodes", place("phi_0"), "shape", value=[4, 7]), r"shape .4, 7., expected .4, 3"),
        (changed("nodes", place("phi_0"), "inputs", value=[]), "'phi_0' .quantize. cannot work"),
        (changed("nodes", place("momentum"), "inputs", value=["phi", "pt"]), "'momentum'"),
        (changed("nodes", place("momentum"), "quadrant_cos", value=[1, 0]), "'momentum'"),
        (changed("nodes", place("features"), "inputs", value=["pt"]), "'features'"),
        (changed("nodes", place("scalars_sum"), "inputs", value=["scalars", "eta"]), "scalars_sum"),
        (
            changed("nodes", value=PLAIN["nodes"][: place("scalars_sum") + 1]),
            "head 'met' is given by 'met_xy', which is no node",
        ),
        (changed("heads", value=[]), "heads: Tuple should have at least 1 item"),
        (changed("heads", value=PLAIN["heads"] * 2), "two heads are called 'met'"),
        (
            changed("heads", 0, "node", value="scalars_sum"),
            r"vector, per example. has shape .2.; its node .scalars_sum. gives .1.",
        ),
        (changed("heads", 0, "size", value=3), "'met' is a vector of 3 numbers; expected 2"),
        (changed("heads", 0, "kind", value="tensor"), "'vector', 'scalar' or 'classes'"),
        (changed("version", value=3), "of version 3, this program reads version 2; use the newer"),
        (
            changed("nodes", value=[*PLAIN["nodes"], PLAIN["nodes"][-1] | {"name": "again"}]),
            "node 'again' is not used by any head; leave it out",
        ),
        (changed("n_candidates", value=5), "'pt' .input. has shape .4., expected .5"),
        (changed("n_candidates", value=10**9), "less than or equal to 128"),
    ],
)
def test_nodes_that_do_not_fit_together_are_refused(tmp_path_factory, content, says):
    with pytest.raises(ConversionError, match=says):
        load(tmp_path_factory, content)


def version_1():
    """The example network as it was written before there were heads."""
    return {key: value for key, value in PLAIN.items() if key not in ("version", "heads")}


def test_version_1_is_refused_with_the_command_that_converts_it(tmp_path):
    path = tmp_path / "old run" / "network.json"
    path.parent.mkdir()
    path.write_text(json.dumps(version_1()))
    with pytest.raises(ConversionError, match=r"is a network\.json of version 1") as refused:
        Network.load(path)
    command = str(refused.value).split("`")[1]
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert Network.load(path) == NETWORK


def test_conversion_leaves_out_nodes_that_nothing_uses(tmp_path):
    path = tmp_path / "network.json"
    content = version_1()
    idle = content["nodes"][place("phi_0")] | {"name": "idle"}
    path.write_text(
        json.dumps(content | {"nodes": [*content["nodes"][:-1], idle, PLAIN["nodes"][-1]]})
    )
    assert CliRunner().invoke(app, ["import", str(path), "-o", str(path)]).exit_code == 0
    assert Network.load(path) == NETWORK


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (PLAIN, "has version 2 already; nothing was written"),
        ({"nodes": [1]}, "the nodes of this network.json cannot be read"),
        ({"nodes": []}, "the nodes of this network.json cannot be read"),
        (version_1() | {"n_candidates": 7}, "'pt' .input. has shape"),
        ([], "no network that l1met can use"),
    ],
)
def test_what_cannot_be_converted_is_told_and_nothing_is_written(tmp_path, content, says):
    path, target = tmp_path / "network.json", tmp_path / "new.json"
    path.write_text(json.dumps(content))
    result = CliRunner().invoke(app, ["import", str(path), "-o", str(target)])
    assert isinstance(result.exception, ConversionError)
    assert re.search(says, str(result.exception))
    assert not target.exists()


def test_a_head_per_row_needs_a_node_per_candidate():
    heads = [{"name": "w", "kind": "scalar", "size": 1, "per": "row", "node": "weights"}]
    with pytest.raises(ValidationError, match=r"scalar, per row. has shape \[4, 1\]; .* \[4, 2\]"):
        Network.model_validate(PLAIN | {"heads": [*heads, *PLAIN["heads"]]})
    two = {"n_candidates": 2, "heads": [{**PLAIN["heads"][0], "node": "pt"}]}
    pt = {**PLAIN["nodes"][0], "shape": [2]}
    with pytest.raises(ValidationError, match="head 'met' is per example, its node 'pt' is not"):
        Network.model_validate(PLAIN | two | {"nodes": [pt]})


def test_an_unknown_head_names_the_nearest():
    with pytest.raises(
        ConversionError, match=r"no head 'mte'; it has \['met'\]; did you mean 'met'"
    ):
        NETWORK.head("mte")
