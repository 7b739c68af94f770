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
import ast
import itertools
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src", "disent_runner")
FOLDERS = ["src", "tests", "conf", "scripts", "docs"]
PRELOADED = ["pytest", "torch", "numpy", "scipy.stats", "sklearn.ensemble", "pytorch_lightning", "h5py", "beartype"]

EQUIVALENT: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("equivalent_mutants.toml").read_text(encoding="utf-8")
)
"""Mutants that change no result, by the name of their module, with the reason: they are not counted."""

RENAMED = {
    "log": ("log", "log1p"),
    "exp": ("exp", "expm1"),
    "expm1": ("exp", "exp"),
    "min": ("min/max", "max"),
    "max": ("min/max", "min"),
    "minimum": ("min/max", "maximum"),
    "maximum": ("min/max", "minimum"),
    "argmin": ("min/max", "argmax"),
    "argmax": ("min/max", "argmin"),
    "sum": ("sum/mean", "mean"),
    "mean": ("sum/mean", "sum"),
}
REMOVED = {"log": "log", "abs": "abs", "sqrt": "root", "square": "root"}
COMMUTATIVE = {"min", "max", "minimum", "maximum", "array_equal"}
REDUCTIONS = {*RENAMED, "softmax", "log_softmax", "logsumexp", "any", "all", "std", "var", "cumsum", "squeeze"}
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ORDERED = (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult, ast.Pow)
SIZE, FLOOR = 1_000, 1e-6  # from this on a constant is a mere size, and up to this one a floor against rounding
ENOUGH = 24  # letters that tell a reader which place is meant


class Place(NamedTuple):
    """Where a node hangs in its tree."""

    parent: ast.AST
    field: str
    position: int | None

    @property
    def node(self) -> Any:
        value = getattr(self.parent, self.field)
        return value if self.position is None else value[self.position]

    def put(self, node: ast.AST) -> None:
        if self.position is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.position] = node


class Change(NamedTuple):
    """Another node for a place, and what kind of mutation that is."""

    kind: str
    place: Place
    node: ast.AST


class Mutant(NamedTuple):
    """A module with one change; `before` and `after` are that place with a bit of what is around it."""

    path: Path
    line: int
    kind: str
    before: str
    after: str
    text: str

    def key(self) -> str:
        """Its name in the table of equivalents."""
        return f"{self.path.stem}: {self.before} → {self.after}"


def places(node: ast.AST) -> Iterator[Place]:
    for field, value in ast.iter_fields(node):
        for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield Place(node, field, position)


def changeable(node: ast.AST, *, is_body: bool = False) -> Iterator[Place]:
    """Every place in the body of a function, but for checks of what users pass, messages, defaults and annotations."""
    for place in places(node):
        if not _stays(place):
            inside = is_body or (isinstance(node, ast.FunctionDef) and place.field == "body")
            if inside:
                yield place
            if not _is_negative(place.node):
                yield from changeable(place.node, is_body=inside)


def _stays(place: Place) -> bool:
    match place.node:
        case ast.arguments() | ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.If(body=[ast.Raise()]):
            return True
        case ast.FunctionDef(name=name) | ast.Call(func=ast.Name(id=name)) if "require_" in name:
            return True
    return place.field in ("annotation", "returns", "decorator_list")


def _is_negative(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)


def changes(place: Place) -> Iterator[Change]:
    """The mutations of one place."""
    for kind, node in _variants(place):
        yield Change(kind, place, node)


def _variants(place: Place) -> Iterator[tuple[str, ast.AST]]:
    match place.node:
        case ast.BinOp() as node:
            yield from _of_operation(node)
        case ast.AugAssign(op=op) as node if type(op) in OPERATORS:
            yield "operator", _with(node, op=OPERATORS[type(op)]())
        case ast.Compare(ops=[op, *others]) as node if type(op) in COMPARISONS:
            yield "off by one", _with(node, ops=[COMPARISONS[type(op)](), *others])
        case ast.UnaryOp(op=ast.USub()) if _is_axis(place):
            yield "axis", ast.Constant(0)
        case ast.UnaryOp(op=ast.USub(), operand=operand) as node:
            yield "sign", operand
            if isinstance(operand, ast.Constant) and isinstance(operand.value, int | float):
                yield from ((kind, _with(node, operand=other)) for kind, other in _of_constant(operand.value))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield from _of_constant(value, is_axis=_is_axis(place))
        case ast.Call() as node:
            yield from _of_call(node)


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    if type(node.op) in OPERATORS:
        yield "operator", _with(node, op=OPERATORS[type(node.op)]())
    if isinstance(node.op, ast.Add | ast.Sub):
        yield "dropped term", node.left
    if isinstance(node.op, ast.Add):
        yield "dropped term", node.right
    if isinstance(node.op, ORDERED):
        yield "swapped", _with(node, left=node.right, right=node.left)


def _of_constant(value: float, *, is_axis: bool = False) -> Iterator[tuple[str, ast.AST]]:
    if is_axis:
        yield "axis", ast.Constant(int(value == 0))
    elif isinstance(value, int) and value < SIZE:
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, float) and (value == 0 or value > FLOOR):
        yield "constant", ast.Constant(2 * value or 1.0)


def _of_call(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = _called(node)
    is_method = isinstance(node.func, ast.Attribute)
    if name in RENAMED and (is_method or name in ("min", "max")):
        kind, other = RENAMED[name]
        yield kind, _with(node, func=_with(node.func, **{"attr" if is_method else "id": other}))
    if name in REMOVED:
        yield REMOVED[name], node.args[0] if node.args else _with(node.func).value
    match node.args:
        case [first, second, *others] if name not in COMMUTATIVE and not _is_given((first, second)):
            yield "swapped", _with(node, args=[second, first, *others])


def _is_given(arguments: tuple[ast.expr, ast.expr]) -> bool:
    """Whether the two arguments cannot sensibly change places."""
    return any(isinstance(argument, ast.Constant | ast.Starred | ast.Lambda) for argument in arguments)


def _is_axis(place: Place) -> bool:
    match place.parent:
        case ast.keyword(arg="axis" | "dim"):
            return True
        case ast.Call(func=ast.Attribute(value=value)) as call:
            is_function = isinstance(value, ast.Name) and value.id in ("np", "torch", "math")
            return _called(call) in REDUCTIONS and place.field == "args" and place.position == int(is_function)
    return False


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _with(node: Any, **fields: Any) -> Any:
    """A copy of the node with other fields, and the same children."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def choose(candidates: list[Change], count: int, rng: random.Random) -> list[Change]:
    """Some of the changes, of as many kinds as there are; those of a larger choice include those of a smaller one."""
    by_kind: dict[str, list[Change]] = defaultdict(list)
    for change in rng.sample(candidates, len(candidates)):
        by_kind[change.kind].append(change)
    kinds = sorted(by_kind)
    rng.shuffle(kinds)
    longest = max(map(len, by_kind.values()), default=0)
    return [by_kind[kind][turn] for turn in range(longest) for kind in kinds if turn < len(by_kind[kind])][:count]


def derive(source: str, path: Path, *, count: int, seed: int = 0) -> list[Mutant]:
    """The mutants of a module, the same ones on every call and wherever it lies, in the order of its lines."""
    tree = ast.parse(source)
    candidates = [change for place in changeable(tree) for change in changes(place)]
    chosen = choose(candidates, count, random.Random(f"{seed} {path.stem}"))
    parents = {id(place.node): place for node in ast.walk(tree) for place in places(node)}
    return sorted(_mutant(tree, path, change, parents) for change in chosen)


def _mutant(tree: ast.Module, path: Path, change: Change, parents: dict[int, Place]) -> Mutant:
    node, around = change.place.node, change.place
    while len(ast.unparse(around.node)) < ENOUGH and not isinstance(around.node, ast.stmt):
        if hasattr(around.parent, "body"):
            break
        around = parents[id(around.parent)]
    before = ast.unparse(around.node).strip()
    change.place.put(change.node)
    after, text = ast.unparse(around.node).strip(), ast.unparse(tree)
    change.place.put(node)
    return Mutant(path, node.lineno, change.kind, before, after, text + "\n")


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
