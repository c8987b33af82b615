"""The container, the devcontainer and the conda environment, as far as they can be read here."""

import configparser
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "CMD"}
VERSION = re.compile(r"3\.(\d+)")


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def is_supported(text: str) -> bool:
    minor = int(VERSION.search(text)[1])
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    low, high = VERSION.findall(config["options"]["python_requires"])
    return int(low) <= minor < int(high)


def test_dockerfile_is_made_of_known_instructions():
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert is_supported(found[0][1])
    made = next(words for name, words in found if name == "RUN" and "make env" in words)
    assert is_supported(made)
    assert re.search(r"^env: ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    command = json.loads(next(words for name, words in found if name == "CMD"))
    assert command[0] == "bash"


def test_the_image_leaves_out_what_is_made_here():
    left = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "runs"} <= set(left)


def test_devcontainer_builds_the_dockerfile():
    path = ROOT / ".devcontainer/devcontainer.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    assert (path.parent / about["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert (path.parent / about["build"]["context"]).resolve() == ROOT
    assert is_supported(about["postCreateCommand"])


def test_conda_takes_the_packages_of_the_lock_file():
    about = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    names = [one for one in about["dependencies"] if isinstance(one, str)]
    assert is_supported(next(name for name in names if name.startswith("python=")))
    (pip,) = [one["pip"] for one in about["dependencies"] if isinstance(one, dict)]
    assert pip == ["-r requirements.lock", "-e ."]
    assert (ROOT / "requirements.lock").is_file()


STAND_IN = """#!/bin/sh
# A Python whose pip knows its settings and installs nothing, and an uv that says what it was told.
here=$(dirname "$0")
case "$*" in
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/uv" ;;
    *"config list") exec PYTHON "$@" ;;
    "pip install"*) echo "$UV_DEFAULT_INDEX $SSL_CERT_FILE" > "$here/told" ;;
esac
"""


def test_what_pip_is_told_holds_for_uv(tmp_path):
    python = tmp_path / "python3"
    python.write_text(STAND_IN.replace("PYTHON", sys.executable), encoding="utf-8")
    python.chmod(0o755)
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://index.example/simple\ncert = /etc/own.pem\n",
        encoding="utf-8",
    )
    known = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": str(settings)}
    subprocess.run(
        ["bash", ROOT / ".ci/make-env", python, tmp_path / "venv"], check=True, env=known
    )
    told = (tmp_path / "venv/bin/told").read_text(encoding="utf-8").split()
    assert told == ["https://index.example/simple", "/etc/own.pem"]
