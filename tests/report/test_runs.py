import errno
import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.report.runs import parse_config, read_runs
from tests.report.folders import config, row, write_run

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
KEYS = st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True) | st.text()


@given(st.dictionaries(KEYS, VALUES))
def test_a_config_parsed_by_sections_is_what_yaml_says(content):
    text = yaml.safe_dump(content, allow_unicode=True)
    assert parse_config(text) == yaml.load(text, yaml.CSafeLoader)


def test_a_config_with_references_between_sections_is_parsed_whole():
    assert parse_config("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_runs_are_found_at_any_depth_and_nothing_is_looked_for_inside_them(tmp_path):
    first = write_run(tmp_path / "a" / "seed=0")
    second = write_run(tmp_path / "b" / "c" / "d" / "seed=0")
    for inside in ("report", "checkpoints", "figures", ".hidden"):
        write_run(tmp_path / "b" / inside / "seed=9")
    write_run(first / "deeper")
    runs, left_out = read_runs([tmp_path])
    assert [run.folder for run in runs] == [first, second]
    assert left_out == []


def test_a_run_named_twice_or_reached_by_links_is_read_once(tmp_path):
    run = write_run(tmp_path / "runs" / "seed=0")
    (tmp_path / "runs" / "loop").symlink_to(tmp_path / "runs")
    (tmp_path / "again").symlink_to(run)
    runs, left_out = read_runs([tmp_path / "runs", tmp_path, run])
    assert len(runs) == 1
    assert left_out == []


def test_a_run_is_read_as_it_is(tmp_path):
    rows = [row("mig", 0.25), row("mig", 0.2, step=100), row("sap", None, skipped="no labels")]
    folder = write_run(tmp_path / "seed=3", rows, seed=3, beta=8.0)
    ((run,), _) = read_runs([folder])
    expected = config(seed=3, beta=8.0)
    assert run.facts == expected.pop("run")
    assert run.config == expected
    assert run.rows == [{**each, "seed": 3} for each in rows]
    assert (run.seed, run.model) == (3, "betavae")
    assert run.identity["model.beta"] == 8.0


def test_rows_share_what_they_have_alike(tmp_path):
    for seed in range(2):
        write_run(tmp_path / f"seed={seed}", [row("mig", 0.25), row("mig_shape", 0.2, metric="mig")], seed=seed)
    runs, _ = read_runs([tmp_path])
    rows = [each for run in runs for each in run.rows]
    assert len({id(each["settings"]) for each in rows}) == len({id(each["factors"]) for each in rows}) == 1


def test_a_folder_without_runs_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    _, (only,) = read_runs([tmp_path / "empty"])
    assert (only.folder, only.reason) == (tmp_path / "empty", "no run folder (one with config.yaml) in it")


def damaged(tmp_path, name: str, text: str | bytes):
    folder = write_run(tmp_path / "seed=0")
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
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
    assert damaged(tmp_path, "config.yaml", text).startswith(reason)


def without(key: str) -> dict:
    return {name: value for name, value in row("mig", 0.25).items() if name != key}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({}, "it holds no list of numbers"),
        (["mig"], "a row is 'mig'"),
        ([without("value")], "a row lacks value"),
        ([without("settings")], "a row lacks settings"),
        ([row("mig", "0.25")], "mig is '0.25'"),  # pyright: ignore
        ([row("mig", True)], "mig is True"),
        ([row("mig", float("nan"))], "mig is nan"),
        ([row("mig", float("inf"))], "mig is inf"),
        ([row("mig", 0.25, settings=[])], "mig has settings or factors that are none"),
        ([row("mig", 0.25, factors=[3])], "a name in the row of 'mig' is no text"),
        ([row("mig", 0.25, step="300")], "mig has step '300' and better 'higher'"),
        ([row("mig", 0.25, better="more")], "mig has step 300 and better 'more'"),
        ([row("mig", 0.25), row("mig", 0.5)], "mig is there twice"),
    ],
)
def test_damaged_metrics_are_left_out_with_the_fix(tmp_path, rows, reason):
    said = damaged(tmp_path, "metrics.json", json.dumps(rows))
    assert said == f"metrics.json is damaged: {reason}; score the run again: stages=[evaluate]"


def test_metrics_that_are_cut_off_are_left_out(tmp_path):
    said = damaged(tmp_path, "metrics.json", json.dumps([row("mig", 0.25)])[:40])
    assert said.startswith("metrics.json is damaged (")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (None, "no metrics yet"),
        ("{", "no metrics yet"),
        (
            {"state": "running", "since": "2026-01-02T03:04:05+00:00"},
            "no metrics yet (running since 2026-01-02T03:04:05+00:00)",
        ),
        (
            {"state": "failed", "since": "2026-01-02", "error": "loss is nan"},
            "no metrics yet (failed since 2026-01-02: loss is nan)",
        ),
    ],
)
def test_a_run_without_metrics_says_what_became_of_it(tmp_path, status, said):
    folder = write_run(tmp_path / "seed=0")
    (folder / "metrics.json").unlink()
    if status is not None:
        (folder / "status.json").write_text(status if isinstance(status, str) else json.dumps(status))
    assert read_runs([tmp_path])[1][0].reason == said


def test_a_run_that_never_got_a_config_is_named_too(tmp_path):
    folder = tmp_path / "seed=0"
    folder.mkdir()
    (folder / "status.json").write_text(json.dumps({"state": "queued", "since": "2026-01-02"}))
    _, (only,) = read_runs([tmp_path])
    assert (only.folder, only.reason) == (folder, "no config.yaml yet (queued since 2026-01-02)")


def test_a_run_of_which_every_metric_failed_is_left_out(tmp_path):
    write_run(tmp_path / "seed=0", [row("mig", None, error="codes are nan")])
    assert read_runs([tmp_path])[1][0].reason == "no metric has a value: mig codes are nan"


def test_a_config_that_may_not_be_read_is_left_out(tmp_path, monkeypatch):
    """Root may read everything, so that the file system is asked to refuse it here."""
    write_run(tmp_path / "seed=0")
    read_text = Path.read_text

    def refused(path, *arguments, **options):
        if path.name == "config.yaml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", refused)
    assert read_runs([tmp_path])[1][0].reason == "config.yaml cannot be read: Permission denied"
