"""What the documentation prints: commands, Python and YAML of every page, and `disent-run` that only plans."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = ("", "sh", "bash", "console")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`((?:(?:disent-\w+|python|make|pip) [^`\n]+)|scripts/[^`\s]+)`")


class Block(NamedTuple):
    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.text.strip().splitlines()[0][:60]}"


def blocks() -> list[Block]:
    return [Block(page, *found) for page in PAGES for found in _BLOCK.findall(page.read_text(encoding="utf-8"))]


def commands() -> list[str]:
    """Every command line of a shell's block or in the text, once, as typed."""
    lines = [line for block in blocks() if block.language in SHELL for line in _lines(block.text)]
    for page in PAGES:
        text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
        lines += [" ".join(span.replace("\\|", "|").split()) for span in _SPAN.findall(text)]
    return list(dict.fromkeys(lines))


def words(command: str) -> list[str]:
    """As bash parts them, without a comment."""
    return shlex.split(command, comments=True)


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            yield " ".join(shlex.join(words(line)).split()) if "$" not in line else line.split("  ")[0]


def plan() -> None:
    """`disent-run` up to where work would begin: it says how many runs there would be.

    Of a search the first dozen trials: its sampler draws ten, and chooses from then on.
    """
    import dataclasses

    import disent_runner.stages.job
    import disent_runner.stages.parents
    import disent_runner.sweep.judging
    import disent_runner.sweep.objective
    import disent_runner.sweep.run
    import disent_runner.sweep.search
    from disent_runner.commands.run import run

    def planned(jobs: Any, *_: Any, **__: Any) -> None:
        print(len(jobs), "runs planned")

    search_of = disent_runner.sweep.search.search_of

    def begun(*asked: Any) -> disent_runner.sweep.search.Search:
        search = search_of(*asked)
        return dataclasses.replace(search, num_trials=min(search.num_trials, 12))

    disent_runner.sweep.search.search_of = begun
    disent_runner.stages.job.run_job = lambda config, *_, **__: print("a run of", *config.stages, "planned")
    disent_runner.stages.parents.train_missing = lambda *_, **__: None
    disent_runner.sweep.run.run_sweep = planned
    disent_runner.sweep.run.say_next = lambda *_: None
    disent_runner.sweep.judging.judge_sweep = lambda *_, **__: None
    disent_runner.sweep.objective.objective = lambda *_: 0.0
    run()
    sys.stdout.flush()
