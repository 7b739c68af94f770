"""What the documentation shows runs as it is printed."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs").rglob("*.ipynb"))


def cells(notebook: Path) -> list[str]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in cells(notebook):
        exec(compile(cell, str(notebook), "exec"), names)


def test_notebooks_hold_no_outputs():
    """They would tell of another version."""
    for notebook in NOTEBOOKS:
        content = json.loads(notebook.read_text())
        assert not any(cell.get("outputs") for cell in content["cells"]), notebook


def test_every_link_to_a_file_leads_to_one():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
