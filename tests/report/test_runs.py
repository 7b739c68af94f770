import errno
import json
import os
from pathlib import Path

import pytest
import yaml

from disent_runner.report.runs import read_runs
from disent_runner.runs.status import is_finished, read_status, write_status
from tests.report.folders import score, write_run


def test_runs_are_read_by_path_and_nothing_is_left_out(tmp_path):
    second = write_run(tmp_path / "b" / "c" / "d" / "seed=0")
    first = write_run(tmp_path / "a" / "seed=0")
    runs, omissions = read_runs([tmp_path])
    assert [run.folder for run in runs] == [first, second]
    assert omissions == []


def test_a_run_named_twice_or_reached_by_links_is_read_once(tmp_path):
    run = write_run(tmp_path / "runs" / "seed=0")
    (tmp_path / "again").symlink_to(run)
    runs, omissions = read_runs([tmp_path / "runs", tmp_path, run])
    assert len(runs) == 1
    assert omissions == []


def test_a_run_is_read_as_it_was_written(tmp_path):
    scores = [score("mig", 0.25, seed=3), score("mig", 0.2, step=100, seed=3), score("sap", None, skipped="no", seed=3)]
    folder = write_run(tmp_path / "seed=3", scores, seed=3, beta=8.0)
    ((run,), _) = read_runs([folder])
    record = yaml.safe_load((folder / "config.yaml").read_text())
    assert run.facts == record.pop("run")
    assert run.config == record
    assert run.scores == scores
    assert (run.seed, run.model) == (3, "betavae")
    assert run.identity["model.beta"] == 8.0


def test_a_folder_without_runs_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    _, (only,) = read_runs([tmp_path / "empty"])
    assert (only.folder, only.reason) == (tmp_path / "empty", "no run folder (one with config.yaml) in it")


def reason_without(tmp_path, name: str, content: str | bytes | None) -> str:
    """Why a run is left out of which a file was damaged so, or went away."""
    folder = write_run(tmp_path / "seed=0")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    runs, (only,) = read_runs([tmp_path])
    assert runs == []
    assert only.folder == folder
    assert "\n" not in only.reason
    return only.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "config.yaml has no `run` or no `seed`"),
        ("seed: 0\n", "config.yaml has no `run` or no `seed`"),
        ("seed: true\nrun: {}\n", "config.yaml has no `run` or no `seed`"),
        ("model: [1\nrun: 2\n", "config.yaml is damaged"),
        ("- a\n- b\n", "config.yaml is damaged: expected `key: value`"),
        ("seed: 0\nrun: {}\nmodel: 3\n", "config.yaml is damaged: model is 3"),
        ("seed: 0\nrun: {versions: 1}\n", "config.yaml is damaged: run.versions is 1"),
        (b"\xff\xfe", "config.yaml is damaged"),
    ],
)
def test_a_damaged_config_is_left_out(tmp_path, text, reason):
    assert reason_without(tmp_path, "config.yaml", text).startswith(reason)


def test_damaged_metrics_are_left_out_with_the_fix(tmp_path):
    reason = reason_without(tmp_path, "metrics.json", '[{"name": "mig", ')
    assert reason.startswith("metrics.json is damaged")
    assert reason.endswith("; score the run again: 'stages=[evaluate]'")


def test_a_run_without_metrics_is_left_out(tmp_path):
    assert reason_without(tmp_path, "metrics.json", None) == "no metrics yet"


@pytest.mark.parametrize(("state", "error"), [("running", None), ("failed", "loss is nan")])
def test_what_became_of_it_is_said(tmp_path, state, error):
    folder = write_run(tmp_path / "seed=0", [])
    write_status(folder, state, request="all", **({"error": error} if error else {}))
    since = read_status(folder)["since"]
    ending = f": {error}" if error else ""
    assert read_runs([tmp_path])[1][0].reason == f"no metrics yet ({state} since {since}{ending})"


def test_a_run_that_never_got_a_config_is_named_too(tmp_path):
    folder = tmp_path / "seed=0"
    write_status(folder, "queued", request="all")
    _, (only,) = read_runs([tmp_path])
    since = read_status(folder)["since"]
    assert (only.folder, only.reason) == (folder, f"no config.yaml yet (queued since {since})")


def test_a_run_of_which_every_metric_failed_is_left_out(tmp_path):
    write_run(tmp_path / "seed=0", [score("mig", None, error="codes are nan")])
    assert read_runs([tmp_path])[1][0].reason == "no metric has a value: mig codes are nan"


def test_a_config_that_may_not_be_read_is_left_out(tmp_path, monkeypatch):
    """Root may read everything, so that the file system is asked to refuse it here."""
    write_run(tmp_path / "seed=0")
    opened = os.open

    def refuse(path, *arguments, **options):
        if Path(path).name == "config.yaml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    assert read_runs([tmp_path])[1][0].reason == "config.yaml cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yaml", "seed: 0\nrun: {id: [1]}\n"),
        ("config.yaml", "seed: 0\nrun: {data_hash: {a: 1}}\n"),
        ("config.yaml", f"seed: {10**30}\nrun: {{}}\n"),
        ("config.yaml", "a: &a [x]\nb: [*a]\nseed: 0\nrun: {}\n"),
        ("metrics.json", "{}"),
        ("metrics.json", "[null]"),
        ("metrics.json", "[" * 100_000),
    ],
)
def test_other_content_is_a_line_that_names_the_file_and_the_other_runs_stay(tmp_path, name, content):
    write_run(tmp_path / "other" / "seed=0")
    (write_run(tmp_path / "seed=0") / name).write_text(content)
    runs, (only,) = read_runs([tmp_path])
    assert len(runs) == 1
    assert only.folder == tmp_path / "seed=0"
    assert name in only.reason
    assert "\n" not in only.reason


@pytest.mark.parametrize("change", [{"seed": "x"}, {"num_images": "9"}, {"seconds": float("nan")}, {"step": 2**60}])
def test_a_row_of_other_types_is_damage(tmp_path, change):
    path = write_run(tmp_path / "seed=0") / "metrics.json"
    (path.parent / "checksums.json").unlink()  # which says that it changed, and no more
    path.write_text(json.dumps([{**json.loads(path.read_text())[0], **change}]))
    assert read_runs([tmp_path])[1][0].reason.startswith("metrics.json is damaged: mig has")


@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "status.json"])
def test_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path, name):
    folder = write_run(tmp_path / "seed=0", [] if name == "status.json" else None)
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    _, (only,) = read_runs([tmp_path])
    assert only.reason.startswith("no metrics yet" if name == "status.json" else name)


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"state": [1]}', '{"state": "done", "since": "x", "finished": {}}', "[" * 100_000]
)
def test_a_status_of_other_content_says_nothing(tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    assert read_status(tmp_path) == {}
    assert not is_finished(tmp_path, "request")


def test_the_folder_of_a_sweep_stands_for_its_runs(tmp_path):
    mine = [write_run(tmp_path / "dsprites" / f"seed={seed}", seed=seed) for seed in (0, 1)]
    write_run(tmp_path / "dsprites" / "seed=2", seed=2)
    sweep = tmp_path / "sweeps" / "0123abcd"
    sweep.mkdir(parents=True)
    (sweep / "sweep.json").write_text(json.dumps({"runs": [{"folder": str(run)} for run in mine]}))
    runs, omissions = read_runs([sweep])
    assert ([run.folder for run in runs], omissions) == (mine, [])
    assert len(read_runs([sweep, tmp_path])[0]) == 3, "each once"
    (sweep / "sweep.json").write_text("{")
    assert [omission.folder for omission in read_runs([sweep])[1]] == [sweep]
