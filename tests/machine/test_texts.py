import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disent_runner.machine.csv_text import csv_text
from disent_runner.machine.markdown import markdown_text
from disent_runner.machine.texts import file_stem, hanging, printable

HOSTILE = [
    "../../x",
    "a/b",
    "",
    "..",
    ".hidden",
    "|",
    "$\\frac{",
    "a\0b",
    "x" * 9000,
    "é" * 90,
    "\x1b[31m",
    "\u202eb",
    "\udcff",
]


@pytest.mark.parametrize("name", ["shape", "pos_x", "a.b-c", "größe", "__proto__"])
def test_an_ordinary_name_is_itself_in_a_file_s_name(name):
    assert file_stem(name) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_becomes_a_file_in_the_folder(tmp_path, name):
    stem = file_stem(name)
    path = tmp_path / f".novel_views_{stem}.png.{'host' * 16}.1234567.partial"
    path.write_bytes(b"")
    assert (tmp_path / stem).parent == tmp_path
    assert list(tmp_path.iterdir()) == [path]


def test_no_two_names_are_one_file():
    names = [*HOSTILE, "a_b", "a b", "a/b ", "a|b", "x" * 9001]
    assert len({file_stem(name) for name in names}) == len(names)


@given(st.text())
@example("a\nb\r\x1b]0;x\x07\u2028\u202e\x9b1m\ud800")
def test_what_is_printed_is_in_one_line_and_obeyed_by_nothing(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert all(ord(character) >= 32 and not 127 <= ord(character) < 160 for character in shown)
    shown.encode()


def test_a_long_name_is_cut():
    assert printable("x" * 100, most=5) == "xxxx…"


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "  =1", "＝1", "=cmd|' /C calc'!A0"])
def test_a_formula_is_text_in_a_spreadsheet(text):
    assert csv_text([[text]]).strip('"\n').startswith("'")


def test_numbers_and_names_are_as_they_are():
    assert csv_text([["a\x1b[31m\nb"]]) == "a\\x1b[31m\\nb\n"
    rows = [["name", "value"], ["mig", -0.5], ["elbo", "-1.5e-3"], ["", None], ["a, b", True], ["a=b", "–"]]
    assert csv_text(rows) == 'name,value\nmig,-0.5\nelbo,-1.5e-3\n,\n"a, b",True\na=b,–\n'


@pytest.mark.parametrize(
    "text",
    ["![x](http://a/b.png)", "[x](y)", "<img src=x>", "**b**", "_e_", "__proto__", "a | b", "`c`", "$x$", "~~s~~"],
)
def test_markdown_in_a_text_is_shown_and_not_obeyed(text):
    shown = markdown_text(text)
    assert re.sub(r"\\(.)", r"\1", shown) == text
    assert not re.search(r"(?<!\\)[\[\]<>*`|$~]|(?<![\w\\])_|(?<!\\)_(?!\w)", shown)


def test_a_name_of_ours_stays_readable_in_markdown():
    assert markdown_text("model.lambda_od = 4, a-b.c") == "model.lambda_od = 4, a-b.c"


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (None, ["  name  one two-three four"]),
        (30, ["  name  one two-three four"]),
        (18, ["  name  one", "        two-three", "        four"]),
        (5, ["  name  one", "        two-three", "        four"]),
    ],
)
def test_a_text_goes_on_below_itself(columns, lines):
    assert hanging("  name  ", "one two-three four", columns).splitlines() == lines


@pytest.mark.parametrize("columns", [None, 30])
def test_a_head_without_a_text_is_alone(columns):
    assert hanging("  name  ", "", columns) == "  name"
