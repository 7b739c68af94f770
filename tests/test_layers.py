"""The rooms of the package, and which may import which: only those below, also for type checkers, and in no circle."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "disent_runner"
LAYERS = """
    machine
    rendering
    losses networks environments
    datasets agents
    models
    runs
    loggers
    representations
    metrics
    figures
    assembly
    data_folder
    stages
    study
    sweep
    report
    commands
""".strip().splitlines()
"""From the bottom to the top; rooms of one line know nothing of each other."""
LAYER = {room: height for height, line in enumerate(LAYERS) for room in line.split()}
INNER = {"datasets": ("images", "labels"), "metrics": ("estimators",)}
"""Folders inside of a room that know nothing of the files beside them."""
MOST_ROOMS = 22


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name; a package's is its __init__."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a file imports anywhere: at its top, in functions, for type checkers."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in known else node.module for name in parts}
    return names & set(known)


KNOWN = modules()
ARROWS = {name: imports(path, KNOWN) - {name} for name, path in KNOWN.items()}


def room(name: str) -> str:
    return name.removesuffix(".__main__").partition(".")[2].partition(".")[0]


def test_there_are_few_rooms_and_no_loose_modules():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    loose = {path.stem for path in PACKAGE.glob("*.py")}
    assert folders == set(LAYER)
    assert loose == {"__init__", "__main__"}
    assert len(folders | loose) <= MOST_ROOMS


def test_imports_run_downwards():
    arrows = [(name, other) for name in KNOWN for other in sorted(ARROWS[name]) if room(name) and room(other)]
    assert len(arrows) > 500
    for name, other in arrows:
        rises = LAYER[room(other)] > LAYER[room(name)]
        assert not rises, f"{name} imports {other}, which lies above it"
        is_beside = room(other) != room(name) and LAYER[room(other)] == LAYER[room(name)]
        assert not is_beside, f"{name} imports {other}, which lies beside it"


def test_there_is_no_circle():
    try:
        TopologicalSorter(ARROWS).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_inner_folders_know_nothing_of_what_stands_beside_them():
    for outer, folders in INNER.items():
        above = f"disent_runner.{outer}"
        files = {name for name in KNOWN if name.startswith(f"{above}.") and name.count(".") == 2} - {above}
        for name in KNOWN:
            if name.startswith(tuple(f"{above}.{folder}." for folder in folders)):
                assert not ARROWS[name] & files, f"{name} imports {ARROWS[name] & files}"


def test_only_assembly_instantiates_and_only_runs_open_their_files():
    for name, path in KNOWN.items():
        text = path.read_text()
        assert "import instantiate" not in text or room(name) == "assembly", name
        for file in ('"config.yaml"', '"metrics.json"', '"train.csv"', '"codes.h5"', '"status.json"'):
            assert file not in text or room(name) == "runs", f"{name} names {file}"
