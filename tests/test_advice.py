"""What we print for people to copy into a shell: zsh and fish give brackets, braces and stars their own meaning."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from disent_runner.commands.help import help_text
from tests.printed import PAGES, ROOT

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_BARE = re.compile(r"(?:^|(?<=[\s`(]))[+~]?[a-z_][\w./]*=[\w.,:/ -]*?[\[{*?]")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def bare(text: str) -> list[str]:
    """Settings in a text that a shell would take for patterns, each with what stands around it."""
    return [text[max(found.start() - 20, 0) : found.end() + 20] for found in _BARE.finditer(_QUOTED.sub("''", text))]


def messages(source: str) -> Iterator[str]:
    """Every text of several words in a module but its docstrings; what is filled in later is the word `key`."""
    return (text for text in _texts(ast.parse(source)) if " " in text.strip())


def _texts(tree: ast.Module) -> Iterator[str]:
    passed_over = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "key" for part in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over:
            yield node.value


@pytest.mark.parametrize(
    ("text", "is_bare"),
    [
        ("choose others with factors=[…]", True),
        ("choose others with 'factors=[…]'", False),
        ("say dataset.key=[…]", True),
        ("periods={hue: 10}", True),
        ("metric=fast, or split=random", False),
        ("got fraction=key and count=[]", True),
    ],
)
def test_what_counts_as_bare(text, is_bare):
    assert bool(bare(text)) == is_bare


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: path.stem)
def test_a_message_quotes_what_a_shell_would_take_for_a_pattern(path: Path):
    assert [found for text in messages(path.read_text(encoding="utf-8")) for found in bare(text)] == []


def test_so_do_help_and_pages():
    pages = [_CODE.sub("", page.read_text(encoding="utf-8")) for page in PAGES]
    conf = [
        line
        for path in sorted((ROOT / "conf").rglob("*.yaml"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    ]
    spans = [span for page in pages for span in re.findall(r"`([^`\n]+)`", page)]
    assert [found for text in [help_text(ROOT / "conf"), *conf, *spans] for found in bare(text)] == []
