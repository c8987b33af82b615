import json
import subprocess
import sys

HEAVY = ("tensorflow", "tf_keras", "keras", "qkeras", "hls4ml", "da4ml", "matplotlib", "pythia8mc")


def _loaded_after(code: str) -> list[str]:
    program = (
        f"import json, sys; {code}; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert _loaded_after("import l1met_fpga") == []


def test_the_command_line_help_loads_nothing_heavy():
    assert _loaded_after("import l1met_fpga.cli.app") == []


def test_importing_the_package_is_quick():
    """In processor time, so that a busy machine changes nothing."""
    code = "import time; t = time.process_time(); import l1met_fpga; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 0.15


def test_the_command_line_help_is_quick():
    code = (
        "import time; t = time.process_time()\n"
        "from l1met_fpga.cli.app import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(time.process_time() - t)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout.splitlines()[-1]) < 1.5
