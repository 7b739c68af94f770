"""Every command, Python snippet and YAML file that the documentation prints, as it is printed.

A `disent-run` is parsed, composed and planned up to its first run, whatever it would take; what is short is really
typed. Folders and files that stand for the reader's own (RUN_FOLDER, DIR, codes.npz) are there.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from PIL import Image

from disent_runner.assembly.conf import CONF
from disent_runner.commands import report
from disent_runner.commands.help import help_text
from disent_runner.stages.job import run_job
from tests.printed import ROOT, SHELL, Block, blocks, commands, words
from tests.report.folders import score, write_run
from tests.shells import typed as typed_into
from tests.typed import run_typed

COMMANDS = commands()
SET_UPS = {shell: command for command in COMMANDS for shell in re.findall(r"install=(\w+)", command)}
OURS = [command for command in COMMANDS if command.startswith("disent-") and command not in SET_UPS.values()]
OTHERS = [command for command in COMMANDS if command not in [*OURS, *SET_UPS.values()]]
NOT_TYPED = {
    "disent-data prepare smallnorb": "the network",
    "disent-data list|info|prepare|verify|export": "names five commands",
    "disent-run model=sparsevae model.lambda_sparse=3": "trained below, with the class that CONTRIBUTING prints",
    "disent-run --config-dir DIR model=sparsevae": "likewise",
    "disent-report --watch outputs": "tests/sweep/test_watch.py",
    "disent-report 'outputs/sweeps/*'": "tests/report/test_runs.py",
    "disent-run … | head": "tests/machine/test_output.py",
    "disent-data list > FILE": "likewise",
    "disent-run --config-dir DIR sweep=search": "its file is composed below",
}
MANY_RUNS = ("hydra/launcher", "optuna", "higgins2017", "locatello2019", "_smoke 'seed", "dataset=dsprites trainer")
SLOW = {
    "disent-data export dsprites dsprites.npz": "737,280 images",
    "disent-data verify dsprites": "their hash",
    **{command: "many runs" for command in COMMANDS if any(word in command for word in MANY_RUNS)},
}
PYTHON = [block for block in blocks() if block.language == "python"]
YAML = [block for block in blocks() if block.language == "yaml" and "wandb sweep" not in block.text]  # W&B's own format


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a reader has who follows the pages."""
    folder = tmp_path_factory.mktemp("reader")
    rng = np.random.default_rng(0)
    np.savez(folder / "codes.npz", codes=rng.normal(size=(60, 3)), factors=rng.integers(3, size=(60, 3)))
    np.savez(folder / "FILE.npz", images=rng.integers(256, size=(70, 32, 32), dtype=np.uint8))
    for model in ("betavae", "factorvae"):
        for seed in (0, 1):
            write_run(folder / f"outputs/dsprites/{model}/0123abcd/seed={seed}", [score("mig", 0.1 + seed)], seed=seed)
    (folder / "DIR" / "joint").mkdir(parents=True)
    joint = (ROOT / "conf" / "joint" / "chen_uniform.yaml").read_text().replace("???", "[pos_x,pos_y]")
    (folder / "DIR" / "joint" / "mine.yaml").write_text(joint)
    return folder


@pytest.fixture(scope="module")
def concepts(reader: Path, concept_run: Path) -> Path:
    """CONCEPT_RUN, of operators on a JMVAE, and pictures of its size."""
    (reader / "CONCEPT_RUN").symlink_to(concept_run)
    for name in ("hat.png", "other.jpg"):
        Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(reader / name)
    return reader / "CONCEPT_RUN"


@pytest.fixture(scope="module")
def run(reader: Path) -> Path:
    """RUN_FOLDER, of a β-VAE."""
    small = ("dataset=blob", "network=tiny", "trainer=smoke", "trainer.max_steps=1", "metric=[mig]", "figure=[]")
    done = typed(reader, "disent-run", "model=betavae", *small, "hydra.run.dir=RUN_FOLDER", "trainer.accelerator=cpu")
    assert done.returncode == 0, done.stderr
    checkpoints = reader / "RUN_FOLDER" / "checkpoints"
    (checkpoints / "step=000300000.pt").write_bytes((checkpoints / "step=000000001.pt").read_bytes())
    return reader / "RUN_FOLDER"


def typed(folder: Path, command: str, *arguments: str, data_dir: Path | str = "data") -> subprocess.CompletedProcess:
    environment = {**os.environ, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160"}
    return run_typed(command, arguments, folder=folder, environment=environment)


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in OURS if one not in NOT_TYPED]
)
def test_a_command_of_ours_does_what_is_printed(command, reader, run, concepts, data_dir):
    name, *arguments = words(command)
    if name == "disent-report":
        folders = report.parser().parse_args(arguments).folders
        assert all((reader / folder).is_dir() for folder in folders)
        if len(arguments) > 1 or arguments == ["outputs/dsprites/betavae"]:
            return  # one of them is written
    if name == "disent-run" and arguments != ["--help"]:
        name = "planned"
    done = typed(reader, name, *arguments, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert name != "planned" or ("this run" if "--plan" in arguments else "planned") in done.stdout


def test_brackets_are_quoted_for_shells_that_give_them_a_meaning():
    lines = [line for block in blocks() if block.language in SHELL for line in block.text.splitlines()]
    bare = [
        re.sub(r"'[^']*'|\"[^\"]*\"", "", line.partition(" #")[0]) for line in [*lines, *help_text(CONF).splitlines()]
    ]
    assert [line for line in bare if line.strip().startswith("disent-run") and re.search(r"=[\w,]*[\[({]", line)] == []


@pytest.fixture(scope="module")
def saying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with programs that say what they were given, each word in brackets, a command a line."""
    folder = tmp_path_factory.mktemp("saying")
    (folder / "outputs" / "sweeps" / "0123abcd").mkdir(parents=True)
    for name in ("disent-run", "disent-data", "disent-report", "disent-concept", "make", "python"):
        (folder / name).write_text('#!/bin/sh\nprintf \'[%s]\' "${0##*/}" "$@"; echo\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "shell", [["bash", "--norc"], ["zsh", "-fis"], ["fish", "--no-config"]], ids=lambda shell: shell[0]
)
def test_what_is_pasted_means_the_same_in_every_shell(shell, saying):
    """A zsh at which somebody sits hands on comments: our commands pass over them, in which then no quote may stand."""
    lines = [
        line
        for block in blocks()
        if block.language in SHELL
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.strip() and "install=" not in line  # of one shell
    ]
    environment = {
        **os.environ,
        "PATH": f"{saying}:{os.environ['PATH']}",
        "PS1": "",
        "TERM": "dumb",
        "HOME": str(saying),
    }
    printed = typed_into(*shell, environment=environment, folder=saying, text="\n".join([*lines, ""]))
    said = re.findall(r"\[(?:disent-\w+|make|python)\].*", printed)
    expected = ["".join(f"[{word}]" for word in words(line)).replace("sweeps/*", "sweeps/0123abcd") for line in lines]
    is_ours = [line.startswith("disent-") for line in lines]
    assert [line.partition("[#]")[0] if ours else line for line, ours in zip(said, is_ours, strict=True)] == expected


def test_what_is_not_typed_is_printed_somewhere():
    assert {*NOT_TYPED, *SLOW} <= {*COMMANDS}


@pytest.mark.parametrize("shell", SET_UPS)
def test_completion_is_set_up_by_the_line_of_each_shell(shell, tmp_path):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(tmp_path)}
    asked = {"bash": "complete -p disent-run", "zsh": "print $_comps[disent-run]", "fish": "complete disent-run"}[shell]
    printed = typed_into(shell, "-c", f"{SET_UPS[shell]}\n{asked}", environment=environment, folder=tmp_path)
    assert "disent" in printed


@pytest.mark.parametrize("command", OTHERS)
def test_a_command_of_other_programs_names_what_is_there(command):
    program, *arguments = words(command)
    if program == "make":
        assert f"\n{arguments[0]}: " in (ROOT / "Makefile").read_text()
    elif program == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        _, _, extra = arguments[-1].partition("[")
        assert not extra or extra.rstrip("]") in extras
    elif arguments[:1] == ["-m"]:
        assert (ROOT / "src" / arguments[1] / "__main__.py").exists()
    else:
        assert os.access(ROOT / (arguments[0] if program == "python" else program), os.R_OK)


GIVEN = {"codes": np.random.default_rng(0).normal(size=(90, 4)), "factors": np.arange(270).reshape(90, 3) % 5}
"""What a snippet says is the reader's."""


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_runs_with_its_own_imports(block: Block, reader, run, concepts, monkeypatch):
    monkeypatch.chdir(reader)
    names = {**GIVEN, "images": np.zeros((3, 1, 64, 64), np.float32), "__name__": "printed"}
    exec(compile(block.text, str(block), "exec"), names)


def snippet(word: str, among: list[Block]) -> str:
    (text,) = (block.text for block in among if word in block.text)
    return text


def module(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType(name)
    exec(compile(text, name, "exec"), made.__dict__)
    monkeypatch.setitem(sys.modules, name, made)
    return made


def own(folder: Path, block: str) -> Path:
    """The YAML file that a snippet's first line names, below DIR instead of conf."""
    first = block.splitlines()[0]
    path = folder / first.removeprefix("# conf/").split(",")[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block)
    return path


@pytest.mark.parametrize(
    "block", [pytest.param(one, marks=[pytest.mark.slow] * ("optuna" in one.text)) for one in YAML], ids=str
)
def test_yaml_is_composed(block: Block, tmp_path):
    folder = tmp_path / "DIR"
    if "sweeper" in block.text and "study" not in block.text:
        (folder / "sweep").mkdir(parents=True)
        (folder / "sweep" / "mine.yaml").write_text(block.text)
        done = typed(tmp_path, "planned", "--config-dir", "DIR", "sweep=mine")
        assert ("Best parameters" if "optuna" in block.text else "30 runs planned") in done.stdout, done.stderr
        return
    path = own(folder, block.text).relative_to(folder)
    group, name = path.parts[0], "/".join(path.with_suffix("").parts[1:])
    choice = {"experiment": f"+{group}={name}", "metric": f"{group}=[{name}]"}.get(group, f"{group}={name}")
    done = typed(tmp_path, "planned", "--config-dir", "DIR", choice)
    # classes of an afternoon are not there: what they do is tried below
    assert "planned" in done.stdout or re.search(r"_target_=\S+: there is no disent_runner\.", done.stderr), done.stderr


def test_the_model_of_an_afternoon_trains(composed, monkeypatch, tmp_path):
    settings = yaml.safe_load(snippet("SparseVAE\n", YAML))
    assert settings.pop("defaults") == ["_vae", "_self_"]
    name, _, class_name = settings["_target_"].rpartition(".")
    assert hasattr(module(name, snippet("class SparseVAE", PYTHON), monkeypatch), class_name)
    config = composed("model=vae", "trainer.max_steps=1", "stages=[fit]")
    config.model = {**{k: v for k, v in config.model.items() if k != "free_bits"}, **settings}
    run_job(config, tmp_path / "run")
    assert {"kl", "sparsity"} <= set((tmp_path / "run" / "train.csv").read_text().splitlines()[0].split(","))


def test_the_metric_of_an_afternoon_scores(monkeypatch):
    from disent_runner.representations.representation import Representation
    from disent_runner.stages.scoring import Subject
    from disent_runner.stages.scoring import score as scored

    spread = module("disent_runner.metrics.spread", snippet("def spread", PYTHON), monkeypatch).spread
    factors = np.stack(np.unravel_index(np.arange(6), (2, 3)), axis=1)
    rep = Representation(factors.astype(float), factors, (2, 3), factor_names=("a", "b"))
    subject = Subject(rep, seed=0, dataset="grid", source="made", choice="given")
    rows = scored(spread, rep, subject.making("spread", spread))
    assert [(row.name, row.factor, row.error) for row in rows] == [("spread", name, None) for name in (None, "a", "b")]


def test_the_data_set_of_an_afternoon_is_read(monkeypatch, tmp_path):
    from disent_runner.datasets.load import load

    made = module("disent_runner.datasets.things", snippet("def card", PYTHON), monkeypatch)
    assert yaml.safe_load(snippet("datasets.things.card", YAML)) == {
        "card": {"_target_": "disent_runner.datasets.things.card"}
    }
    images = np.random.default_rng(0).integers(256, size=(30, 3, 64, 64), dtype=np.uint8)
    np.savez(tmp_path / "things.npz", images=images)
    dataset = load(made.card(), data_dir=tmp_path, source="official", check_hash=False)
    assert (dataset.info.num_images, dict(dataset.info.factors)) == (30, {"shape": 3, "hue": 10})
