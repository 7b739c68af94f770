"""The pages of docs/metrics, and where what they show is kept."""

import importlib
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from disent_runner.machine.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
CONF, PAGES, TESTS = ROOT / "conf" / "metric", ROOT / "docs" / "metrics", ROOT / "tests"

Arrays = dict[str, np.ndarray]


def fill(page: Path, mark: str, content: str) -> None:
    """Put content between a page's two markers. ValueError where they are not."""
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
    text, count = re.subn(
        pattern, lambda match: f"{match[1]}\n{content}\n{match[2]}", page.read_text(encoding="utf-8"), flags=re.S
    )
    if count != 1:
        raise ValueError(f"{page} needs the lines <!-- {mark} --> and <!-- /{mark} --> once, got them {count} times")
    write_whole(page, text)


def load(path: Path) -> Arrays:
    with np.load(path) as arrays:
        return dict(arrays)


# cases


@cache
def conftest() -> Any:
    """The fixtures of the tests, for their grids and codes."""
    sys.path.insert(0, str(ROOT))
    return importlib.import_module("tests.metrics.conftest")
