"""Options among settings, and what only looks like one."""

import re
from importlib.metadata import version

import pytest

from disent_runner.assembly.conf import CONF
from disent_runner.commands import data, report
from disent_runner.commands.help import help_text
from disent_runner.commands.options import check_mode, in_order, path, without_comment


@pytest.mark.parametrize(
    ("typed", "ordered"),
    [
        (["model=vae", "seed=1"], ["model=vae", "seed=1"]),
        (["--config-dir", "conf", "model=vae"], ["--config-dir", "conf", "model=vae"]),
        (["model=vae", "-m", "seed=1,2"], ["-m", "model=vae", "seed=1,2"]),
        (
            ["a=1", "--config-dir", "c", "b=2", "--cfg=job", "a.x=3"],
            ["--config-dir", "c", "--cfg=job", "a=1", "b=2", "a.x=3"],
        ),
    ],
)
def test_options_may_stand_anywhere_among_settings(typed, ordered):
    assert in_order(typed) == ordered


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (
            ["--model.beta=4"],
            "--model.beta=4: no such option; settings have no hyphens: model.beta=4 (in the command of a",
        ),
        (["logger=wandb", "--model.beta", "4"], "settings have no hyphens: model.beta=4 (in"),
        (["--trainer.compile", "seed=1"], "settings have no hyphens: trainer.compile=… (in"),
        (["-1=3"], "-1=3: no such option; --hydra-help lists them"),
        (["--cfg", "jobs"], "invalid choice: 'jobs'"),
        (["--config-dir"], "expected one argument"),
    ],
)
def test_what_is_no_option_is_said_with_the_setting_that_is_meant(typed, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        in_order(typed)


@pytest.mark.parametrize("parser", [data.parser, report.parser])
def test_the_version_is_ours(parser, capsys):
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args(["--version"])
    assert capsys.readouterr().out == f"disent-runner {version('disent-runner')}\n"


def test_what_stands_behind_a_number_sign_is_a_comment():
    assert without_comment(["outputs", "#", "mean", "±", "std"]) == ["outputs"]
    assert without_comment(["model.name=#1", "a=b#"]) == ["model.name=#1", "a=b#"]


@pytest.mark.parametrize(
    "text",
    [
        help_text(CONF, 80),
        report.parser().epilog,
        report.parser().description,
        data.parser().epilog,
        data.parser().description,
    ],
)
def test_help_fits_into_eighty_columns(text):
    assert [line for line in text.splitlines() if len(line) > 80] == []


def test_help_that_is_piped_has_each_choice_in_a_line():
    assert help_text(CONF, 80).split() == help_text(CONF).split()
    assert any(len(line) > 120 for line in help_text(CONF).splitlines())


@pytest.mark.parametrize("word", ["hydra/launcher=slurm", "hydra/sweeper=optuna"])
def test_how_many_runs_are_done_is_not_said_of_one(word):
    with pytest.raises(ValueError, match=f"^{word}: that is how many runs are done, and this is one; add -m$"):
        check_mode([word, "model=vae"])
    for others in (["-m"], ["--cfg", "job"], ["sweep=beta"], ["+experiment=chen2018/bias"]):
        check_mode([*others, word])


def test_a_path_is_read_as_a_shell_reads_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path("~/runs") == tmp_path / "runs"
    assert str(path("~nobody-of-that-name/runs")) == "~nobody-of-that-name/runs"
    assert report.parser().parse_args(["~/a", "--out=~/b"]).out == tmp_path / "b"
    assert data.parser().parse_args(["info", "blob", "--config-dir=~/c"]).config_dir == tmp_path / "c"


@pytest.mark.parametrize(
    ("parser", "typed", "said"),
    [
        (data.parser, ["verify"], "disent-data verify: the following arguments are required: DATASET; disent-data ver"),
        (data.parser, ["convert", "blob"], "invalid choice: 'convert'"),
        (data.parser, ["prepare", "blob", "--data-dir="], "argument --data-dir: expected a path, got an empty text"),
        (data.parser, ["list", "--config-dir", __file__], "is no folder"),
        (report.parser, [""], "argument FOLDER: expected a path, got an empty text"),
        (report.parser, ["a", "--format=html"], "unrecognized arguments: --format=html"),
    ],
)
def test_mistakes_of_use_are_one_line(parser, typed, said, capsys):
    with pytest.raises(SystemExit) as ending:
        parser().parse_args(typed)
    printed = capsys.readouterr().err
    assert ending.value.code == 2
    assert said in printed
    assert printed.count("\n") == 1
