"""Check the tests of losses and metrics: change their code in one small place, and see whether a test then fails.

python scripts/mutants.py                           a hundred and more mutants, each against its module's own test file
python scripts/mutants.py --only losses/ mig sap    of the modules whose path contains one of these
python scripts/mutants.py --seed 1 --per-module 5   another choice of mutants, more of them
python scripts/mutants.py --jobs 2 --least 0.95     two at a time; exit code 1 if a smaller share is killed

Mutants come from the syntax tree of each module, so they follow the code wherever it goes: a sign, a constant, an axis,
a logarithm, an off by one, swapped arguments or a dropped term, in the body of a function. Checks of what users pass,
messages, defaults and annotations stay. Each mutant runs in a copy of the tree, slow tests last, up to the first test
that fails; a mutant on which they hang or crash is killed as well.
"""

import argparse
import itertools
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
from scripts.mutations import Mutant, derive

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src", "disent_runner")
FOLDERS = ["src", "tests", "conf", "scripts", "docs"]
PRELOADED = ["pytest", "torch", "numpy", "scipy.stats", "sklearn.ensemble", "pytorch_lightning", "h5py", "beartype"]

EQUIVALENT: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("equivalent_mutants.toml").read_text(encoding="utf-8")
)
"""Mutants that change no result, by the name of their module, with the reason: they are not counted."""


def modules(only: Sequence[str] = ("",)) -> list[Path]:
    """Losses and metrics whose path contains one of these texts, relative to the tree."""
    paths = (path for part in ("losses", "metrics") for path in sorted((ROOT / PACKAGE / part).rglob("*.py")))
    chosen = (path.relative_to(ROOT) for path in paths if path.stem != "__init__")
    return [path for path in chosen if any(part in str(path) for part in only)]


def test_file(module: Path) -> Path:
    return Path("tests") / module.relative_to(PACKAGE).with_name(f"test_{module.name}")


class SlowLast:
    """A plug-in of pytest: most mutants then die before a slow test begins."""

    @staticmethod
    def pytest_collection_modifyitems(items: list[Any]) -> None:
        items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def run_tests(tree: str, test: str) -> None:
    """End this process, one of its own, with what pytest says of the test file in this tree."""
    os.setsid()
    os.chdir(tree)
    os.environ |= {"PYTHONPATH": f"{tree}/src", "OMP_NUM_THREADS": "1"}
    sys.path.insert(0, f"{tree}/src")
    with Path("output.txt").open("w", encoding="utf-8") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    import pytest

    arguments = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not gpu and not data", test]
    code = int(pytest.main(arguments, plugins=[SlowLast()]))
    imported = getattr(sys.modules.get("disent_runner"), "__file__", None) or tree
    sys.exit(code if imported.startswith(tree) else int(pytest.ExitCode.USAGE_ERROR))


class Outcome(NamedTuple):
    """Exit code of pytest, below zero if a signal ended it, and how long that took."""

    code: int
    seconds: float


class Copies:
    """Copies of the tree, one for each of the runs that there may be at a time."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.context = multiprocessing.get_context("forkserver")  # which has imported what takes long
        self.context.set_forkserver_preload(PRELOADED)
        self.stamps = itertools.count(1)
        self.free: SimpleQueue[Path] = SimpleQueue()
        for copy in (folder / str(job) for job in range(jobs)):
            for name in FOLDERS:
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / "pyproject.toml", copy)
            self.free.put(copy)

    def run(self, module: Path, text: str | None = None, *, limit: float = 600) -> Outcome:
        """The module's test file, with another text of the module or with its own."""
        tree = self.free.get()
        source, saved = tree / module, tree / "saved.py"
        shutil.copy2(source, saved)
        if text is not None:
            source.write_text(text, encoding="utf-8")
            stamp = next(self.stamps)
            os.utime(source, (stamp, stamp))  # no byte code of another mutant has this time
        try:
            return self._outcome(tree, test_file(module), limit, is_plain=text is None)
        finally:
            saved.replace(source)
            self.free.put(tree)

    def _outcome(self, tree: Path, test: Path, limit: float, *, is_plain: bool) -> Outcome:
        began = time.monotonic()
        process = self.context.Process(target=run_tests, args=(str(tree), str(test)))
        process.start()
        process.join(limit)
        if process.exitcode is None:
            os.killpg(process.pid or 0, signal.SIGKILL)
            process.join()
        code = process.exitcode or 0
        if code and (is_plain or code in (4, 5)):  # pytest's own codes of a wrong call and of no tests
            raise RuntimeError(f"{test} fails without a mutant:\n{(tree / 'output.txt').read_text(encoding='utf-8')}")
        return Outcome(code, time.monotonic() - began)


class Verdict(NamedTuple):
    mutant: Mutant
    word: str  # killed, SURVIVED or equivalent
    seconds: float

    def line(self) -> str:
        path, line, kind, before, after, _ = self.mutant
        return f"{self.word:<10} {path}:{line}  {kind}  {before}  →  {after}  ({self.seconds:.1f} s)"


def verdicts(module: Path, copies: Copies, *, count: int, seed: int) -> list[Verdict]:
    """Of each mutant of a module. RuntimeError where its tests fail without one."""
    mutants = derive((ROOT / module).read_text(encoding="utf-8"), module, count=count, seed=seed)
    if not mutants:
        return []
    plain = copies.run(module)
    results = []
    for mutant in mutants:
        if mutant.key() in EQUIVALENT:
            results.append(Verdict(mutant, "equivalent", 0.0))
            continue
        outcome = copies.run(module, mutant.text, limit=30 + 4 * plain.seconds)
        results.append(Verdict(mutant, "killed" if outcome.code else "SURVIVED", outcome.seconds))
    return results


def summary(words: Counter[tuple[str, str]]) -> tuple[str, float]:
    """Counts by kind, and the share of mutants that the tests kill."""
    rows = ["| kind | mutants | killed |", "| --- | --- | --- |"]
    killed = {kind: words[kind, "killed"] for kind, _ in sorted(words)}
    total = {kind: killed[kind] + words[kind, "SURVIVED"] for kind in killed}
    rows += [f"| {kind} | {total[kind]} | {killed[kind]} |" for kind in total]
    share = sum(killed.values()) / max(sum(total.values()), 1)
    equivalent = sum(number for (_, word), number in words.items() if word == "equivalent")
    counts = f"{sum(killed.values())} of {sum(total.values())} mutants killed ({share:.1%})"
    return "\n".join([*rows, "", f"{counts}; {equivalent} equivalent, not counted"]), share


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-module", type=int, default=3, help="mutants of each module, at most (3)")
    parser.add_argument("--seed", type=int, default=0, help="of their choice (0)")
    parser.add_argument("--only", nargs="+", default=[""], metavar="PART", help="modules whose path contains a part")
    parser.add_argument("--jobs", type=int, default=1, help="test runs at a time (1)")
    parser.add_argument("--least", type=float, default=0.95, help="share to be killed (0.95)")
    options = parser.parse_args()
    began, words = time.monotonic(), Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = Copies(Path(folder).resolve(), options.jobs)
        check = partial(verdicts, copies=copies, count=options.per_module, seed=options.seed)
        for verdict in itertools.chain.from_iterable(pool.map(check, modules(options.only))):
            print(verdict.line(), flush=True)
            words[verdict.mutant.kind, verdict.word] += 1
    text, share = summary(words)
    print(f"\n{text}, {time.monotonic() - began:.0f} s")
    sys.exit(share < options.least)


if __name__ == "__main__":
    main()
