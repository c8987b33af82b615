#!/usr/bin/env bash
# One would think: create_files("record") leaves in that folder what one uploads, its YAML files and the archive of them.
# What happens: submission.tar.gz is written where the program runs, over one that lies there; and every .yaml file below the
# given folder goes into it, those of others too, by its bare name: with the default "." all that lies around.
# Seen with hepdata_lib 0.21.0, hepdata-validator 0.3.6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check hepdata_lib==0.21.0 hepdata-validator==0.3.6
mkdir work && cd work
echo "an archive of another record" >submission.tar.gz
mkdir -p record/settings && echo "seed: 1" >record/settings/mine.yaml
../env/bin/python -W ignore - <<'PYTHON'
import importlib.metadata
import tarfile
from pathlib import Path

import hepdata_lib

print("hepdata_lib", importlib.metadata.version("hepdata_lib"))
table = hepdata_lib.Table("efficiency")
x = hepdata_lib.Variable("MET", is_independent=True, is_binned=False, units="GeV")
y = hepdata_lib.Variable("efficiency", is_independent=False, is_binned=False, units="")
x.values, y.values = [100, 200], [0.5, 0.9]
table.add_variable(x)
table.add_variable(y)
submission = hepdata_lib.Submission()
submission.add_table(table)
submission.create_files("record", validate=False)
print("in record:", sorted(str(path) for path in Path("record").rglob("*.*")))
assert not list(Path("record").rglob("*.gz")), "changed: the archive lies in the folder"
assert tarfile.is_tarfile("submission.tar.gz"), "changed: the other archive was left alone"
with tarfile.open("submission.tar.gz") as archive:
    print("submission.tar.gz of the working folder:", sorted(archive.getnames()))
    assert "mine.yaml" in archive.getnames(), "changed: files of others stay out"
PYTHON
