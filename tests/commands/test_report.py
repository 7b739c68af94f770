"""The command; the page has tests of its own, so that a stand-in is written here."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from disent_runner.commands import report as cli
from tests.report.folders import VERSION, score, write_codes, write_run

HEAVY = ("torch", "pandas", "matplotlib", "numpy", "sklearn", "scipy", "h5py", "yaml", "rich", "omegaconf")


@pytest.fixture
def page(monkeypatch):
    """What the page was given."""
    given = SimpleNamespace()

    def write_page(report, out):
        given.report, given.out = report, out

    monkeypatch.setitem(sys.modules, "disent_runner.report.page.page", SimpleNamespace(write_page=write_page))
    return given


@pytest.fixture
def outputs(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "outputs"
    for beta in (1.0, 4.0):
        for seed in range(3):
            scores = [score("mig", beta / 10 + seed / 100), score("reconstruction", 50 * beta, settings={})]
            run = write_run(folder / f"beta={beta}" / f"seed={seed}", scores, beta=beta, seed=seed)
            write_codes(run, rng.standard_normal((50, 3)))
    return folder


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_help_and_mistakes_import_nothing_heavy(tmp_path):
    for arguments in (["--help"], [], [str(tmp_path / "nothing")]):
        code = (
            "import sys\nfrom disent_runner.commands.report import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            f"loaded = set({HEAVY!r}) & set(sys.modules)\nassert not loaded, loaded"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_command_exists():
    done = subprocess.run([Path(sys.executable).with_name("disent-report"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "disent-report outputs --out paper/results" in done.stdout


def test_no_folder_is_a_mistake_of_use(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main([])
    assert "the following arguments are required: FOLDER" in capsys.readouterr().err


def mistake(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit, match="1"):
        cli.main(arguments)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said.rstrip("\n")


def test_a_folder_that_is_not_there_is_named(capsys, tmp_path, outputs):
    said = mistake(capsys, str(outputs), f"{tmp_path}/nothing")
    assert said == (
        f"disent-report: {tmp_path}/nothing: no such folder; name run folders, or a folder that they lie below"
    )
    assert not (tmp_path / "outputs" / "report").exists()


def test_without_a_run_that_can_be_used_nothing_is_written(capsys, tmp_path):
    folder = write_run(tmp_path / "outputs" / "seed=0")
    (folder / "metrics.json").unlink()
    said = mistake(capsys, f"{tmp_path}/outputs")
    assert said == f"disent-report: no run that can be used in {tmp_path}/outputs; {folder}: no metrics yet"
    assert not (tmp_path / "outputs" / "report").exists()


def test_a_file_in_the_way_is_named(capsys, tmp_path, outputs):
    (tmp_path / "out").write_text("precious")
    said = mistake(capsys, str(outputs), "--out", f"{tmp_path}/out")
    assert said == f"disent-report: {tmp_path}/out: a file is in the way; name another folder to write to: --out DIR"
    assert (tmp_path / "out").read_text() == "precious"


def test_runs_beside_which_nothing_can_be_written_are_reported_elsewhere(page, outputs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli.os, "access", lambda path, how: Path(path) != outputs)
    with pytest.raises(SystemExit, match="1"):
        cli.main([str(outputs)])
    said = capsys.readouterr().err.strip()
    assert said == f"disent-report: {outputs}/report cannot be written; name another folder to write to: --out DIR"
    monkeypatch.chdir(tmp_path)
    cli.main([str(outputs / "beta=1.0"), "outputs/beta=4.0", "--out", "here"])
    assert {run.folder.is_absolute() for run in page.report.runs} == {True}


def test_all_is_written_beside_the_runs_which_stay_as_they_are(page, outputs, capsys):
    before = files(outputs)
    cli.main([str(outputs)])
    after = files(outputs)
    assert after.items() >= before.items()
    written = {name.removeprefix("report/") for name in after.keys() - before.keys()}
    assert written >= {
        "runs.csv",
        "table.csv",
        "table.md",
        "table.tex",
        "left_out.csv",
        "udr.csv",
        "udr_correlation.csv",
    }
    assert written >= {f"plots/{plot.path.name}" for plot in page.report.plots}
    assert page.out == outputs / "report"
    out = capsys.readouterr().out
    assert re.search(r"betavae β=4 +3 +0\.410±0\.010 ", out)
    assert out.endswith(f"6 runs of 2 settings: {outputs}/report/index.html\n")


def test_the_report_has_all_that_the_page_shows(page, outputs):
    write_run(outputs / "cut", []).joinpath("metrics.json").unlink()
    cli.main([str(outputs)])
    report = page.report
    assert [run.label for run in report.runs] == ["betavae β=1"] * 3 + ["betavae β=4"] * 3
    assert report.directions == {"mig": "higher", "reconstruction": "lower"}
    assert report.best["mig"].tolist() == [False, True]
    assert report.best["reconstruction"].tolist() == [True, False]
    assert report.formatted.columns.tolist() == [
        "dataset",
        "source",
        "model",
        "model.beta",
        "n",
        "mig",
        "reconstruction",
    ]
    assert [(omission.folder.name, omission.reason) for omission in report.omissions] == [("cut", "no metrics yet")]
    assert report.udr["n"].tolist() == [3, 3]
    assert {"sweep_model.beta", "distribution_mig"} <= {plot.path.stem for plot in report.plots}


def test_the_same_report_again_is_the_same_and_does_not_read_itself(page, outputs):
    cli.main([str(outputs)])
    first = files(outputs)
    cli.main([str(outputs)])
    assert files(outputs) == first


def test_several_folders_are_reported_where_the_command_is_typed(page, outputs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cli.main(["outputs/beta=1.0", "outputs/beta=4.0"])
    assert (tmp_path / "report" / "table.md").read_text().count("| betavae |") == 2
    assert capsys.readouterr().out.endswith("6 runs of 2 settings: report/index.html\n")


def test_one_run_is_a_report_too(page, outputs, tmp_path):
    cli.main([str(outputs / "beta=1.0" / "seed=0"), "--out", f"{tmp_path}/one"])
    assert (tmp_path / "one" / "table.md").read_text().splitlines()[2] == (
        "| dsprites | rendered | betavae | 1 | 0.100 | 50.0 |"
    )
    assert page.report.plots == []


def test_what_is_left_out_is_said_a_line_each(page, outputs, capsys):
    bad = write_run(outputs / "corrupt")
    (bad / "metrics.json").write_text("[{")
    write_run(outputs / "other", [score("mig", 0.5, version="0.0.9")], seed=7)
    cli.main([str(outputs)])
    lines = capsys.readouterr().out.splitlines()
    (left_out,) = (line for line in lines if line.startswith("left out: "))
    assert left_out.startswith(f"left out: {bad}: metrics.json is damaged: ")
    assert (
        f"note: versions of disent-runner that scored differ and are kept apart: 0.0.9 (1 run), {VERSION} (6 runs)"
        in lines
    )
    text = (outputs / "report" / "left_out.csv").read_text()
    assert text.count("\n") == 4  # head, folder, version, and no partner for UDR


@pytest.mark.slow
def test_a_wide_table_is_printed_in_pieces_and_a_long_one_is_cut(page, tmp_path, capsys):
    for place in range(45):
        scores = [score(f"a_metric_with_a_long_name_{number}", place / 10) for number in range(6)]
        write_run(tmp_path / "runs" / f"{place}", scores, beta=place + 1.0)
    cli.main([str(tmp_path / "runs")])
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if line.startswith("betavae")]
    assert len(rows) == 40
    assert {line.count(".") for line in rows} == {6}, "heads are folded, so that all six numbers fit"
    assert max(map(len, rows)) <= 80
    assert f"… and 5 more settings in {tmp_path}/runs/report/table.md" in out


def test_a_name_from_a_folder_is_no_markup(page, tmp_path, capsys):
    write_run(tmp_path / "a", [score("mig", 0.5, dataset="[bold]x")])
    cli.main([str(tmp_path)])
    assert "[bold]x" in capsys.readouterr().out


@pytest.mark.slow
def test_a_thousand_runs_need_less_than_half_a_gigabyte(tmp_path):
    """The process itself by VmHWM: ru_maxrss holds what its parent, this test, had before it became another program."""
    rng = np.random.default_rng(0)
    for seed in range(5):
        scores = [
            score(f"m{metric}", rng.random(), better="higher", factor=factor)
            for metric in range(16)
            for factor in (None, "shape", "scale", "hue", "size")
        ]
        write_codes(
            write_run(tmp_path / "first" / f"{seed}", scores, beta=0.5, seed=seed), rng.standard_normal((2_000, 10))
        )
    for place in range(1_000):
        first, folder = tmp_path / "first" / f"{place % 5}", tmp_path / "runs" / f"{place}"
        folder.mkdir(parents=True)
        record = (first / "config.yaml").read_text().replace("beta: 0.5\n", f"beta: {1.0 + place // 5}\n")
        (folder / "config.yaml").write_text(record)
        for name in ("metrics.json", "codes.h5"):
            (folder / name).symlink_to(first / name)
    code = (
        "import json, re, resource, sys\nfrom pathlib import Path\nfrom disent_runner.report.making import make\n"
        "report = make([Path(sys.argv[1])], Path(sys.argv[2]))\n"
        "own = int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "most = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "counts = [len(report.runs), len(report.table), len(report.udr)]\n"
        "print(json.dumps([*counts, most / 2**20, 'torch' in sys.modules]))"
    )
    places = (tmp_path / "runs", tmp_path / "report")
    done = subprocess.run([sys.executable, "-c", code, *places], capture_output=True, text=True, check=True)
    *counts, gigabytes, imports_torch = json.loads(done.stdout)
    assert counts == [1_000, 200, 200]
    assert gigabytes < 0.4  # the page has the rest
    assert not imports_torch
