"""The mutation check takes its mutants from the syntax tree, the same ones on every call, and counts what is killed."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from scripts import mutants

SOURCE = '''
"""Half of 1 - 2."""
SIZE = 2 + 3


@cached(1 + 1)
def gap(codes: Float[Tensor, 2 - 1], first: int = 1 + 1) -> Float[Tensor, 2 - 1]:
    """Of 1 + 1."""
    require_at_least("gap", 1 + 1)
    if first < 1:
        raise ValueError(f"at least {1 + 1}")
    return STATEMENT
'''


def derived(expression: str) -> set[tuple[str, str]]:
    """Kind and expression of each mutant of the one that a function returns."""
    expressions = set()
    for mutant in mutants.derive(SOURCE.replace("STATEMENT", expression), Path("x.py"), count=100):
        rest, _, text = mutant.text.strip().rpartition("return ")
        assert rest == ast.unparse(ast.parse(SOURCE)).rpartition("return ")[0]
        assert mutant.line == SOURCE[: SOURCE.index("STATEMENT")].count("\n") + 1
        expressions.add((mutant.kind, text))
    return expressions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {("operator", "a - b"), ("dropped term", "a"), ("dropped term", "b")}),
        ("a - b", {("operator", "a + b"), ("dropped term", "a"), ("swapped", "b - a")}),
        ("a * b", {("operator", "a / b")}),
        ("a / b", {("operator", "a * b"), ("swapped", "b / a")}),
        ("a < b", {("off by one", "a <= b")}),
        ("a >= b", {("off by one", "a > b")}),
        ("-a", {("sign", "a")}),
        ("a[-1]", {("sign", "a[1]"), ("constant", "a[-2]")}),
        ("(0.5, 0.0, 1)", {("constant", text) for text in ("(1.0, 0.0, 1)", "(0.5, 1.0, 1)", "(0.5, 0.0, 2)")}),
        ("(1e-12, 10_000, True, 'text', None)", set()),
        ("f(a, axis=0)", {("axis", "f(a, axis=1)")}),
        ("f(a, dim=-1)", {("axis", "f(a, dim=0)")}),
        ("a.sum(1)", {("axis", "a.sum(0)"), ("sum/mean", "a.mean(1)")}),
        ("np.max(a, 0)", {("axis", "np.max(a, 1)"), ("min/max", "np.min(a, 0)")}),
        ("max(a, b)", {("min/max", "min(a, b)")}),
        ("sum(a)", set()),
        ("np.log(a)", {("log", "np.log1p(a)"), ("log", "a")}),
        ("a.exp()", {("exp", "a.expm1()")}),
        ("(a * b).sqrt()", {("root", "a * b"), ("operator", "(a / b).sqrt()")}),
        ("abs(a)", {("abs", "a")}),
        ("f(a, b, c)", {("swapped", "f(b, a, c)")}),
        ("f(a, *b), f(a, 'text'), np.maximum(a, b)", {("min/max", "(f(a, *b), f(a, 'text'), np.minimum(a, b))")}),
    ],
)
def test_mutants_of_an_expression(expression, expected):
    assert derived(expression) == expected


def test_a_choice_is_the_same_on_every_call_and_wherever_the_code_lies():
    lines = ["a + b", "c[0]", "f(d, axis=0)", "e < f", "-g"]
    source = "def f():\n" + "".join(f"    yield {line}\n" for line in lines)

    def chosen(text: str, path: str = "x.py", **options: int) -> list[tuple[str, str]]:
        return [(mutant.kind, mutant.after) for mutant in mutants.derive(text, Path(path), **{"count": 4, **options})]

    first = chosen(source)
    assert len({kind for kind, _ in first}) == 4
    assert chosen("# moved\n\n" + source, "estimators/x.py") == first
    assert set(chosen(source, count=2)) < set(first)
    assert any(chosen(source, seed=seed) != first for seed in range(1, 5))


def test_short_places_are_shown_with_what_is_around_them():
    (mutant,) = mutants.derive("def f():\n    for x in g():\n        y = h(x, k, 2)\n", Path("x.py"), count=1)[:1]
    assert (mutant.line, mutant.before) == (3, "y = h(x, k, 2)")


def test_every_loss_and_metric_has_its_tests_where_the_check_looks():
    for module in mutants.modules():
        source = (mutants.ROOT / module).read_text()
        assert (mutants.ROOT / mutants.test_file(module)).exists() or not mutants.derive(source, module, count=1)
    assert mutants.test_file(Path("src/disent_runner/metrics/part/x.py")) == Path("tests/metrics/part/test_x.py")


def test_the_share_leaves_out_what_is_equivalent():
    text, share = mutants.summary(
        Counter({("sign", "killed"): 3, ("sign", "SURVIVED"): 1, ("log", "killed"): 4, ("log", "equivalent"): 2})
    )
    assert share == 7 / 8
    assert text.splitlines()[2:] == [
        "| log | 4 | 4 |",
        "| sign | 4 | 3 |",
        "",
        "7 of 8 mutants killed (87.5%); 2 equivalent, not counted",
    ]


@pytest.mark.parametrize("key", mutants.EQUIVALENT)
def test_the_table_of_equivalents_names_code_that_there_is(key):
    stem, _, change = key.partition(": ")
    (module,) = (module for module in mutants.modules() if module.stem == stem)
    assert change.partition(" → ")[0] in ast.unparse(ast.parse((mutants.ROOT / module).read_text()))
