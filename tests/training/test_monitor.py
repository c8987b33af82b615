import numpy as np
import pytest
from stores import write_samples

from l1met_fpga.config.training import LossConfig, TrainingSample
from l1met_fpga.data.splits import Part
from l1met_fpga.data.store import Store
from l1met_fpga.training.monitor import Validation
from l1met_fpga.training.samples import load_samples


@pytest.fixture
def stores(tmp_path):
    return write_samples(tmp_path)


def test_puppi_figures_equal_those_from_the_store(stores):
    samples = load_samples([TrainingSample(path=path) for path in stores], ("pt", "phi"))
    figures = Validation(samples, LossConfig(kind="mse")).puppi
    met, gen = {}, {}
    for path in stores:
        with Store.open(path) as store:
            events = store.events_of(Part.VALIDATION)
            columns = store.candidates(events)
            phi = columns["phi"] * (np.pi / 720)
            direction = np.stack([np.cos(phi), np.sin(phi)], axis=-1)
            met[store.label] = -np.sum(columns["pt"][..., None] / 4 * direction, axis=1)
            gen[store.label] = store.gen_met_xy_gev(events)
    share = [len(s.train) for s in samples] / np.sum([len(s.train) for s in samples])
    losses = [np.mean((met[label] - gen[label]) ** 2) for label in ("ttbar", "pileup")]
    assert figures["val_loss"] == pytest.approx(share @ losses, rel=1e-4)
    size, u = np.hypot(*gen["ttbar"].T), np.hypot(*met["ttbar"].T)
    error = np.hypot(*(met["ttbar"] - gen["ttbar"]).T)
    assert figures["val_ttbar_error_above_100_gev"] == pytest.approx(error[size > 100].mean())
    # by the definition of a rate: crossings with beam (2760 bunches, 11.246 kHz) that pass
    cut = figures["val_threshold_gev"]
    background = np.sort(np.hypot(*met["pileup"].T))[::-1]
    wanted = figures["val_rate_khz"] / (2760 * 11.246) * len(background)
    assert np.sum(background >= cut) <= wanted + 1e-6
    assert np.sum(background >= background[background < cut].max()) > wanted - 1e-6
    chosen = (size >= 100) & (size < 150)
    assert figures["val_ttbar_efficiency"] == pytest.approx(np.mean(u[chosen] >= cut))
    assert figures["val_efficiency"] == figures["val_ttbar_efficiency"]
