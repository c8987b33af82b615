"""Files on a real XRootD server on this machine, with the extra ``xrootd``."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from ntuples import make_events, write_perfnano

from l1met_fpga.cli.app import main
from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.sources import expand_sources
from l1met_fpga.data.store import Store
from l1met_fpga.data.truth import GEN_MET
from l1met_fpga.errors import DataError

pytestmark = [pytest.mark.slow, pytest.mark.oracle("xrootd", "fsspec-xrootd")]

CONFIG = """
all.export /
oss.localroot {files}
all.adminpath {admin}
all.pidpath {admin}
xrd.port {port}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server():
    """Start a server; yields its address and the folder that it serves."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, admin = folder / "files", folder / "admin"
        for path in (folder, files, admin):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)  # the server does not run as root
        (folder / "xrootd.cfg").write_text(CONFIG.format(files=files, admin=admin, port=port))
        command = ["xrootd", "-c", str(folder / "xrootd.cfg"), "-l", str(admin / "log")]
        user = {"user": "daemon", "group": "daemon", "extra_groups": []} if not os.geteuid() else {}
        process = subprocess.Popen(command, cwd=admin, start_new_session=True, **user)
        try:
            for _ in range(100):
                if answers(port):
                    break
                time.sleep(0.1)
            else:
                pytest.fail((admin / "log").read_text())
            yield f"root://127.0.0.1:{port}/", files
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def served(server):
    address, files = server
    for number in (0, 1):
        path = files / "run" / f"{number}.root"
        path.parent.mkdir(exist_ok=True)
        write_perfnano(path, make_events(50, seed=number, first_event=1 + 50 * number))
    return address, files


def columns(path):
    with Store.open(path) as store:
        return {**store.candidates(), "event_id": store.event_id(), "met": store.truth(GEN_MET)}


def test_a_glob_on_the_server_gives_the_same_store_as_the_files(served, tmp_path):
    address, files = served
    pattern = f"{address}/run/*.root"
    assert [source.path for source in expand_sources([pattern])] == [
        f"{address}/run/0.root",
        f"{address}/run/1.root",
    ]
    convert([pattern], tmp_path / "remote.h5", ConvertConfig(), workers=1)
    convert([str(files / "run" / "*.root")], tmp_path / "local.h5", ConvertConfig(), workers=1)
    remote, local = columns(tmp_path / "remote.h5"), columns(tmp_path / "local.h5")
    assert remote.keys() == local.keys()
    for name, values in local.items():
        np.testing.assert_array_equal(remote[name], values, err_msg=name)


def test_inspect_reads_from_the_server(served, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["inspect", f"{served[0]}/run/0.root"])
    assert "50" in capsys.readouterr().out


def test_two_spellings_of_a_url_on_the_server(served):
    address, _ = served
    with pytest.raises(DataError, match="is the same file as root://"):
        expand_sources([f"{address}run//0.root", f"{address}/run/*.root"])


def test_a_file_that_the_server_does_not_have(served, tmp_path):
    url = f"{served[0]}/run/none.root"
    with pytest.raises(DataError) as caught:
        convert([url], tmp_path / "o.h5", ConvertConfig(), workers=1)
    assert str(caught.value) == f"no such file on the server: {url}; check the path"
    with pytest.raises(DataError, match=r"^no file on the server matches root://.*/none/\*\.root;"):
        expand_sources([f"{served[0]}/none/*.root"])


def test_a_file_that_was_cut_on_the_server(served, tmp_path):
    address, files = served
    content = (files / "run" / "0.root").read_bytes()
    (files / "cut.root").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"is not a readable ROOT file .* cut while it was copied"):
        convert([f"{address}/cut.root"], tmp_path / "o.h5", ConvertConfig(), workers=1)


def test_no_server_there(tmp_path):
    url = f"root://127.0.0.1:{free_port()}//a.root"
    # The client reads its settings when it is loaded, and is patient without them.
    settings = {"XRD_CONNECTIONRETRY": "1", "XRD_CONNECTIONWINDOW": "1"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from l1met_fpga.cli.app import main; main()",
            "convert",
            url,
            "-o",
            str(tmp_path / "o.h5"),
            "--workers",
            "1",
        ],
        env={**os.environ, **settings, "XRD_STREAMERRORWINDOW": "1", "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: cannot read {url} (")
    assert "check the server, your credentials and the path" in done.stderr
