import pytest
from networks import NETWORKS
from pydantic import ValidationError

from l1met_fpga.errors import ConversionError
from l1met_fpga.models.network import Network


@pytest.mark.parametrize("name", NETWORKS)
def test_save_and_load_give_the_same_network(name, tmp_path):
    network = NETWORKS[name]()
    network.save(tmp_path / "network.json")
    assert Network.load(tmp_path / "network.json") == network


@pytest.mark.parametrize("name", NETWORKS)
def test_every_input_comes_before_its_use(name):
    seen: set[str] = set()
    for node in NETWORKS[name]():
        assert set(node.inputs) <= seen
        seen.add(node.name)


def test_unknown_field_in_a_file_is_refused():
    raw = NETWORKS["deepset"]().model_dump()
    raw["nodes"][0]["colum"] = "pt"
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Network.model_validate(raw)


def test_missing_node_names_the_others():
    with pytest.raises(ConversionError, match=r"no node 'ph'; it has \['pt', 'eta'"):
        NETWORKS["deepset"]().node("ph")


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_per_candidate_has_the_slots_as_its_first_axis(name):
    network = NETWORKS[name](n_candidates=24)
    per_candidate = {node.name for node in network if node.shape[0] == 24}
    assert network.per_candidate == per_candidate


def test_rounding_operations_need_no_type_of_their_own():
    network = NETWORKS["deepset"]()
    with pytest.raises(ConversionError, match=r"'momentum' .* drops bits by its own type"):
        network.needed_type(network.node("momentum"))
