"""Values with characters that Hydra's grammar has no words for."""

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from disent_runner.assembly.typed import as_read, mistake


def read(argument):
    """What Hydra understands: each value of a sweep in a tuple."""
    (override,) = OverridesParser.create().parse_overrides([as_read(argument)])
    if override.is_sweep_override():
        return tuple(override.sweep_string_iterator())
    return override.value()


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("seed=1", 1),
        ("seed=0,1", ("0", "1")),
        ("metric=[mig, sap]", ["mig", "sap"]),
        ("dataset.subset={scale: 2, shape: 3}", {"scale": 2, "shape": 3}),
        ("representation=köln.npz", "köln.npz"),
        ("representation=codes (1).npz", "codes (1).npz"),
        ("representation=a#1&b;c!.npz", "a#1&b;c!.npz"),
        ("representation=a=1.npz", "a=1.npz"),
        ("run=out/seed=0/checkpoints/step=5.pt", "out/seed=0/checkpoints/step=5.pt"),
        ("run=outputs/größe/seed=0", "outputs/größe/seed=0"),
        ("factors=[größe, x]", ["größe", "x"]),
        ("representation=ä.npz,b.npz", ('"ä.npz"', "b.npz")),
        ("dataset.path='~/ä'", "~/ä"),
        ("x=", ""),
    ],
)
def test_what_can_mean_one_thing_is_taken(argument, value):
    assert read(argument) == value


@pytest.mark.parametrize("name", ["a,b.npz", "codes[64].npz", "{a}.npz", "f(1).npz"])
def test_the_name_of_a_file_that_is_here_is_that_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).touch()
    assert read(f"representation={name}") == name


def test_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/at/jürgen (x)")
    assert read("output_root=~") == "/at/jürgen (x)"
    assert read("dataset.path=~/a.npz") == "/at/jürgen (x)/a.npz"
    assert read("representation=~/a.npz,~/b.npz") == ('"/at/jürgen (x)/a.npz"', '"/at/jürgen (x)/b.npz"')
    assert as_read("--config-dir=~/conf") == "--config-dir=/at/jürgen (x)/conf"
    assert read("x=a~b") == "a~b"


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("seed=1\r", "a carriage return (\\r)"),
        ("\ufeffseed=1", "'\\ufeff' (zero width no-break space)"),
        ("seed=1\u200b", "'\\u200b' (zero width space)"),
        ("größe=3", "no key has ö (latin small letter o with diaeresis) in its name"),
        ("seed", "expected key=value"),
        ("metric=[mig,", "[ and ] do not match"),
        ("seed=range(5", "( and ) do not match"),
        ("seed=range(a)", "a text with parentheses is quoted: 'seed=\"range(a)\"'"),
        ("x='a", "a quote is not closed"),
        (
            "dataset.subset={größe: 2}",
            "ö (latin small letter o with diaeresis) cannot stand between { and }",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_character(argument, told):
    with pytest.raises(OverrideParseException) as error:
        read(argument)
    said = mistake(error.value)
    assert told in said
    assert "http" not in said


def test_the_quoted_form_that_is_advised_works(monkeypatch):
    with pytest.raises(OverrideParseException) as error:
        read("x=f(ä)")
    advised = mistake(error.value).rpartition("quoted: ")[2]
    (argument,) = shlex.split(advised)
    assert read(argument) == "f(ä)"


@pytest.mark.parametrize(
    ("typed", "passed_on"),
    [
        ("run=out/seed=0/checkpoints/step=5.pt", r"run=out/seed\=0/checkpoints/step\=5.pt"),
        ("run=seed=0", r"run=seed\=0"),
        ("run=a/seed=0,b/seed=1", r"run=a/seed\=0,b/seed\=1"),
        ("metric.udr.runs=[a/seed=0,b/seed=1]", r"metric.udr.runs=[a/seed\=0,b/seed\=1]"),
        ("representation=lr=3/codes.npz", r"representation=lr\=3/codes.npz"),
        ("run='a/seed=0'", "run='a/seed=0'"),
        (r"run=a/seed\=0", r"run=a/seed\=0"),
        ("seed=range(3)", "seed=range(3)"),
        ("--config-dir=a/seed=0", "--config-dir=a/seed=0"),
        ("-m", "-m"),
    ],
)
def test_paths_of_runs_need_no_quoting(typed, passed_on):
    assert as_read(typed) == passed_on
