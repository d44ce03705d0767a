"""The pages of ``docs/`` for Python: their code runs, and prints what they say it prints."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["python", "tol", "topics", "images", "single-cells", "signatures"]

# A block of code, and a block of text that follows it at once: what it prints.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)


def blocks(page):
    """Return [(line, code, printed or '')] of a page."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    found = BLOCK.finditer(text)
    return [(text.count("\n", 0, b.start()) + 2, b.group(1), b.group(2) or "") for b in found]


@pytest.mark.parametrize("page", PAGES)
def test_page(page, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(ROOT)
    names = {"__name__": "__main__"}
    found = blocks(page)
    assert found
    for line, code, printed in found:
        # Lines of a traceback are those of the page.
        program = compile("\n" * (line - 1) + code, f"docs/{page}.md", "exec")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(program, names)
        assert out.getvalue() == printed, f"docs/{page}.md, code at line {line}"
