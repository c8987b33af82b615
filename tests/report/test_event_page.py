"""The page of one event, in a real browser, and the command that writes it."""

from pathlib import Path

import contract
import networks
import numpy as np
import pytest
from browser import BROWSER, browsing
from require import require

from l1met_fpga.cli.app import main
from l1met_fpga.data.store_writer import write_store
from l1met_fpga.errors import ConfigError, DataError

CONES = "[...document.querySelectorAll('ellipse title')].map(title => title.textContent)"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    filled = np.arange(64) < 12
    columns = {
        "pt": rng.integers(8, 200, (3, 64)),
        "eta": rng.integers(-900, 900, (3, 64)),
        "phi": rng.integers(-720, 720, (3, 64)),
        "pid": rng.integers(0, 8, (3, 64)),
        "puppi_weight": np.full((3, 64), 256),
    }
    path = tmp_path / "events.h5"
    write_store(
        path,
        candidates={name: (column * filled).astype(np.int16) for name, column in columns.items()},
        truth={"gen_met_xy_gev": rng.normal(scale=50, size=(3, 2))},
        label="toy",
    )
    return path


def show(store: Path, tmp_path: Path, *arguments: object) -> int:
    network = tmp_path / "network.json"
    networks.random_deepset().save(network)
    with pytest.raises(SystemExit) as ended:
        main(["show", str(store), "--network", str(network), *map(str, arguments)])
    return int(ended.value.code or 0)


def test_page_shows_every_candidate_and_vector(store, tmp_path, capsys):
    require("chromium", BROWSER is not None, install="the page of an event is looked at in it")
    page = tmp_path / "event.html"
    assert show(store, tmp_path, "--event", 2, "-o", page) == 0
    said = capsys.readouterr().out
    assert "network MET: " in said
    assert said.count("of the network's MET") == 3
    with browsing(tmp_path / "profile") as browser:
        for dark in (False, True):
            browser.open(page, width=1280, dark=dark)
            assert browser.run("document.querySelectorAll('.chart circle[cx]').length") == 12 + 3
            tip = browser.run("document.querySelector('.chart circle[cx] title').textContent")
            assert "GeV, eta" in tip
            assert "network weight" in tip
            assert browser.run("document.querySelectorAll('tbody tr').length") == 12
            cones = [str(label) for label in browser.run(CONES)]
            assert cones
            assert all(label.startswith("jet of ") for label in cones)
            assert browser.problems == []
        browser.open(page, width=390)
        assert browser.run("document.documentElement.scrollWidth > innerWidth") is False


def test_a_picture_instead_of_a_page(store, tmp_path):
    picture = tmp_path / "event.png"
    assert show(store, tmp_path, "-o", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_shown(store, tmp_path, capsys):
    assert show(store, tmp_path, "--event", 3) == DataError.exit_code
    assert "has no event 3; it has 3, numbered from 0" in capsys.readouterr().err
    assert show(store, tmp_path, "-o", tmp_path / "event.gif") == ConfigError.exit_code
    assert "is no .html, .png or .pdf file" in " ".join(capsys.readouterr().err.split())


def test_a_network_of_a_number_has_its_value_in_the_title(store, tmp_path, capsys):
    network, page = tmp_path / "scalar.json", tmp_path / "event.html"
    contract.random_network("deepset", ("scalar",), seed=2).save(network)
    with pytest.raises(SystemExit) as ended:
        main(["show", str(store), "--network", str(network), "--event", "2", "-o", str(page)])
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "network ACTIVITY " in said
    assert said.count("of the network's ACTIVITY") == 3
    assert "what it does to sum of pt" not in page.read_text()
    assert "what it does to the sum of pt" in page.read_text()
