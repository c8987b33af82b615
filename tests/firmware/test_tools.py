import sys
import time
from pathlib import Path

import pytest

from l1met_fpga.errors import ConfigError, ToolError, ToolMissingError
from l1met_fpga.firmware.devices import device_of
from l1met_fpga.firmware.tools import find_tool, require_tool, run_tool


def test_output_goes_to_the_log(tmp_path):
    log = tmp_path / "logs" / "hello.log"
    argv = [sys.executable, "-c", "import os; print(os.environ['GREETING'], os.getcwd())"]
    run_tool(argv, cwd=tmp_path, log=log, timeout_s=30, environment={"GREETING": "hello"})
    assert log.read_text().split() == ["hello", str(tmp_path)]


def test_failure_quotes_the_end_of_the_log(tmp_path):
    argv = [sys.executable, "-c", "print('first'); print('the reason'); raise SystemExit(3)"]
    with pytest.raises(ToolError, match=r"(?s)exited with 3; see .*x\.log.*the reason"):
        run_tool(argv, cwd=tmp_path, log=tmp_path / "x.log", timeout_s=30)


def test_a_tool_that_hangs_is_stopped(tmp_path):
    argv = [sys.executable, "-c", "import time; time.sleep(60)"]
    with pytest.raises(ToolError, match=r"stopped after 0\.2 s"):
        run_tool(argv, cwd=tmp_path, log=tmp_path / "x.log", timeout_s=0.2)


def test_what_a_hanging_tool_started_is_stopped_too(tmp_path):
    """A wrapper script starts another process and waits, as the vendors' do."""
    wrapper = tmp_path / "wrapper.sh"
    wrapper.write_text("#!/bin/sh\nsleep 60 &\necho $! > grandchild\nwait\n")
    wrapper.chmod(0o755)
    with pytest.raises(ToolError, match=r"wrapper\.sh was stopped after 1 s"):
        run_tool([wrapper], cwd=tmp_path, log=tmp_path / "x.log", timeout_s=1)
    grandchild = int((tmp_path / "grandchild").read_text())
    deadline = time.monotonic() + 10
    while is_running(grandchild):
        assert time.monotonic() < deadline, "the grandchild outlived the tool"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process lives; one that is dead and not yet waited for does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_missing_tool_says_what_to_do(tmp_path):
    assert find_tool("no-such-program-here") is None
    with pytest.raises(ToolMissingError, match="source the settings first"):
        require_tool("no-such-program-here", advice="source the settings first")
    with pytest.raises(ToolMissingError, match="cannot start"):
        run_tool(["no-such-program-here"], cwd=tmp_path, log=tmp_path / "x.log", timeout_s=1)


def test_devices_know_their_capacity():
    device = device_of("xcvu13p-flga2577-2-e")
    assert device.percent("lut", 17_280) == pytest.approx(1.0)
    assert device.percent_of_slr("lut", 432_000) == pytest.approx(100.0)
    with pytest.raises(ConfigError, match="known devices are"):
        device_of("xc7z020")
