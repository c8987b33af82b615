"""``network.json`` from a stranger: names cannot leave their place, damage is told in words."""

import json

import networks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
            "MET is two, px and py",
        ),
        (changed("n_candidates", value=5), "'pt' .input. has shape .4., expected .5"),
        (changed("n_candidates", value=10**9), "less than or equal to 128"),
    ],
)
def test_nodes_that_do_not_fit_together_are_refused(tmp_path_factory, content, says):
    with pytest.raises(ConversionError, match=says):
        load(tmp_path_factory, content)
