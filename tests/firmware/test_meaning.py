"""Columns that meant something else in training than the hardware's word does."""

import networks
import pytest
from run_records import write_training

from l1met_fpga.errors import ConversionError, RunFolderError
from l1met_fpga.firmware.meaning import other_meanings, require_hardware_columns
from l1met_fpga.models import nodes as net
from l1met_fpga.puppi.columns import COLUMNS
from l1met_fpga.puppi.jet_constituents import UNITS
from l1met_fpga.run_folder import RunFolder

PLAIN = networks.random_deepmet(5, phi_units=(3,), n_candidates=4)
Z0 = net.InputColumn(name="z0", inputs=(), shape=(4,), type=COLUMNS["z0"].type, column="z0")
WITH_Z0 = PLAIN.model_copy(update={"nodes": (Z0, *PLAIN.nodes)})
VERTEX = {"pt": "0.25 GeV", "z0": "0.05 cm from the vertex"}
BEAM = {"pt": "0.25 GeV", "z0": "0.05 cm"}


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run")


def record(run, samples):
    write_training(run.training, samples)


@pytest.mark.parametrize(
    "samples",
    [
        {"ttbar": {"units": BEAM}, "pileup": {"units": VERTEX}},
        [{"label": "ttbar", "units": BEAM}, {"label": "pileup", "units": VERTEX}],
    ],
    ids=["by label", "list"],
)
def test_z0_from_the_vertex_stops_firmware_of_a_network_that_does_not_say_so(run, samples):
    record(run, samples)
    with pytest.raises(ConversionError) as refused:
        require_hardware_columns(WITH_Z0, run)
    text = str(refused.value)
    assert "column z0 of sample 'pileup' was in units of '0.05 cm from the vertex'" in text
    assert "'ttbar'" not in text
    assert "the network's firmware has it in '0.05 cm'" in text
    assert "Convert all samples alike (`l1met convert --z0`)" in text
    assert require_hardware_columns(PLAIN, run) == [], "a network without z0 does not care"


@pytest.mark.parametrize(("origin", "units"), [("beam", BEAM), ("vertex", VERTEX)])
def test_z0_from_where_the_network_has_it_passes(run, origin, units):
    z0 = Z0.model_copy(update={"origin": origin})
    network = PLAIN.model_copy(update={"nodes": (z0, *PLAIN.nodes)})
    record(run, {"ttbar": {"units": units}})
    assert require_hardware_columns(network, run) == []
    assert not list(other_meanings(network, run))
    record(run, {"ttbar": {"units": BEAM if units is VERTEX else VERTEX}})
    with pytest.raises(ConversionError, match=f"the network's firmware has it in '{units['z0']}'"):
        require_hardware_columns(network, run)


def test_any_other_unit_stops_firmware(run):
    record(run, [{"label": "own", "units": {"pt": "0.5 GeV", "z0": "0.05 cm"}}])
    with pytest.raises(ConversionError, match=r"column pt of sample 'own' .*'0.5 GeV'.*'0.25 GeV'"):
        require_hardware_columns(WITH_Z0, run)


@pytest.mark.parametrize("samples", [None, {}, {"ttbar": {"store": "a.h5"}}])
def test_units_that_were_not_recorded_are_said(run, samples):
    if samples is not None:
        record(run, samples)
    (said,) = require_hardware_columns(WITH_Z0, run)
    assert "does not say what z0 meant" in said
    assert require_hardware_columns(PLAIN, run) == []


def test_a_damaged_file_is_an_error(run):
    run.training.write_text("[1")
    with pytest.raises(RunFolderError, match=r"is not JSON: .*make it again with `l1met train`"):
        require_hardware_columns(WITH_Z0, run)


def test_a_store_says_what_the_hardware_has(tmp_path):
    """The units that the writer of stores records are those that firmware asks for."""
    from stores import write_samples

    from l1met_fpga.data.store import Store

    with Store.open(write_samples(tmp_path)[0]) as store:
        units = store.attributes.units
        columns = set(units) & set(COLUMNS)
        assert columns == set(store.columns)
        assert {name: units[name] for name in columns} == {
            name: COLUMNS[name].count_unit for name in columns
        }


def test_words_of_constituents_are_those_of_a_network_that_was_trained_on_jets(run):
    ofs = {"pt": "0.25 GeV"} | {name: UNITS[name] for name in ("eta", "phi", "dxy")}
    record(run, {"ttbar": {"units": ofs}})
    (told,) = require_hardware_columns(PLAIN, run)
    assert told.startswith("the firmware takes words of a jet's constituents: ")
    assert UNITS["phi"] in told
    # an eta of the detector beside a phi of jets
    record(run, {"ttbar": {"units": ofs | {"phi": COLUMNS["phi"].count_unit}}})
    with pytest.raises(ConversionError, match="column phi of sample 'ttbar' was in units of"):
        require_hardware_columns(PLAIN, run)
