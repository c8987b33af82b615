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
