"""The HTML page in a real browser: a number is read, a table is sorted, no console error."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracle_tools import TOOLS

from l1met_fpga.report.page import Section, Table
from l1met_fpga.report.render import Page, write_html

PROBE = """<script>
window.problems = [];
window.addEventListener("error", (event) => window.problems.push(event.message));
const say = console.error;
console.error = (...words) => { window.problems.push(words.join(" ")); say(...words); };
</script>"""
READ = """<script>
const table = document.getElementById("efficiencies");
const names = () => Array.from(table.tBodies[0].rows, (row) => row.cells[0].textContent);
const button = table.tHead.rows[0].cells[1].querySelector("button");
const found = { number: table.tBodies[0].rows[1].cells[1].textContent, before: names() };
button.click(); found.ascending = names();
button.click(); found.descending = names();
found.images = Array.from(document.images, (image) => image.src.slice(0, 22));
found.wide = document.documentElement.scrollWidth > window.innerWidth;
found.problems = window.problems;
const out = document.createElement("pre");
out.id = "found"; out.textContent = JSON.stringify(found);
document.body.append(out);
</script>"""


def make_page(tmp_path: Path) -> Path:
    import matplotlib.image

    figure = tmp_path / "rate.png"
    matplotlib.image.imsave(figure, np.zeros((4, 4)))
    rows = (("b", "0.25 ± 0.01"), ("a", "0.125 ± 0.01"), ("none", "-"), ("c", "1.5 ± 0.1"))
    wide = Table("Wide", tuple(f"column {k}" for k in range(40)), (tuple("x" * 40),))
    table = Table("Efficiencies", ("estimate", "efficiency"), rows, "A <note> & more.")
    page = Page(
        "Report of <b>", ("Lead.",), (), (Section("Physics", (table, wide)),), (figure,), "Footer."
    )
    path = tmp_path / "report.html"
    write_html(page, path)
    return path


def test_page_is_self_contained_and_escaped(tmp_path):
    text = make_page(tmp_path).read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r'src="(?!data:)', text)
    assert "<title>Report of &lt;b&gt;</title>" in text
    assert "A &lt;note&gt; &amp; more." in text


def look(page: Path, tmp_path: Path, *, width: int) -> dict:
    """Open the page headless, run the probes, and return what they saw."""
    text = page.read_text()
    probed = tmp_path / "probed.html"
    probed.write_text(
        text.replace("<head>", "<head>" + PROBE, 1).replace("</body>", READ + "</body>", 1)
    )
    done = subprocess.run(
        [
            TOOLS["chromium"].find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
            "--virtual-time-budget=2000", "--dump-dom", probed.as_uri(),
        ],
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    match = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert match, done.stderr[-2000:]
    return json.loads(
        match.group(1).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )


@pytest.mark.oracle("chromium")
@pytest.mark.parametrize("width", [1280, 500])
def test_page_in_a_browser(tmp_path, width):
    found = look(make_page(tmp_path), tmp_path, width=width)
    assert found["problems"] == []
    assert found["number"] == "0.125 ± 0.01"
    assert found["before"] == ["b", "a", "none", "c"]
    assert found["ascending"] == ["a", "b", "c", "none"]
    assert found["descending"] == ["c", "b", "a", "none"]
    assert found["images"] == ["data:image/png;base64,"]
    assert not found["wide"]  # tables scroll inside; the page itself fits a phone
