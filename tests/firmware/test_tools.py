import sys
import time
from pathlib import Path

import pytest

from l1met_fpga.errors import ConfigError, ToolError, ToolMissingError
from l1met_fpga.firmware import tools
from l1met_fpga.firmware.devices import device_of
from l1met_fpga.firmware.tools import find_tool, pipe_through, require_tool, run_tool


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


def test_bytes_go_through_a_program():
    argv = [
        sys.executable,
        "-c",
        "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])",
    ]
    assert pipe_through(argv, b"abc" * 40_000, what="the mirror", timeout_s=30) == b"cba" * 40_000


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise SystemExit('the reason')", r"the mirror died with exit code 1\. the reason"),
        ("import os; os.abort()", r"the mirror died with exit code -6"),
        ("import time; time.sleep(60)", r"the mirror was stopped after 1 s"),
    ],
)
def test_a_program_that_answers_nothing_says_why(body, words):
    with pytest.raises(ToolError, match=words):
        pipe_through([sys.executable, "-c", body], b"", what="the mirror", timeout_s=1)


@pytest.fixture
def fresh_caches(monkeypatch, tmp_path):
    tools._cache_variables.cache_clear()
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    yield monkeypatch
    tools._cache_variables.cache_clear()


def cache_of_a_tool(folder):
    run_tool(
        [sys.executable, "-c", "import os; print(os.environ.get('YOWASP_CACHE_DIR', 'its own'))"],
        cwd=folder,
        log=folder / "cache.log",
        timeout_s=30,
    )
    return (folder / "cache.log").read_text().strip()


def test_a_home_that_can_be_written_is_left_to_the_tools(fresh_caches, tmp_path):
    fresh_caches.setenv("XDG_CACHE_HOME", str(tmp_path / "not" / "yet"))
    assert cache_of_a_tool(tmp_path) == "its own"


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null/below"])
def test_a_home_that_cannot_be_written_gives_the_tools_another_cache(fresh_caches, tmp_path, home):
    """Places where nobody can write, root neither, though the permissions let root."""
    fresh_caches.delenv("XDG_CACHE_HOME", raising=False)
    fresh_caches.setenv("HOME", home)
    cache = Path(cache_of_a_tool(tmp_path))
    assert cache.parent.parent == tmp_path / "temporary"
    assert cache.parent.stat().st_mode & 0o777 == 0o700


def test_a_user_without_a_home_gets_a_cache(fresh_caches, tmp_path):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    fresh_caches.delenv("XDG_CACHE_HOME", raising=False)
    fresh_caches.setattr("pathlib.Path.home", unknown)
    assert cache_of_a_tool(tmp_path).startswith(str(tmp_path / "temporary"))


def test_a_cache_that_the_user_chose_stays(fresh_caches, tmp_path):
    fresh_caches.setenv("YOWASP_CACHE_DIR", "/chosen")
    fresh_caches.setenv("XDG_CACHE_HOME", "/proc/none")
    assert cache_of_a_tool(tmp_path) == "/chosen"


def test_a_folder_of_somebody_else_is_no_cache(fresh_caches, tmp_path):
    fresh_caches.setenv("XDG_CACHE_HOME", "/proc/none")
    first = Path(cache_of_a_tool(tmp_path)).parent
    first.chmod(0o777)
    tools._cache_variables.cache_clear()
    assert Path(cache_of_a_tool(tmp_path)).parent != first
