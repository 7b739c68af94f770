"""Mutants of a module, from its syntax tree: a sign, a constant, an axis, an off by one, swapped arguments, …"""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

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
