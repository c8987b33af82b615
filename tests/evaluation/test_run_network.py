import shutil

import pytest
from keras_models import scrambled

from l1met_fpga.errors import RunFolderError
from l1met_fpga.evaluation.run_network import network_digest
from l1met_fpga.models.export import export_network
from l1met_fpga.models.network import Network
from l1met_fpga.models.storage import save_model
from l1met_fpga.run_folder import RunFolder
from l1met_fpga.tasks.met.task import MET


def make_run(folder, seed) -> RunFolder:
    run = RunFolder.create(folder)
    model = scrambled("deepset", "quantized", seed)
    save_model(model, run.model)
    export_network(model, (MET,)).save(run.network)
    return run


def test_the_model_and_the_integers_are_one_network(tmp_path):
    run, other = make_run(tmp_path / "one", 1), make_run(tmp_path / "other", 2)
    assert network_digest(run) == Network.load(run.network).digest
    shutil.copy(other.model, run.model)
    with pytest.raises(RunFolderError, match=r"network\.json is not the network of model\.keras"):
        network_digest(run)
    run.network.unlink()
    assert network_digest(run) is None
