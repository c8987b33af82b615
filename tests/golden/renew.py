"""Renew the golden files after a deliberate change: ``python tests/golden/renew.py``.

Say in the commit message which numbers moved and why.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from figures import GOLDEN_FIGURES, measure_figures
from shipped import GOLDEN, NETWORKS, events_digest, measure

from l1met_fpga.files import write_json

if __name__ == "__main__":
    old = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.is_file() else {}
    new = {"events": events_digest()}
    new |= {name: measure(name) for name in NETWORKS}
    write_json(GOLDEN, new)
    write_json(GOLDEN_FIGURES, measure_figures())
    changed = [name for name in new if new[name] != old.get(name)]
    sys.stdout.write(f"{GOLDEN}: changed {', '.join(changed) or 'nothing'}\n")
