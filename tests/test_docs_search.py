"""The documentation can be searched where it lies on a disk, without a server or a network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser import browsing

DOCS = Path(__file__).parents[1] / "docs"
EXTENSIONS = "myst_parser,sphinx.ext.autodoc,sphinx_copybutton"
FOUND = "[...document.querySelectorAll('#search-results ul.search > li a')].map(a => a.innerText)"
WAIT = """new Promise(done => setInterval(() => {
    if (/[0-9]+ page/.test(document.querySelector('#search-results').innerText)) done()
}, 50))"""


@pytest.mark.oracle("chromium")
def test_search_without_a_server(tmp_path):
    source, built = tmp_path / "docs", tmp_path / "html"
    shutil.copytree(DOCS / "how-to", source / "how-to")
    shutil.copy(DOCS / "conf.py", source)
    pages = sorted(f"how-to/{page.stem}" for page in (DOCS / "how-to").glob("*.md"))
    (source / "index.md").write_text("# Pages\n```{toctree}\n" + "\n".join(pages) + "\n```\n")
    command = [sys.executable, "-m", "sphinx", "-Q", "-D", f"extensions={EXTENSIONS}"]
    subprocess.run([*command, str(source), str(built)], check=True)
    with browsing(tmp_path / "profile") as page:
        page.open(built / "search.html", width=1280, query="q=colleague")
        page.run(WAIT)
        assert page.run(FOUND)[0] == "Send a colleague a vendor project"
        assert page.problems == []
