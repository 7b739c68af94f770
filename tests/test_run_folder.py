import os
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from disent_runner.run_folder import exclusive, read_json, run_id, write_json, write_whole


def config(**changes):
    base = {
        "model": {"_target_": "m", "beta": 4, "optimizer": "${optimizer}"},
        "optimizer": {"lr": 1e-3},
        "dataset": {"batch_size": 64, "check_hash": True},
        "trainer": {"max_steps": 10, "precision": "32-true", "log_every": 5},
        "seed": 0,
        "output_root": "outputs",
    }
    tree = OmegaConf.create(base)
    for key, value in changes.items():
        OmegaConf.update(tree, key.replace("__", "."), value)
    return tree


@pytest.mark.parametrize(
    "changes",
    [
        {"model__beta": 4.0},
        {"dataset__check_hash": False},
        {"trainer__log_every": 1},
        {"output_root": "elsewhere"},
        {"seed": 3},
    ],
)
def test_what_does_not_change_the_numbers_keeps_the_id(changes):
    assert run_id(config(**changes)) == run_id(config())


@pytest.mark.parametrize(
    "changes",
    [
        {"model__beta": 4.5},
        {"optimizer__lr": 1e-4},
        {"dataset__batch_size": 32},
        {"trainer__max_steps": 11},
        {"trainer__precision": "bf16-mixed"},
    ],
)
def test_what_changes_the_numbers_changes_the_id(changes):
    assert run_id(config(**changes)) != run_id(config())


def test_a_true_switch_is_not_the_number_one():
    assert run_id(config(model__normalized=True)) != run_id(config(model__normalized=1))


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    code = (
        "import sys; from pathlib import Path; from disent_runner.run_folder import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RuntimeError, match=rf"in use by another process \(pid {other.pid} "), exclusive(tmp_path):
            pass
        other.kill()  # the lock ends with its process
        other.wait()
    with exclusive(tmp_path):
        assert f"pid {os.getpid()}" in (tmp_path / ".owner").read_text()


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    code = (
        "import resource, sys; from pathlib import Path; from disent_runner.run_folder import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_whole(Path(sys.argv[1]), b'x' * 5000)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"cannot write {path}: File too large; what was there before is kept" in done.stderr
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_comes_back_and_damage_is_named(tmp_path: Path):
    path = tmp_path / "some" / "file.json"
    assert read_json(path, default=7) == 7
    write_json(path, {"β": [1, 2.5]})
    assert read_json(path, default=None) == {"β": [1, 2.5]}
    path.write_text('{"β": [1,')
    with pytest.raises(ValueError, match=r"file\.json is damaged .*delete it"):
        read_json(path, default=None)
