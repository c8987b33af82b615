"""The documented examples for batch systems, with a stand-in for the batch system itself."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ntuples import make_events, write_perfnano
from require import require_module

from l1met_fpga.config.data import ConvertConfig
from l1met_fpga.data.convert import convert
from l1met_fpga.data.store import Store

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SUBMIT = {
    # sbatch FILE: run the job here, in the background
    "sbatch": '#!/bin/sh\ncp "$1" job.sh\nsh job.sh >job.log 2>&1 &\necho "Submitted batch job $$"\n',
    "scancel": "#!/bin/sh\nexit 0\n",
}


@pytest.fixture
def slurm(tmp_path):
    require_module("dask_jobqueue", extra="jobqueue")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in SUBMIT.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "slurm.py"), "1"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    process.send_signal(2)
    process.wait(timeout=60)
    process.stdout.close()


@pytest.mark.slow
def test_the_slurm_example_converts(slurm, tmp_path):
    files = []
    for index in range(3):
        files.append(str(tmp_path / f"in{index}.root"))
        write_perfnano(tmp_path / f"in{index}.root", make_events(100, seed=index))
    assert slurm.startswith("tcp://")
    convert(files, tmp_path / "jobs.h5", ConvertConfig(), scheduler=slurm)
    convert(files, tmp_path / "here.h5", ConvertConfig(), workers=1)
    with Store.open(tmp_path / "jobs.h5") as jobs, Store.open(tmp_path / "here.h5") as here:
        for name, column in here.candidates().items():
            np.testing.assert_array_equal(jobs.candidates()[name], column)
    assert "#SBATCH -p standard" in (tmp_path / "job.sh").read_text()


def test_the_htcondor_example_is_a_valid_job(monkeypatch):
    require_module("dask_jobqueue", extra="jobqueue")
    import dask_jobqueue as jobqueue

    made = []

    class Stop(Exception):
        pass

    def record(cluster, *args, **options):
        made.append(options)
        raise Stop

    monkeypatch.setattr(jobqueue.HTCondorCluster, "__init__", record)
    monkeypatch.setattr(sys, "argv", ["htcondor.py", "2"])
    with pytest.raises(Stop):
        runpy.run_path(str(EXAMPLES / "htcondor.py"), run_name="__main__")
    (options,) = made
    monkeypatch.undo()
    job = jobqueue.htcondor.HTCondorJob(scheduler="tcp://127.0.0.1:1", name="x", **options)
    script = job.job_script()
    assert "RequestMemory = 2GB" in script or "2000" in script
    assert '+JobFlavour = "longlunch"' in script
